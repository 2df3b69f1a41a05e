"""EDIP: FTPS with explicit TLS."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any, cast

import pytest
from pydantic import SecretStr
from unit.ingestion.conftest import SESSION, Poller, assert_arrived, simulated, virtual

from s2ps.ingestion.edip import EdipClient
from s2ps.ingestion.ftp import Ftps
from s2ps.ingestion.web import StationError
from s2ps.stations.edip import serve
from s2ps.stations.station import Station
from s2ps.stations.timeline import Disorder

pytestmark = pytest.mark.integration


def test_a_session_arrives(ingestion: Poller, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("STATION_PASSWORD", "open sesame")
    login: dict[str, Any] = {"user": "s2ps", "password": SecretStr("open sesame")}
    with serve(None, simulated(virtual(seconds=100, chunks=3), **login)) as station:
        auth = {"kind": "basic", "user": "s2ps", "password_env": "STATION_PASSWORD"}
        service = ingestion(station, "edip", auth=auth)
        station.advance(70)
        assert service.poll("station").completed == []
        assert service.sessions()[0].arrival.missing == ("channel 1: DSIB", "channel 2: DSIB")
        station.advance(31)
        assert service.poll("station").completed == [SESSION]
        assert_arrived(tmp_path / "home/sessions" / SESSION, station)
        monkeypatch.setenv("STATION_PASSWORD", "wrong")
        with pytest.raises(StationError, match="530"):
            ingestion(station, "edip", auth=auth).poll("station")


@pytest.mark.parametrize("no_mlsd", [False, True])
def test_a_listing_without_end_is_refused(ingestion: Poller, monkeypatch: pytest.MonkeyPatch, no_mlsd: bool) -> None:
    with serve(None, simulated(virtual(chunks=4), misbehaviour={"no_mlsd": no_mlsd})) as station:
        service = ingestion(station, "edip")
        monkeypatch.setattr("s2ps.ingestion.ftp_listing.MOST_LINES", 4)
        with pytest.raises(StationError, match="more than 4 entries"):
            service.poll("station")
        monkeypatch.setattr("s2ps.ingestion.ftp_listing.MOST_LINES", 5)
        assert service.poll("station").completed == [SESSION]


def test_a_certificate_nobody_signed_is_refused(ingestion: Poller) -> None:
    with serve(None, simulated(virtual())) as station, pytest.raises(StationError, match="CERTIFICATE_VERIFY_FAILED"):
        ingestion(station, "edip", tls_ca=None).poll("station")


def logins(station: Station) -> int:
    return sum(command == "USER" for command, _ in station.log)


def test_workers_keep_their_connections_for_all_ranges_and_polls(ingestion: Poller, tmp_path: Path) -> None:
    timeline = virtual(chunks=2, channels=2, chunk_bytes=50_000_000)
    with serve(None, simulated(timeline)) as station:
        service = ingestion(station, "edip", parallel=3)
        assert service.poll("station").completed == [SESSION]
        assert_arrived(tmp_path / "home/sessions" / SESSION, station)
        ranges = sum(command == "RETR" for command, _ in station.log)
        assert ranges > 12
        before = logins(station)
        assert before <= 3, "one connection for every worker, the listing uses one of them"
        assert service.poll("station").problems == []
        assert logins(station) == before


def test_a_connection_the_server_has_ended_meanwhile_is_replaced(
    ingestion: Poller, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("s2ps.ingestion.ftp.IDLE_S", 0.0)
    with serve(None, simulated(virtual(seconds=100, chunks=2))) as station:
        service = ingestion(station, "edip", parallel=2)
        station.advance(60)
        assert service.poll("station").fetched > 0
        client = cast("EdipClient", service._clients["station"])
        for ftp, _ in client._connections._free:
            assert ftp.sock is not None
            ftp.sock.close()
        station.advance(60)
        report = service.poll("station")
        assert (report.completed, report.problems) == ([SESSION], [])
        assert_arrived(tmp_path / "home/sessions" / SESSION, station)


def test_a_server_that_ends_the_connection_with_a_transfer_costs_logins_only(
    ingestion: Poller, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def ended(ftp: Ftps, data: socket.socket) -> None:
        raise EOFError

    monkeypatch.setattr(Ftps, "give_up", ended)
    with serve(None, simulated(virtual(chunks=1, channels=1, chunk_bytes=90_000_000))) as station:
        report = ingestion(station, "edip", parallel=1, channels=1).poll("station")
        assert (report.completed, report.problems) == ([SESSION], [])
        ranges = sum(command == "RETR" and path.endswith(".raw") for command, path in station.log)
        assert logins(station) == ranges >= 2, "all ranges but the last end before the file does"


@pytest.mark.parametrize("without", [{"no_mlsd": True}, {"no_mlsd": True, "no_mdtm": True}])
def test_a_server_without_mlsd(ingestion: Poller, tmp_path: Path, without: dict[str, Any]) -> None:
    timeline = virtual(seconds=400, chunks=3, disorder=Disorder(seed=4, shuffle=2, retransferred=0.3))
    with serve(None, simulated(timeline)) as station:
        service = ingestion(station, "edip")
        station.misbehave(**without)
        station.advance(30)
        assert service.poll("station").completed == []
        station.advance(1000)
        assert service.poll("station").completed == [SESSION]
        assert_arrived(tmp_path / "home/sessions" / SESSION, station)
        latest = max(file.published for file in station.pickup.published()).replace(microsecond=0)
        t0 = service.sessions()[0].arrival.t0
        assert t0 == (latest.replace(second=0) if "no_mdtm" in without else latest)
        assert sum(command == "MLSD" for command, _ in station.log) == 1


@pytest.mark.parametrize("fault", [{"cut_after": 9_000_000, "cut_every": 2}, {"no_ranges": True}])
def test_ranges_and_broken_transfers(ingestion: Poller, tmp_path: Path, fault: dict[str, Any]) -> None:
    with serve(None, simulated(virtual(chunks=1, channels=2, chunk_bytes=40_000_000))) as station:
        service = ingestion(station, "edip", parallel=3)
        station.misbehave(**fault)
        for _ in range(6):
            if service.poll("station").completed:
                break
        assert service.sessions()[0].arrival.state == "complete"
        assert_arrived(tmp_path / "home/sessions" / SESSION, station)
