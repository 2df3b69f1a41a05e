"""EDIP: FTPS with explicit TLS."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from unit.ingestion.conftest import SESSION, Poller, assert_arrived, simulated, virtual

from s2ps.ingestion.web import StationError
from s2ps.stations.edip import serve

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


def test_a_certificate_nobody_signed_is_refused(ingestion: Poller) -> None:
    with serve(None, simulated(virtual())) as station, pytest.raises(StationError, match="CERTIFICATE_VERIFY_FAILED"):
        ingestion(station, "edip", tls_ca=None).poll("station")


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
