"""The inventory file: register, find, from several processes at once."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError

from s2ps.inventory.care import upgrade_database
from s2ps.inventory.records import Claim, DatatakeRecord, ProductRecord, RunRecord, SessionRecord
from s2ps.inventory.schema import SESSIONS
from s2ps.inventory.store import Inventory
from s2ps.model.errors import InputError, StagingError

ROOT = Path(__file__).resolve().parents[3]
T0 = datetime(2026, 7, 1, 10, 30, 0, 123456, tzinfo=UTC)
START = datetime(2026, 7, 1, 10, 15, 59, tzinfo=UTC)
SESSION = SessionRecord("DCS_05_S2B_1", Path("/pick-up/S1"), T0, "SGS_", 12, "S2B", START, None)
DATATAKE = DatatakeRecord(
    id="GS2B_20260701T101559_048123_N05.00",
    unit="S2B",
    type="INS-NOBS",
    start=START,
    stop=START + timedelta(seconds=15),
    absolute_orbit=48123,
    relative_orbit=22,
    t0=T0,
    session_id=SESSION.id,
    granules=48,
    datastrips=("DS1", "DS2"),
    levels=("L0", "L1B", "L1C", "L2A"),
    station="S2PS",
)
PRODUCT = ProductRecord(
    "S2B_MSIL1C_X.SAFE", "L1C", "TL", Path("/prip/x"), DATATAKE.id, "run1", T0, 5_000_000_000, "32TPQ"
)


def test_records_come_back_as_they_were(inventory: Inventory) -> None:
    run = RunRecord("key", "datatake", DATATAKE.id, "nominal", "L0", "running", T0, T0)
    inventory.register_session(SESSION)
    inventory.register_datatake(DATATAKE)
    inventory.register_product(PRODUCT)
    inventory.register_run(run)
    again = Inventory(inventory.url.render_as_string(hide_password=False))
    assert again.session(SESSION.id) == SESSION
    assert again.sessions() == (SESSION,)
    assert again.datatake(DATATAKE.id) == DATATAKE
    assert again.datatakes_of(SESSION.id) == (DATATAKE,)
    assert again.product(PRODUCT.name) == PRODUCT
    assert again.run("key") == run
    assert again.run("other") is None


def test_registering_again_replaces_and_never_doubles(inventory: Inventory) -> None:
    for granules in (48, 48, 60):
        inventory.register_datatake(replace(DATATAKE, granules=granules))
    assert [datatake.granules for datatake in inventory.datatakes_of(SESSION.id)] == [60]


def test_run_keeps_the_time_it_was_created(inventory: Inventory) -> None:
    run = RunRecord("key", "datatake", DATATAKE.id, "nominal", "L0", "running", T0, T0)
    later = T0 + timedelta(hours=1)
    inventory.register_run(run)
    inventory.register_run(replace(run, state="success", created_at=later, updated_at=later))
    assert inventory.runs_of("datatake", DATATAKE.id) == (replace(run, state="success", updated_at=later),)
    assert inventory.runs_of("session", DATATAKE.id) == ()


def test_datatakes_between_takes_the_start_and_not_the_stop(inventory: Inventory) -> None:
    for seconds in (0, 0.5, 10, 20):
        start = START + timedelta(seconds=seconds)
        inventory.register_datatake(replace(DATATAKE, id=f"D{seconds}", start=start, stop=start))

    def between(first: float, last: float) -> list[str]:
        found = inventory.datatakes_between(START + timedelta(seconds=first), START + timedelta(seconds=last))
        return [datatake.id for datatake in found]

    assert between(0, 10) == ["D0", "D0.5"]
    assert between(10, 21) == ["D10", "D20"]
    assert between(0.6, 9) == []


def test_product_keeps_the_time_it_was_first_published(inventory: Inventory) -> None:
    inventory.register_product(PRODUCT)
    inventory.register_product(replace(PRODUCT, published_at=T0 + timedelta(hours=1), size=7))
    assert inventory.product(PRODUCT.name) == replace(PRODUCT, size=7)


def test_products_of_a_datatake_by_level(inventory: Inventory) -> None:
    inventory.register_product(PRODUCT)
    inventory.register_product(replace(PRODUCT, name="A", level="L2A"))
    inventory.register_product(replace(PRODUCT, name="B", datatake="another"))
    assert [product.name for product in inventory.products_of(DATATAKE.id)] == ["A", PRODUCT.name]
    assert [product.name for product in inventory.products_of(DATATAKE.id, "L1C")] == [PRODUCT.name]


def test_unknown_ids_are_named(inventory: Inventory) -> None:
    for find, name in ((inventory.session, "S9"), (inventory.datatake, "D9"), (inventory.product, "P9")):
        with pytest.raises(InputError, match=name):
            find(name)


def test_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StagingError, match=r"file/inventory\.sqlite"):
        Inventory(tmp_path / "file" / "inventory.sqlite")


WRITER = """
import sys
from pathlib import Path
from s2ps.inventory.records import SessionRecord
from s2ps.inventory.store import Inventory
from s2ps.model.timestamps import parse_utc
inventory = Inventory(sys.argv[1])
for number in range(40):
    moment = parse_utc("2026-07-01T10:15:59Z")
    inventory.register_session(SessionRecord(f"{sys.argv[2]}-{number}", Path("/x"), moment, "SGS_", number))
    inventory.register_session(SessionRecord("shared", Path("/x"), moment, sys.argv[2], number))
