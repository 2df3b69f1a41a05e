"""CADIP: an OData pick-up point, well-behaved and not."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from unit.ingestion.conftest import SESSION, START, Poller, assert_arrived, simulated, virtual

from s2ps.formats.dsib import read_dsib
from s2ps.ingestion.auth import LoginRefused
from s2ps.stations.cadip import serve
from s2ps.stations.timeline import Disorder, Event

pytestmark = pytest.mark.integration

DSDB = f"DCS_05_{SESSION}_ch{{}}_DSDB_{{:05d}}.raw"


def test_a_session_without_dsib_gets_one(ingestion: Poller, tmp_path: Path) -> None:
    with serve(None, simulated(virtual(channels=3, seconds=100))) as station:
        service = ingestion(station, "cadip")
        station.advance(41)
        assert service.poll("station", START + timedelta(seconds=41)).completed == []
        assert service.sessions()[0].arrival.missing == tuple(f"channel {n}: the final block" for n in (1, 2, 3))
        station.advance(60)
        report = service.poll("station", START + timedelta(seconds=101))
        assert (report.completed, report.problems) == ([SESSION], [])
        folder = tmp_path / "home/sessions" / SESSION
        assert_arrived(folder, station, dsibs=False)
        dsib = read_dsib(folder / "ch_2" / f"DCS_05_{SESSION}_ch2_DSIB.xml")
        assert dsib.dsdb_names == tuple(DSDB.format(2, n) for n in range(1, 6))
        assert dsib.data_size == sum(path.stat().st_size for path in (folder / "ch_2").glob("*.raw"))
        record = service.inventory.session(SESSION)
        assert (record.t0, record.files) == (START + timedelta(seconds=100), 15)


@pytest.mark.parametrize("channels", [1, 4])
def test_as_many_channels_as_the_station_tells(ingestion: Poller, channels: int) -> None:
    with serve(None, simulated(virtual(channels=channels))) as station:
        assert ingestion(station, "cadip").poll("station").completed == [SESSION]


def test_final_block_first_and_a_late_one(ingestion: Poller, tmp_path: Path) -> None:
    events = (Event(at=1, file=DSDB.format(2, 5)), Event(at=90, file=DSDB.format(2, 4)))
    with serve(None, simulated(virtual(seconds=50, events=events))) as station:
        service = ingestion(station, "cadip")
        station.advance(60)
        assert service.poll("station").completed == []
        assert service.sessions()[0].arrival.missing == ("channel 2: block 4 (not published)",)
        station.advance(31)
        assert service.poll("station").completed == [SESSION]
        assert_arrived(tmp_path / "home/sessions" / SESSION, station, dsibs=False)


def test_a_file_published_at_the_start_of_the_window_is_not_lost(ingestion: Poller) -> None:
    """Everything has the same date of publication; the second poll's window starts exactly there."""
    late = Event(at=10, file=DSDB.format(1, 3))
    with serve(None, simulated(virtual(events=(late,)))) as station:
        service = ingestion(station, "cadip", overlap_seconds=0)
        assert service.poll("station", START).completed == []
        station.advance(11)
        station.misbehave(clock_offset=-10.0)
        assert service.poll("station", START).completed == [SESSION]


@pytest.mark.parametrize("offset", [-7 * 86_400.0, 86_400.0])
def test_a_session_after_the_clock_was_moved(ingestion: Poller, offset: float) -> None:
    late = Event(at=100, file="DCS_*")
    with serve(None, simulated(virtual(events=(late,)))) as station:
        service = ingestion(station, "cadip")
        service.poll("station", START)
        station.misbehave(clock_offset=offset)
        station.advance(101)
        found = service.poll("station", START + timedelta(seconds=700)).completed
        assert found == [SESSION]


