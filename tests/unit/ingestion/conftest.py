"""Real simulated stations in threads, and an ingestion that polls them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from s2ps.ingestion.service import Ingestion
from s2ps.ingestion.stations import Stations
from s2ps.inventory.store import Inventory
from s2ps.settings import Settings
from s2ps.stations.settings import StationSettings
from s2ps.stations.station import Station
from s2ps.stations.timeline import Timeline, VirtualSession

SESSION = "S2B_20260701101559000001"
START = datetime(2026, 7, 1, 10, 20, tzinfo=UTC)


def virtual(
    *, session: str = SESSION, channels: int = 2, chunks: int = 5, chunk_bytes: int = 100_000, **timeline: Any
) -> Timeline:
    """Return a timeline that stands still until it is moved; dates are those of 2026-07-01."""
    one = VirtualSession(session=session, channels=channels, chunks=chunks, chunk_bytes=chunk_bytes)
    return Timeline(start=START, manual=True, virtual=(one,), **timeline)


def simulated(timeline: Timeline, **settings: Any) -> StationSettings:
    """Return the settings of a simulated station."""
    return StationSettings(timeline=timeline, **settings)


Poller = Callable[..., Ingestion]


@pytest.fixture
def ingestion(tmp_path: Path) -> Iterator[Poller]:
    """Make an ingestion of one station; every call opens the inventory anew, as a restart does."""
    made: list[Ingestion] = []

    def make(station: Station, kind: str, **values: Any) -> Ingestion:
        settings = Settings.load(tmp_path / "home")
        values = {
            "name": "station",
            "kind": kind,
            "url": station.url,
            "min_free_gb": 0,
            "timeout_s": 20,
            "retention_days": 3650,
            **values,
        }
        if station.certificate is not None:
            values.setdefault("tls_ca", station.certificate)
        stations = Stations.model_validate({"stations": [values]})
        made.append(Ingestion(settings, Inventory(settings.place("home") / "inventory.sqlite"), stations))
        return made[-1]

    yield make
    for one in made:
        one.close()


def content_of(station: Station, name: str) -> bytes:
    """Return the bytes of a file as the station has it."""
    file = next(file for file in station.pickup.files if file.name == name)
    return file.content.read(0, file.content.size)


def assert_arrived(folder: Path, station: Station, *, dsibs: bool = True) -> None:
    """Compare a complete session with the station, byte by byte."""
    files = {path.name: path for path in folder.rglob("*") if path.is_file()}
    for file in station.pickup.files:
        if file.part is not None and (file.part.block is not None or dsibs):
            assert files[file.name].read_bytes() == content_of(station, file.name), file.name
            assert files[file.name].parent.name == f"ch_{file.part.channel}"
    assert not [name for name in files if name.startswith(".")]


def statements(inventory: Inventory) -> list[str]:
    """Return the list of all that the inventory's database is asked from now on."""
    asked: list[str] = []
    event.listen(inventory.engine, "before_cursor_execute", lambda *given: asked.append(" ".join(given[2].split())))
    return asked