"""


def test_processes_and_threads_write_at_once_without_losing_records(location: Path | str) -> None:
    if isinstance(location, str):
        upgrade_database(location)
    environment = {"PYTHONPATH": f"{ROOT / 'src'}"}
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(location), name], env=environment)
        for name in ("a", "b", "c")
    ]
    inventory = Inventory(location)

    def write(name: str) -> None:
        for number in range(20):
            inventory.register_session(replace(SESSION, id=f"{name}-{number}"))

    threads = [threading.Thread(target=write, args=(f"thread{index}",)) for index in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [writer.wait(60) for writer in writers] == [0, 0, 0]
    assert len(inventory.sessions()) == 3 * 40 + 1 + 2 * 20
    inventory.engine.dispose()


def test_a_transaction_is_whole_or_nothing(inventory: Inventory) -> None:
    inventory.register_session(SESSION)

    class Broken(Exception):
        pass

    def fails() -> None:
        with inventory.transaction() as connection:
            connection.execute(SESSIONS.delete())
            raise Broken

    with pytest.raises(Broken):
        fails()
    assert inventory.sessions() == (SESSION,)


def test_a_datatake_is_taken_by_one(inventory: Inventory) -> None:
    first, second = Claim("datatake", "one"), Claim("datatake", "two")
    won: list[Claim] = []

    def take(claim: Claim) -> None:
        if inventory.take("D", claim, None):
            won.append(claim)

    threads = [threading.Thread(target=take, args=(claim,)) for claim in (first, second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [inventory.claim_of("D")] == won
    assert not inventory.take("D", first, Claim("datatake", "three"))
    assert inventory.take("D", second, won[0])
    assert inventory.claim_of("D") == second


def test_a_transaction_waits_for_another_process_that_writes(tmp_path: Path) -> None:
    inventory = Inventory(tmp_path / "inventory.sqlite")
    other = sqlite3.connect(inventory.path, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    tried = threading.Event()

    def release() -> None:
        tried.wait(10)
        other.execute("COMMIT")
        other.close()

    releaser = threading.Thread(target=release)
    releaser.start()
    meets = iter([True])

    def meet(connection: Connection) -> None:
        connection.exec_driver_sql("PRAGMA busy_timeout = 30000")
        if next(meets, False):
            raise OperationalError("BEGIN", {}, sqlite3.OperationalError("database is locked"))

    tried.set()
    inventory.write(meet)
    inventory.register_session(SESSION)
    releaser.join()
    assert inventory.sessions() == (SESSION,)


def test_a_child_process_after_a_fork_has_connections_of_its_own(inventory: Inventory) -> None:
    inventory.register_session(SESSION)
    child = os.fork()
    if child == 0:
        os._exit(0 if inventory.sessions() == (SESSION,) else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert inventory.sessions() == (SESSION,)
