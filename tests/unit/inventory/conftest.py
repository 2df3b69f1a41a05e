"""Inventories of both kinds: what holds for a SQLite file holds for PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from postgres import Server, postgresql  # noqa: F401

from s2ps.inventory.care import upgrade_database
from s2ps.inventory.store import Inventory


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.integration)])
def location(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path | str]:
    """An inventory that is not there yet."""
    if request.param == "sqlite":
        yield tmp_path / "deep" / "inventory.sqlite"
        return
    server: Server = request.getfixturevalue("postgresql")
    with server.database() as url:
        yield url


@pytest.fixture
def inventory(location: Path | str) -> Iterator[Inventory]:
    """An empty inventory."""
    if isinstance(location, str):
        upgrade_database(location)
    opened = Inventory(location)
    yield opened
    opened.engine.dispose()
