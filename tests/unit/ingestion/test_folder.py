"""A watched folder: the same rules as for stations."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest
from unit.ingestion.conftest import SESSION

from s2ps.formats.dsib import Dsib, write_dsib
from s2ps.ingestion.service import Ingestion
from s2ps.ingestion.stations import Stations
from s2ps.inventory.store import Inventory
from s2ps.settings import Settings

pytestmark = pytest.mark.unit
START = datetime(2026, 7, 1, 10, 20, tzinfo=UTC)


def put(path: Path, data: bytes, at: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    os.utime(path, (at, at))


def dsib(folder: Path, names: tuple[str, ...], size: int) -> None:
    write_dsib(folder / f"DCS_05_{SESSION}_ch1_DSIB.xml", Dsib(SESSION, START, START, START, START, size, names))


def test_a_growing_session(tmp_path: Path) -> None:
    settings = Settings.load(tmp_path / "home")
    where = {"name": "disk", "kind": "folder", "url": (tmp_path / "in").as_uri(), "channels": 1, "nominal": ""}
    service = Ingestion(
        settings,
        Inventory(tmp_path / "home/inventory.sqlite"),
        Stations.model_validate({"stations": [{**where, "min_free_gb": 0}]}),
    )
    names = tuple(f"DCS_05_{SESSION}_ch1_DSDB_{n:05d}.raw" for n in (1, 2))
    folder = tmp_path / "in" / "anything" / "ch_1"
    put(folder / names[0], b"a" * 1000, 1_780_000_000)
    put(folder / names[1], b"b" * 10, 1_780_000_001)
    put(folder / "notes.txt", b"what?", 1)
    (folder / f"DCS_05_{SESSION}_ch1_DSDB_00003.raw").symlink_to("/etc/passwd")
    dsib(folder, names, 2000)
    assert service.poll("disk").completed == []
    assert service.sessions()[0].arrival.missing == ("channel 1: 990 bytes: the files hold 1010, the DSIB says 2000",)
    put(folder / names[1], b"b" * 1000, 1_790_000_000)
    os.utime(folder / f"DCS_05_{SESSION}_ch1_DSIB.xml", (1_780_000_000, 1_780_000_000))
    assert service.poll("disk").completed == [SESSION]
    assert service.inventory.session(SESSION).t0 == datetime.fromtimestamp(1_790_000_000, UTC)
    arrived = tmp_path / "home/sessions" / SESSION / "ch_1"
    assert (arrived / names[1]).read_bytes() == b"b" * 1000
    assert sorted(path.name for path in arrived.iterdir()) == sorted([*names, f"DCS_05_{SESSION}_ch1_DSIB.xml"])
