"""Two hosts that share a PostgreSQL inventory but no file system: one of them ingests."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from postgres import Server, postgresql  # noqa: F401
from unit.ingestion.conftest import SESSION, assert_arrived, simulated, virtual

from s2ps.ingestion.service import Ingestion
from s2ps.ingestion.stations import Stations
from s2ps.inventory.care import upgrade_database
from s2ps.inventory.ingestion_claims import IngestionClaims
from s2ps.inventory.store import Inventory
from s2ps.settings import Settings
from s2ps.stations.station import Station
from s2ps.stations.xbip import serve

pytestmark = pytest.mark.integration
HOUR = 3600.0
PATIENCE_S = 60


@pytest.fixture
def url(request: pytest.FixtureRequest) -> Iterator[str]:
    """A database of its own."""
    server: Server = request.getfixturevalue("postgresql")
    with server.database() as database:
        upgrade_database(database)
        yield database


@pytest.fixture
def inventory(url: str) -> Iterator[Inventory]:
    opened = Inventory(url)
    yield opened
    opened.engine.dispose()


def host(home: Path, inventory: Inventory, station: Station) -> Ingestion:
    """Return the ingestion of a host with a disk of its own."""
    settings = Settings.load(home)
    values = {"name": "station", "kind": "xbip", "url": station.url, "min_free_gb": 0, "timeout_s": 20}
    return Ingestion(settings, inventory, Stations.model_validate({"stations": [values]}))


def downloads(station: Station) -> list[str]:
    return [path for method, path in station.log if method == "GET"]


def test_a_session_is_fetched_by_one_host_only(inventory: Inventory, tmp_path: Path) -> None:
    with serve(None, simulated(virtual(seconds=100))) as station:
        one, two = (host(tmp_path / name, inventory, station) for name in ("one", "two"))
        station.advance(50)
        assert one.poll("station").fetched == 4
        refused = two.poll("station")
        assert (refused.busy, refused.fetched, refused.elsewhere) == (True, 0, one.folders.place())
        station.advance(51)
        assert one.poll("station").completed == [SESSION]
        assert two.poll("station").busy
        assert len(downloads(station)) == len(set(downloads(station))) == 12
        assert_arrived(tmp_path / "one/sessions" / SESSION, station)
        assert not (tmp_path / "two/sessions" / SESSION).exists()
        one.close()
        two.close()


def test_another_host_goes_on_when_the_first_one_is_silent(inventory: Inventory, tmp_path: Path) -> None:
    with serve(None, simulated(virtual(seconds=100))) as station:
        one, two = (host(tmp_path / name, inventory, station) for name in ("one", "two"))
        station.advance(50)
        assert one.poll("station").fetched == 4
        assert IngestionClaims(inventory).take(one.folders.place(), -1.0)
        station.advance(51)
        found = [two.poll("station").completed for _ in range(2)]
        assert [SESSION] in found
        assert_arrived(tmp_path / "two/sessions" / SESSION, station)
        assert one.poll("station").elsewhere == two.folders.place()
        one.close()
        two.close()


def test_two_hosts_that_begin_at_once(inventory: Inventory, tmp_path: Path) -> None:
    with serve(None, simulated(virtual())) as station:
        hosts = [host(tmp_path / str(number), inventory, station) for number in range(4)]
        start = threading.Barrier(len(hosts))
        reports = []

        def poll(service: Ingestion) -> None:
            start.wait()
            reports.append(service.poll("station"))

        threads = [threading.Thread(target=poll, args=(service,)) for service in hosts]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(PATIENCE_S)
        assert sorted(report.busy for report in reports) == [False, True, True, True]
        assert sum(report.fetched for report in reports) == len(set(downloads(station))) == len(downloads(station))
        for service in hosts:
            service.close()


def test_a_claim_is_kept_as_long_as_a_poll_lasts(inventory: Inventory) -> None:
    claims = IngestionClaims(inventory)
    with claims.held("one", 0.3) as ours:
        assert ours
        limit = time.monotonic() + 1.5
        while time.monotonic() < limit:
            assert not claims.take("two", HOUR)
            time.sleep(0.05)
    assert claims.holder() == "one"
    with claims.held("one", HOUR) as again:
        assert again
    with claims.held("two", HOUR) as other:
        assert not other


def test_processes_of_one_file_system_are_one_place(inventory: Inventory, tmp_path: Path) -> None:
    with serve(None, simulated(virtual(seconds=100))) as station:
        one, two = (host(tmp_path / "same", inventory, station) for _ in range(2))
        assert one.folders.place() == two.folders.place()
        station.advance(50)
        assert one.poll("station").fetched == 4
        station.advance(51)
        assert two.poll("station").completed == [SESSION]
        one.close()
        two.close()


def test_a_sqlite_inventory_is_seen_by_one_machine(tmp_path: Path) -> None:
    claims = IngestionClaims(Inventory(tmp_path / "inventory.sqlite"))
    with claims.held("one", HOUR) as first, claims.held("two", HOUR) as second:
        assert first
        assert second
    assert claims.holder() == ""
