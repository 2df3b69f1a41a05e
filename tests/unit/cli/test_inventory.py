"""`s2ps inventory`: bring up and check the database of what exists."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import text
from typer.testing import CliRunner

from s2ps.cli.main import app
from s2ps.inventory.migration import head
from s2ps.inventory.store import Inventory

pytestmark = pytest.mark.unit


def test_upgrade_makes_what_check_expects(tmp_path: Path) -> None:
    run = CliRunner()
    missing = run.invoke(app, ["inventory", "check", "--home", str(tmp_path)])
    assert (missing.exit_code, "there is no inventory" in missing.output) == (2, True)
    made = run.invoke(app, ["inventory", "upgrade", "--home", str(tmp_path)])
    assert (made.exit_code, f"revision {head()} (was empty)" in made.output) == (0, True)
    assert run.invoke(app, ["inventory", "check", "--home", str(tmp_path)]).exit_code == 0


def test_check_names_what_differs(tmp_path: Path) -> None:
    inventory = Inventory(tmp_path / "inventory.sqlite")
    with inventory.transaction() as connection:
        connection.execute(text("DROP TABLE claims"))
    result = CliRunner().invoke(app, ["inventory", "check", "--home", str(tmp_path)])
    assert (result.exit_code, "claims" in result.output) == (1, True)


def test_a_url_is_kept_and_a_path_is_made_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from s2ps.settings import Settings

    url = "postgresql+psycopg2://s2ps:secret@db:5432/s2ps"
    monkeypatch.setenv("S2PS_INVENTORY", url)
    assert Settings.load(tmp_path).inventory_location == url
    assert Settings.load(tmp_path).environment()["S2PS_INVENTORY"] == url
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("S2PS_INVENTORY", "here.sqlite")
    assert Settings.load(tmp_path).inventory_location == tmp_path / "here.sqlite"
