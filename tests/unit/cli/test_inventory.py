"""`s2ps inventory`: bring up and check the database of what exists."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import text
from typer.testing import CliRunner
from unit.publication.small_products import DATATAKE, START, STOP, T0, USER, level_0, user_product
from unit.publication.test_publisher import publish, publisher

from s2ps.cli.main import app
from s2ps.inventory.migration import head
from s2ps.inventory.records import DatatakeRecord, ProductRecord
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


def test_a_removed_datatake_leaves_nothing_that_users_find(tmp_path: Path) -> None:
    user_product(tmp_path / "products")
    datastrip, granule = level_0(tmp_path / "products")
    found = publisher(tmp_path)
    published = publish(found, tmp_path)
    inventory = Inventory(tmp_path / "inventory.sqlite")
    inventory.register_datatake(DatatakeRecord(DATATAKE, "S2B", "INS-NOBS", START, STOP, 1, 2, T0, "S1", 48))
    paths = [tmp_path / "products" / "L1C" / USER, datastrip, granule]
    for path in paths:
        inventory.register_product(ProductRecord(path.name, "L1C", "", path, DATATAKE, "", T0, 1))
    result = CliRunner().invoke(app, ["inventory", "remove", DATATAKE, "--home", str(tmp_path)])
    assert (result.exit_code, "1 datatakes" in result.output, "3 publications" in result.output) == (0, True, True)
    assert [found.publications.get(each.id) for each in published] == [None] * 3
    left = [path.name for path in (tmp_path / "packages").rglob("*") if path.is_file() and ".locks" not in path.parts]
    assert left == ["catalog.json"]
    assert [path.exists() for path in paths] == [False] * 3
    assert found.withdrawals.pending() == ()
