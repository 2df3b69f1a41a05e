"""Counts of the web service, the same in SQLite and PostgreSQL."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select
from typer.testing import CliRunner

from s2ps.cli.main import app
from s2ps.inventory.store import Inventory
from s2ps.inventory.usage import DOWNLOADS, USAGE, UsageStore
from s2ps.settings import Settings

pytestmark = pytest.mark.unit
NOW = datetime(2026, 7, 1, 10, 20, tzinfo=UTC)


def count(inventory: Inventory) -> tuple[int, int]:
    with inventory.engine.connect() as connection:
        usage, downloads = (
            connection.execute(select(func.count()).select_from(table)).scalar_one() for table in (USAGE, DOWNLOADS)
        )
    return usage, downloads


def test_old_counts_and_dead_downloads_are_forgotten(inventory: Inventory) -> None:
    usage = UsageStore(inventory.engine)
    for days in (40, 32, 30, 0):
        usage.add("alice", "requests", NOW - timedelta(days=days), 1)
    usage.begin_download("alice", 5, NOW - timedelta(hours=1), NOW - timedelta(minutes=58))
    usage.begin_download("bob", 5, NOW, NOW + timedelta(minutes=2))
    usage.forget(NOW)
    assert count(inventory) == (2, 1)
    assert usage.amount("alice", "requests", NOW) == 1


def test_the_care_of_publications_forgets_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("S2PS_HOME", str(tmp_path))
    inventory = Inventory(Settings.load().inventory_location)
    UsageStore(inventory.engine).add("alice", "requests", NOW - timedelta(days=4000), 1)
    done = CliRunner().invoke(app, ["publication", "expire"])
    assert done.exit_code == 0, done.output
    assert count(inventory) == (0, 0)
