"""Sessions that stay incomplete are given up, and taken up again when something new comes."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from unit.ingestion.conftest import SESSION, START, Poller, assert_arrived, simulated, statements, virtual

from s2ps.ingestion.report import PollReport
from s2ps.ingestion.service import Ingestion
from s2ps.model.errors import InputError
from s2ps.stations import cadip, xbip
from s2ps.stations.station import Station
from s2ps.stations.timeline import Event

pytestmark = pytest.mark.integration

DAY = timedelta(days=1)
LATE = Event(at=1000, file="*ch2_DSDB_00004*")
SHORT: dict[str, Any] = {"give_up_days": 3, "retention_days": 30}


def given_up(service: Ingestion, at: datetime) -> PollReport:
    """Poll for a last time before the limit, and once behind it."""
    assert service.poll("station", START).abandoned == {}
    assert service.poll("station", START + 3 * DAY - timedelta(seconds=1)).abandoned == {}
    return service.poll("station", at)


def requests(station: Station) -> int:
    """Return how often the files or the quality information of a session were asked for."""
    return sum("/Files" in path or "/QualityInfo" in path for _, path in station.log)


@pytest.mark.parametrize("kind", ["xbip", "cadip"])
def test_what_stays_incomplete_is_given_up_and_a_new_file_takes_it_up(
    ingestion: Poller, tmp_path: Path, kind: str
) -> None:
    with {"xbip": xbip, "cadip": cadip}[kind].serve(None, simulated(virtual(events=(LATE,)))) as station:
        service = ingestion(station, kind, **SHORT)
        report = given_up(service, START + 3 * DAY)
        assert list(report.abandoned) == [SESSION]
        assert "channel 2: block 4" in report.abandoned[SESSION][0]
        status = service.sessions()[0]
        assert (status.arrival.state, status.arrival.missing) == ("abandoned", report.abandoned[SESSION])
        assert service.poll("station", START + 4 * DAY).abandoned == {}, "it is told once"
        station.advance(1001)
        assert service.poll("station", START + 4 * DAY + timedelta(minutes=11)).completed == [SESSION]
        assert_arrived(tmp_path / "home/sessions" / SESSION, station, dsibs=kind == "xbip")


def test_nothing_is_asked_for_a_session_that_was_given_up(ingestion: Poller) -> None:
    with cadip.serve(None, simulated(virtual(events=(LATE,)))) as station:
        service = ingestion(station, "cadip", **SHORT)
        given_up(service, START + 3 * DAY)
        before = requests(station)
        assert before > 0
        for minute in range(1, 9):
            service.poll("station", START + 3 * DAY + timedelta(minutes=minute))
        assert requests(station) == before


def test_files_that_another_station_has_as_well_are_no_news(ingestion: Poller) -> None:
    with (
        xbip.serve(None, simulated(virtual(events=(LATE,)))) as north,
        xbip.serve(None, simulated(virtual(events=(LATE,)))) as south,
    ):
        service = ingestion(north, "xbip", **SHORT)
        service.poll("station", START)
        file = service.arrivals.files(SESSION)[0]
        service.arrivals.set_file(SESSION, file.name, state="refused", problem="it is broken")
        other = ingestion(south, "xbip", name="south", **SHORT)
        other.poll("south", START + 2 * DAY)
        assert service.arrivals.session(SESSION).changed_at < START + 2 * DAY  # type: ignore[union-attr]


def test_a_full_disk_gives_nothing_up(ingestion: Poller) -> None:
    with xbip.serve(None, simulated(virtual())) as station:
        service = ingestion(station, "xbip", **SHORT, **{"min_free_gb": 10**9})
        report = given_up(service, START + 9 * DAY)
        assert (report.disk_full, report.abandoned) == (True, {})
        assert ingestion(station, "xbip", **SHORT).poll("station", START + 9 * DAY).completed == [SESSION]


def test_an_operator_takes_a_session_up(ingestion: Poller) -> None:
    with cadip.serve(None, simulated(virtual(events=(LATE,)))) as station:
        service = ingestion(station, "cadip", **SHORT)
        with pytest.raises(InputError, match="never seen"):
            service.resume(SESSION)
        service.poll("station", START)
        with pytest.raises(InputError, match="is receiving"):
            service.resume(SESSION)
        assert list(given_up(service, START + 3 * DAY).abandoned) == [SESSION]
        service.resume(SESSION, START + 3 * DAY)
        before = requests(station)
        assert service.poll("station", START + 4 * DAY).abandoned == {}
        assert requests(station) > before
        assert list(service.poll("station", START + 6 * DAY).abandoned) == [SESSION]


@pytest.mark.parametrize("kind", ["xbip", "cadip"])
def test_a_poll_loads_no_session_that_is_over(ingestion: Poller, kind: str) -> None:
    with {"xbip": xbip, "cadip": cadip}[kind].serve(None, simulated(virtual())) as station:
        service = ingestion(station, kind)
        asked = statements(service.inventory)
        assert service.poll("station", START).completed == [SESSION]
        found = [text for text in asked if text.startswith("SELECT") and "FROM arrivals" in text]
        assert found
        assert [text for text in found if "state =" not in text and "session " not in text.partition("WHERE")[2]] == []
