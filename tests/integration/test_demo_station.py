"""The station of the demonstration, by every interface it offers: a session arrives and Level-0 finds its datatakes."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from integration.missions import Mission, Record

from s2ps.cli import demo_services as services
from s2ps.cli.demo import StationKind
from s2ps.formats.dsib import read_dsib
from s2ps.ingestion.service import Ingestion
from s2ps.ingestion.stations import Stations
from s2ps.inventory.store import Inventory
from s2ps.production import Production, RunKey
from s2ps.settings import Settings

pytestmark = pytest.mark.integration
OLD = datetime(2020, 2, 29, 12, tzinfo=UTC)


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    (tmp_path / "home").mkdir()
    yield tmp_path / "home"
    assert services.companions(Settings.load(tmp_path / "home")).stop() == []


def ingested(settings: Settings, kind: str, content: Path) -> Ingestion:
    """Start the station as the demonstration does; return the ingestion by the settings it writes."""
    services.start_station(settings, kind, content)
    stations = Stations.load(settings.stations_file)
    return Ingestion(settings, Inventory(settings.inventory_location), stations)


@pytest.mark.parametrize("kind", [kind.value for kind in StationKind])
def test_a_session_arrives_and_its_datatakes_are_found(
    three_scenes: tuple[Mission, Record], home: Path, kind: str
) -> None:
    mission, record = three_scenes
    places = {name: mission.settings.place(name) for name in ("auxiliary", "static", "gri")}
    settings = Settings.load(home).model_copy(update=places)
    service = ingested(settings, kind, mission.home / "session")
    report = service.poll(services.STATION)
    service.close()
    assert (report.completed, report.problems) == ([mission.session.name], [])
    production = Production(settings)
    session = production.inventory.session(mission.session.name)
    raw = [path for path in mission.session.rglob("*") if path.is_file() and (kind == "xbip" or path.suffix == ".raw")]
    assert session.t0 == datetime.fromtimestamp(int(max(path.stat().st_mtime for path in raw)), UTC)
    for path in raw:
        assert next(session.folder.rglob(path.name)).read_bytes() == path.read_bytes()
    for dsib in mission.session.rglob("*_DSIB.xml"):
        made, given = read_dsib(next(session.folder.rglob(dsib.name.replace("DCS_05", "DCS_*")))), read_dsib(dsib)
        assert (made.dsdb_names, made.data_size) == (given.dsdb_names, given.data_size)
    production.register_session(session.folder)
    run = RunKey("session", session.id, "single_machine")
    for cluster in production.plan(run, "l0u"):
        assert production.run_cluster(run, cluster.id).state == "success"
    assert [found.id for found in production.datatakes(session.id)] == record.datatakes
    assert production.inventory.session(session.id).t0 == session.t0
    assert {path.parent.name for path in production.publish_session(session.id)} == {"HKTM", "SAD"}


def test_an_old_session_that_is_given_arrives_too(
    three_scenes: tuple[Mission, Record], home: Path, tmp_path: Path
) -> None:
    mission, _ = three_scenes
    for path in (path for path in mission.session.rglob("*") if path.is_file()):
        copy = tmp_path / "given" / path.relative_to(mission.session.parent)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(path.read_bytes())
        os.utime(copy, (OLD.timestamp(), OLD.timestamp()))
    service = ingested(Settings.load(home), "cadip", tmp_path / "given")
    assert service.poll(services.STATION).completed == [mission.session.name]
    assert service.sessions()[0].arrival.t0 == OLD
    service.close()
