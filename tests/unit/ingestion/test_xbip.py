"""XBIP: a WebDAV pick-up point, well-behaved and not."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr
from unit.ingestion.conftest import SESSION, START, Poller, assert_arrived, simulated, virtual

from s2ps.ingestion.web import StationError
from s2ps.stations.timeline import Disorder, Event, Timeline
from s2ps.stations.xbip import serve

pytestmark = pytest.mark.integration

DSDB = f"DCS_05_{SESSION}_ch{{}}_DSDB_{{:05d}}.raw"


def test_a_session_arrives_as_a_whole(ingestion: Poller, tmp_path: Path) -> None:
    with serve(None, simulated(virtual(seconds=100))) as station:
        service = ingestion(station, "xbip")
        station.advance(50)
        report = service.poll("station", START + timedelta(seconds=50))
        assert (report.fetched, report.completed) == (4, [])
        assert not (tmp_path / "home/sessions" / SESSION).exists()
        assert service.sessions()[0].arrival.missing == ("channel 1: DSIB", "channel 2: DSIB")
        station.advance(51)
        report = service.poll("station", START + timedelta(seconds=101))
        assert (report.fetched, report.completed, report.problems) == (8, [SESSION], [])
        assert_arrived(tmp_path / "home/sessions" / SESSION, station)
        record = service.inventory.session(SESSION)
        assert (record.t0, record.files, record.unit) == (START + timedelta(seconds=100), 10, "S2B")
        assert [arrival.session for arrival in service.arrivals.not_announced()] == [SESSION]
        again = service.poll("station", START + timedelta(seconds=120))
        assert (again.fetched, again.completed) == (0, [])


def test_memory_survives_a_restart(ingestion: Poller) -> None:
    with serve(None, simulated(virtual(seconds=100))) as station:
        station.advance(80)
        assert ingestion(station, "xbip").poll("station").fetched == 8
        station.advance(30)
        report = ingestion(station, "xbip").poll("station")
        assert (report.fetched, report.completed) == (4, [SESSION])
        assert ingestion(station, "xbip").poll("station").fetched == 0


@pytest.mark.parametrize("refuse", [False, True])
def test_both_ways_of_listing_with_login_and_tls(
    ingestion: Poller, monkeypatch: pytest.MonkeyPatch, refuse: bool
) -> None:
    monkeypatch.setenv("STATION_PASSWORD", "open sesame")
    login = {"user": "s2ps", "password": SecretStr("open sesame"), "tls": True}
    with serve(None, simulated(virtual(), **login)) as station:
        station.misbehave(refuse_infinity=refuse)
        auth = {"kind": "basic", "user": "s2ps", "password_env": "STATION_PASSWORD"}
        service = ingestion(station, "xbip", auth=auth)
        assert service.poll("station").completed == [SESSION]
        monkeypatch.setenv("STATION_PASSWORD", "wrong")
        with pytest.raises(StationError, match="401"):
            ingestion(station, "xbip", auth=auth).poll("station")


def test_disorder_is_waited_for(ingestion: Poller, tmp_path: Path) -> None:
    disorder = Disorder(seed=3, shuffle=2, late=0.2, late_by=30, growing=0.2, empty=0.2, retransferred=0.2)
    with serve(None, simulated(virtual(chunks=12, seconds=100, disorder=disorder))) as station:
        service = ingestion(station, "xbip")
        while not station.pickup.over:
            station.advance(7)
            completed = service.poll("station").completed
            assert not completed or all(station.pickup.whole(SESSION, channel) for channel in (1, 2))
            assert all(seen.arrival.missing or seen.arrival.state == "complete" for seen in service.sessions())
        assert service.sessions()[0].arrival.state == "complete"
        assert_arrived(tmp_path / "home/sessions" / SESSION, station)


def test_a_republished_file_is_fetched_again(ingestion: Poller, tmp_path: Path) -> None:
    name = DSDB.format(1, 2)
    events = (Event(at=0, file=name, variant=7), Event(at=50, file=name))
    with serve(None, simulated(virtual(seconds=100, events=events))) as station:
        service = ingestion(station, "xbip")
        station.advance(40)
        service.poll("station")
        station.advance(70)
        assert service.poll("station").completed == [SESSION]
        assert_arrived(tmp_path / "home/sessions" / SESSION, station)


def test_a_retransferred_block_is_merged(ingestion: Poller, tmp_path: Path) -> None:
    name = DSDB.format(2, 3)
    with serve(None, simulated(virtual(events=(Event(at=500, file=name, area="RETRANSFER"),)))) as station:
        service = ingestion(station, "xbip")
        assert service.poll("station").completed == []
        assert service.sessions()[0].arrival.missing == ("channel 2: block 3 (not published, the DSIB lists it)",)
        station.advance(501)
        assert service.poll("station").completed == [SESSION]
        assert service.inventory.session(SESSION).t0 == START + timedelta(seconds=500)
        assert_arrived(tmp_path / "home/sessions" / SESSION, station)


def test_growing_and_empty_files_are_named(ingestion: Poller) -> None:
    events = (
        Event(at=0, file=DSDB.format(1, 1), size=0),
        Event(at=0, file=DSDB.format(1, 2), size=40_000),
        Event(at=100, file="*ch1_DSDB_0000[12]*"),
    )
    with serve(None, simulated(virtual(events=events))) as station:
        service = ingestion(station, "xbip")
        assert service.poll("station").completed == []
        assert "channel 1: block 1 (empty at the station)" in service.sessions()[0].arrival.missing
        station.advance(101)
        assert service.poll("station").completed == [SESSION]


@pytest.mark.parametrize(
    "fault",
    [
        {"cut_after": 30_000},
        {"status_every": 3, "status": 503, "status_on": "download"},
        {"no_ranges": True},
    ],
)
def test_broken_transfers_go_on(ingestion: Poller, tmp_path: Path, fault: dict[str, object]) -> None:
    with serve(None, simulated(virtual(chunks=2, chunk_bytes=2_500_000))) as station:
        station.misbehave(**fault)
        service = ingestion(station, "xbip", piece_mb=1)
        service.poll("station")
        station.misbehave(cut_after=0, status_every=0)
        for _ in range(4):
            service.poll("station")
        assert service.sessions()[0].arrival.state == "complete"
        assert_arrived(tmp_path / "home/sessions" / SESSION, station)


def test_hostile_names_are_refused_and_remembered(ingestion: Poller, tmp_path: Path) -> None:
    with serve(None, simulated(virtual(), misbehaviour={"hostile_names": True})) as station:
        service = ingestion(station, "xbip")
        report = service.poll("station")
        assert report.completed == [SESSION]
        assert report.refused >= 6
        refused = service.arrivals.refused()
        assert any("leads to another folder" in reason for _, _, reason in refused)
        assert any("control characters" in reason for _, _, reason in refused)
        assert any("too long" in reason for _, _, reason in refused)
        assert not Path("/tmp/s2ps_escaped.raw").exists()
        names = {path.name for path in (tmp_path / "home").rglob("*") if path.is_file()}
        assert not [name for name in names if "escaped" in name or name[1:3] == "rf"]


def test_a_station_that_tells_wrong_sizes_is_named(ingestion: Poller) -> None:
    with serve(None, simulated(virtual(), misbehaviour={"wrong_length": 5})) as station:
        service = ingestion(station, "xbip")
        report = service.poll("station")
        assert report.completed == []
        assert "bytes now" in report.problems[0]
        assert any("bytes now" in lack for lack in service.sessions()[0].arrival.missing)


def test_a_station_whose_clock_is_moved(ingestion: Poller) -> None:
    with serve(None, simulated(virtual(seconds=100))) as station:
        service = ingestion(station, "xbip")
        station.advance(60)
        service.poll("station")
        station.misbehave(clock_offset=-86_400.0)
        station.advance(60)
        assert service.poll("station").completed == [SESSION]


def test_open_sessions_are_limited(ingestion: Poller) -> None:
    sessions = tuple(virtual(session=f"S2B_2026070110155900000{n}").virtual[0] for n in (1, 2, 3))
    with serve(None, simulated(Timeline(start=START, manual=True, virtual=sessions))) as station:
        service = ingestion(station, "xbip", open_sessions=2, retransfer=None)
        station.advance(1)
        report = service.poll("station")
        assert sorted(report.completed) == [session.session for session in sessions[:2]]
        assert report.waiting == (sessions[2].session,)
        assert service.poll("station").completed == [sessions[2].session]


def test_a_full_disk_is_said(ingestion: Poller) -> None:
    with serve(None, simulated(virtual())) as station:
        service = ingestion(station, "xbip", min_free_gb=10_000_000)
        report = service.poll("station")
        assert (report.fetched, report.disk_full) == (0, True)
        assert service.sessions()[0].arrival.note == "waits: the disk is full"