@pytest.mark.parametrize("header", ["Authorization", "OAUTH2-ACCESS-TOKEN"])
@pytest.mark.parametrize("credentials", ["body", "basic"])
def test_tokens_are_fetched_and_renewed(
    ingestion: Poller, monkeypatch: pytest.MonkeyPatch, header: str, credentials: str
) -> None:
    monkeypatch.setenv("STATION_SECRET", "open sesame")
    login: dict[str, Any] = {"user": "s2ps", "password": SecretStr("open sesame"), "oauth2": True}
    with serve(None, simulated(virtual(), **login, token_header=header)) as station:
        station.misbehave(revoke_every=3)
        auth = {
            "kind": "oauth2", "token_url": station.token_url, "client_id": "s2ps", "secret_env": "STATION_SECRET",
            "header": header.lower(), "credentials": credentials,
        }  # fmt: skip
        service = ingestion(station, "cadip", auth=auth, parallel=1)
        assert service.poll("station").completed == [SESSION]
        assert station.log.count(("POST", "/token")) > 2
        monkeypatch.setenv("STATION_SECRET", "wrong")
        with pytest.raises(LoginRefused, match="401") as refused:
            ingestion(station, "cadip", auth=auth).poll("station")
        assert refused.value.retryable, "`s2ps ingest` asks again: token servers come back"


def test_redirects_are_followed_with_tls_login_and_pages(
    ingestion: Poller, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("STATION_PASSWORD", "open sesame")
    login: dict[str, Any] = {"user": "s2ps", "password": SecretStr("open sesame"), "tls": True, "redirect": True}
    with serve(None, simulated(virtual(), **login, page_size=3)) as station:
        auth = {"kind": "basic", "user": "s2ps", "password_env": "STATION_PASSWORD"}
        service = ingestion(station, "cadip", auth=auth)
        assert service.poll("station").completed == [SESSION]
        service.close()
        assert_arrived(tmp_path / "home/sessions" / SESSION, station, dsibs=False)


@pytest.mark.parametrize("page", [1, 4, 5, 500])
def test_pages_by_skip(ingestion: Poller, page: int) -> None:
    with serve(None, simulated(virtual())) as station:
        assert ingestion(station, "cadip", page=page).poll("station").completed == [SESSION]


def test_totals_that_do_not_agree_hold_a_session_back(ingestion: Poller) -> None:
    with serve(None, simulated(virtual(), misbehaviour={"wrong_totals": 1})) as station:
        service = ingestion(station, "cadip")
        assert service.poll("station").completed == []
        assert "5 blocks, quality information counts 6" in service.sessions()[0].arrival.missing[0]
        assert ingestion(station, "cadip", quality_info="ignore").poll("station").completed == [SESSION]


def test_quality_information_is_waited_for_when_required(ingestion: Poller) -> None:
    late = Event(at=100, file=DSDB.format(1, 1), variant=1)
    early = Event(at=0, file=DSDB.format(1, 1))
    with serve(None, simulated(virtual(events=(early, late)))) as station:
        service = ingestion(station, "cadip", quality_info="require")
        assert service.poll("station").completed == []
        assert service.sessions()[0].arrival.missing == ("channel 1: quality information",)
        station.advance(101)
        assert service.poll("station").completed == [SESSION]


def test_disorder_with_retransfers(ingestion: Poller, tmp_path: Path) -> None:
    disorder = Disorder(
        seed=5, shuffle=3, late=0.2, late_by=40, growing=0.2, empty=0.2, replaced=0.1, retransferred=0.2
    )
    with serve(None, simulated(virtual(chunks=12, seconds=100, disorder=disorder))) as station:
        service = ingestion(station, "cadip", quality_info="require")
        while not station.pickup.over:
            station.advance(7)
            completed = service.poll("station").completed
            assert not completed or all(station.pickup.whole(SESSION, channel) for channel in (1, 2))
        assert service.sessions()[0].arrival.state == "complete"
        assert_arrived(tmp_path / "home/sessions" / SESSION, station, dsibs=False)


def test_only_wanted_satellites(ingestion: Poller) -> None:
    with serve(None, simulated(virtual())) as station:
        service = ingestion(station, "cadip", units=("S2A", "S2C"))
        service.poll("station")
        assert service.sessions() == ()
