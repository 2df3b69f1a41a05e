"""The memory of ingestion, the same in SQLite and PostgreSQL."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from s2ps.inventory.arrival_records import Arrival, ArrivingFile, ArrivingProduct, StationWindow
from s2ps.inventory.arrival_tables import ARRIVALS
from s2ps.inventory.arrivals import Arrivals
from s2ps.inventory.records import SessionRecord
from s2ps.inventory.store import Inventory

pytestmark = pytest.mark.unit
NOW = datetime(2026, 7, 1, 10, 20, 0, 123456, tzinfo=UTC)
SESSION = "S2B_20260701101559000001"
ARRIVAL = Arrival(
    SESSION, "SGS", "receiving", 2, ("1:5:100",), NOW, None, NOW, NOW, ("channel 1: block 2 (not published)",), "",
    None, None, None,
)  # fmt: skip
FILE = ArrivingFile(
    SESSION, f"DCS_05_{SESSION}_ch1_DSDB_00001.raw", "SGS", 1, 1, 5_000_000_000, NOW, "/a b", True, False, "v", "",
    "listed", "", "", NOW,
)  # fmt: skip
RECORD = SessionRecord(SESSION, Path("/sessions/one"), NOW + timedelta(seconds=1), "05", 10, "S2B")


def test_what_is_kept_comes_back(inventory: Inventory) -> None:
    arrivals = Arrivals(inventory)
    arrivals.keep([ARRIVAL], [FILE, replace(FILE, name="other", final=None, block=None)])
    arrivals.keep([ARRIVAL], [FILE])
    assert arrivals.sessions("receiving") == (ARRIVAL,)
    assert set(arrivals.files(SESSION)) == {FILE, replace(FILE, name="other", final=None, block=None)}
    arrivals.set_file(SESSION, FILE.name, state="complete", held="e")
    arrivals.set_missing(SESSION, ("channel 2: all files",), "waits")
    assert arrivals.files()[0].held == "e"
    arrival = arrivals.session(SESSION)
    assert arrival is not None
    assert (arrival.missing, arrival.note) == (("channel 2: all files",), "waits")


def test_a_session_is_completed_and_announced_once(inventory: Inventory) -> None:
    arrivals = Arrivals(inventory)
    arrivals.keep([ARRIVAL], [FILE])
    assert arrivals.not_announced() == ()
    told: list[bool] = []
    threads = [threading.Thread(target=lambda: told.append(arrivals.complete(RECORD, NOW))) for _ in range(4)]
    _run(threads)
    assert sorted(told) == [False, False, False, True]
    assert not arrivals.complete(replace(RECORD, t0=NOW + timedelta(hours=1)), NOW)
    assert inventory.session(SESSION).t0 == RECORD.t0
    arrivals.keep([replace(ARRIVAL, channels=4)], [replace(FILE, size=1)])
    assert arrivals.files(SESSION) == (FILE,)
    assert [arrival.session for arrival in arrivals.not_announced()] == [SESSION]
    announced: list[bool] = []
    _run([threading.Thread(target=lambda: announced.append(arrivals.announce(SESSION, "x", NOW))) for _ in range(4)])
    assert sorted(announced) == [False, False, False, True]
    assert arrivals.not_announced() == ()
    found = arrivals.arrived_in(Path("/sessions/one"))
    assert found is not None
    assert (found.t0, found.state) == (RECORD.t0, "complete")


def test_a_session_that_is_completed_while_it_is_listed_again_stays_complete(inventory: Inventory) -> None:
    arrivals = Arrivals(inventory)
    arrivals.keep([ARRIVAL], [FILE])
    later = threading.Thread(target=arrivals.keep, args=([replace(ARRIVAL, channels=4)], [replace(FILE, size=1)]))
    with inventory.transaction() as connection:
        connection.execute(ARRIVALS.update().values(state="complete", t0=RECORD.t0))
        later.start()
        later.join(0.5)
        assert later.is_alive(), "it waits for the transaction"
    later.join()
    assert arrivals.sessions("receiving") == ()
    assert arrivals.session(SESSION) == replace(ARRIVAL, state="complete", t0=RECORD.t0)
    assert arrivals.files(SESSION) == (FILE,)


def _run(threads: list[threading.Thread]) -> None:
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_windows_products_and_refusals(inventory: Inventory) -> None:
    arrivals = Arrivals(inventory)
    assert arrivals.window("SGS") == StationWindow(None, None)
    arrivals.set_window("SGS", StationWindow(NOW, None))
    arrivals.set_window("SGS", StationWindow(NOW, NOW))
    assert arrivals.window("SGS") == StationWindow(NOW, NOW)
    product = ArrivingProduct("ADGS", "id", "name", "e", "refused", "why", NOW)
    arrivals.keep_product(product)
    assert arrivals.products("ADGS") == {"id": product}
    arrivals.refuse("SGS", {"a\x00b\udcff/../c": "leads to another folder"}, NOW)
    arrivals.refuse("SGS", {"a\x00b\udcff/../c": "leads to another folder"}, NOW)
    assert arrivals.refused() == (("SGS", r"'a\x00b\udcff/../c'", "leads to another folder"),)


def test_some_sessions_and_products_are_found_by_name(inventory: Inventory) -> None:
    arrivals = Arrivals(inventory)
    arrivals.keep([replace(ARRIVAL, session=f"S2B_{number}") for number in range(4)], [])
    many = [f"S2B_{number}" for number in (1, 3, *range(4, 1200))]
    assert {arrival.session for arrival in arrivals.named(many)} == {"S2B_1", "S2B_3"}
    assert arrivals.named(()) == ()
    broken = ArrivingProduct("ADGS", "1", "a", "e", "listed", "why", NOW, 3)
    whole = ArrivingProduct("ADGS", "2", "b", "e", "complete", "", NOW)
    for product in (broken, whole, replace(broken, station="other")):
        arrivals.keep_product(product)
    assert arrivals.products("ADGS", {"b", "c"}) == {"2": whole}
    assert arrivals.products("ADGS") == {"1": broken, "2": whole}
    assert arrivals.failing_products("ADGS") == (broken,)
