"""The inventory file: register, find, from several processes at once."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from s2ps.inventory.records import DatatakeRecord, ProductRecord, RunRecord, SessionRecord
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


@pytest.fixture
def inventory(tmp_path: Path) -> Inventory:
    return Inventory(tmp_path / "deep" / "inventory.sqlite")


def test_records_come_back_as_they_were(inventory: Inventory) -> None:
    run = RunRecord("key", "datatake", DATATAKE.id, "nominal", "L0", "running", T0, T0)
    inventory.register_session(SESSION)
    inventory.register_datatake(DATATAKE)
    inventory.register_product(PRODUCT)
    inventory.register_run(run)
    again = Inventory(inventory.path)
    assert again.session(SESSION.id) == SESSION
    assert again.sessions() == (SESSION,)
    assert again.datatake(DATATAKE.id) == DATATAKE
    assert again.datatakes_of(SESSION.id) == (DATATAKE,)
    assert again.product(PRODUCT.name) == PRODUCT
    assert again.run("key") == run
    assert again.run("other") is None


def test_an_inventory_from_before_the_station_column_opens(inventory: Inventory) -> None:
    inventory.register_datatake(DATATAKE)
    with sqlite3.connect(inventory.path) as connection:
        connection.execute("ALTER TABLE datatakes DROP COLUMN station")
    connection.close()
    openers = [threading.Thread(target=Inventory, args=(inventory.path,)) for _ in range(3)]
    for opener in openers:
        opener.start()
    for opener in openers:
        opener.join()
    again = Inventory(inventory.path)
    assert again.datatake(DATATAKE.id) == replace(DATATAKE, station="")
    again.register_datatake(DATATAKE)
    assert again.datatake(DATATAKE.id) == DATATAKE


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
from dataclasses import replace
from pathlib import Path
from s2ps.inventory.records import SessionRecord
from s2ps.inventory.store import Inventory
from s2ps.model.timestamps import parse_utc
inventory = Inventory(Path(sys.argv[1]))
for number in range(40):
    moment = parse_utc("2026-07-01T10:15:59Z")
    inventory.register_session(SessionRecord(f"{sys.argv[2]}-{number}", Path("/x"), moment, "SGS_", number))
    inventory.register_session(SessionRecord("shared", Path("/x"), moment, sys.argv[2], number))
"""


def test_processes_and_threads_write_at_once_without_losing_records(tmp_path: Path) -> None:
    path = tmp_path / "inventory.sqlite"
    environment = {"PYTHONPATH": f"{ROOT / 'src'}"}
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(path), name], env=environment) for name in ("a", "b", "c")
    ]
    inventory = Inventory(path)

    def write(name: str) -> None:
        for number in range(20):
            inventory.register_session(replace(SESSION, id=f"{name}-{number}"))

    threads = [threading.Thread(target=write, args=(f"thread{index}",)) for index in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [writer.wait(30) for writer in writers] == [0, 0, 0]
    assert len(inventory.sessions()) == 3 * 40 + 1 + 2 * 20
