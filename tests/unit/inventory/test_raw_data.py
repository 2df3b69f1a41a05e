"""Which raw data may go, the same in SQLite and PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from s2ps.inventory.arrival_records import Arrival
from s2ps.inventory.arrivals import Arrivals
from s2ps.inventory.raw_data import RawData
from s2ps.inventory.records import DatatakeRecord, RunRecord, SessionRecord
from s2ps.inventory.store import Inventory

pytestmark = pytest.mark.unit
T0 = datetime(2026, 7, 1, 10, 20, tzinfo=UTC)
DAY = timedelta(days=1)
SESSION = "S2B_20260701101559000001"
ARRIVAL = Arrival(SESSION, "SGS", "receiving", 2, (), None, None, T0, T0, ("all files",), "", None, None, None)
DATATAKE = DatatakeRecord("GS2B_1", "S2B", "INS-NOBS", T0, T0, 1, 1, T0, SESSION, 60, (), ("L0", "L1C"))
CUT = RunRecord(f"{SESSION}/L0U/1", "session", SESSION, "x", "L0U", "success", T0, T0 + DAY)


def arrived(inventory: Inventory) -> RawData:
    """Let a session be complete, cut into two datatakes, and both be made, within two days."""
    arrivals, raw = Arrivals(inventory), RawData(inventory)
    arrivals.keep([ARRIVAL], [])
    arrivals.complete(SessionRecord(SESSION, Path("/s"), T0, "SGS_", 2), T0)
    raw.take(SESSION, T0 + DAY / 2)
    inventory.register_run(CUT)
    for name in ("GS2B_1", "GS2B_2"):
        inventory.register_datatake(replace(DATATAKE, id=name))
        raw.begin(name, T0 + DAY)
        raw.finish(name, T0 + 2 * DAY)
    return raw


def over(raw: RawData, before: datetime) -> list[str]:
    return [arrival.session for arrival in raw.over(before)]


def test_a_session_of_which_all_is_made_is_over_when_that_is_long_ago(inventory: Inventory) -> None:
    raw = arrived(inventory)
    assert over(raw, T0 + 2 * DAY) == []
    assert over(raw, T0 + 3 * DAY) == [SESSION]
    assert raw.over(T0 + 3 * DAY, "another") == ()
    assert not raw.expire(SESSION, T0 + 2 * DAY)
    assert raw.expire(SESSION, T0 + 3 * DAY)
    assert not raw.expire(SESSION, T0 + 3 * DAY)
    kept = Arrivals(inventory).session(SESSION)
    assert kept is not None
    assert (kept.state, kept.folder) == ("expired", Path("/s"))
    Arrivals(inventory).keep([ARRIVAL], [])
    assert Arrivals(inventory).sessions("receiving") == ()


WORK: dict[str, Callable[[Inventory, RawData], object]] = {
    "a datatake is being made": lambda inventory, raw: raw.begin("GS2B_2", T0 + DAY),
    "a datatake was never made": lambda inventory, raw: inventory.register_datatake(replace(DATATAKE, id="GS2B_3")),
    "a run has taken it again": lambda inventory, raw: raw.take(SESSION, T0 + 1.5 * DAY),
    "it is being cut again": lambda inventory, raw: inventory.register_run(replace(CUT, state="running")),
}


@pytest.mark.parametrize("what", WORK)
def test_a_session_in_work_is_not_over(inventory: Inventory, what: str) -> None:
    raw = arrived(inventory)
    WORK[what](inventory, raw)
    assert over(raw, T0 + 9 * DAY) == []
    assert not raw.expire(SESSION, T0 + 9 * DAY)


def test_a_session_that_was_never_taken_or_cut_is_not_over(inventory: Inventory) -> None:
    Arrivals(inventory).keep([ARRIVAL], [])
    Arrivals(inventory).complete(SessionRecord(SESSION, Path("/s"), T0, "SGS_", 2), T0)
    assert over(RawData(inventory), T0 + 9 * DAY) == []
    inventory.register_run(CUT)
    assert over(RawData(inventory), T0 + 9 * DAY) == [SESSION], "nothing was found in it"


def test_given_up_sessions_are_told_by_their_last_news(inventory: Inventory) -> None:
    Arrivals(inventory).keep([ARRIVAL], [])
    assert RawData(inventory).abandoned(T0 + DAY) == ()
    assert not Arrivals(inventory).abandon(SESSION, ("block 2",), T0 + DAY), "there was news"
    assert Arrivals(inventory).abandon(SESSION, ("block 2",), T0)
    assert RawData(inventory).abandoned(T0) == ()
    assert [arrival.missing for arrival in RawData(inventory).abandoned(T0 + DAY)] == [("block 2",)]
