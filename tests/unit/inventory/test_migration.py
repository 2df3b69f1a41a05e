"""Revisions: one head, the tables of this version on both databases, inventories of the first releases."""

from __future__ import annotations

import sqlite3
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import text

from s2ps.inventory.care import check_database, upgrade_database
from s2ps.inventory.migration import head
from s2ps.inventory.records import Claim
from s2ps.inventory.store import Inventory
from s2ps.model.errors import ConfigurationError, InputError, StagingError

EARLIER = Path(__file__).with_name("first_releases.sql")
DATATAKE = "GS2B_20260701T101559_048123_N05.00"


def earlier(path: Path, *more: str) -> Path:
    """Make an inventory as the first releases did."""
    connection = sqlite3.connect(path)
    connection.executescript("\n".join([EARLIER.read_text(), *more]))
    connection.close()
    return path


def test_there_is_one_newest_revision() -> None:
    assert head()


def test_revisions_make_the_tables_this_version_expects(location: Path | str) -> None:
    assert upgrade_database(location) == (None, head())
    assert check_database(location) == (head(), [])
    assert upgrade_database(location) == (head(), head())


def test_check_finds_a_table_a_column_and_an_index_that_are_not_there(location: Path | str) -> None:
    upgrade_database(location)
    inventory = Inventory(location)
    with inventory.transaction() as connection:
        connection.execute(text("DROP TABLE claims"))
        connection.execute(text("DROP INDEX runs_by_subject"))
        connection.execute(text("ALTER TABLE datatakes DROP COLUMN station"))
    inventory.engine.dispose()
    found = "\n".join(check_database(location)[1])
    assert "claims" in found
    assert "runs_by_subject" in found
    assert "station" in found


def test_an_inventory_of_the_first_releases_is_taken_over(tmp_path: Path) -> None:
    path = earlier(tmp_path / "inventory.sqlite")
    inventory = Inventory(path)
    assert check_database(path) == (head(), [])
    (session,) = inventory.sessions()
    assert session.t0 == datetime(2026, 7, 1, 10, 30, 0, 123456, tzinfo=UTC)
    assert inventory.datatake(DATATAKE).station == "S2PS"
    assert inventory.products_of(DATATAKE)[0].size == 5_000_000_000
    assert inventory.claim_of(DATATAKE) == Claim("datatake", "manual")
    assert [run.key for run in inventory.runs_of("datatake", DATATAKE)] == ["key"]


def test_one_from_before_the_station_column_opens_in_several_threads(tmp_path: Path) -> None:
    path = earlier(
        tmp_path / "inventory.sqlite",
        "ALTER TABLE datatakes DROP COLUMN station;",
        "DROP TABLE claims;",
        "DROP INDEX datatakes_by_session;",
    )
    openers = [threading.Thread(target=Inventory, args=(path,)) for _ in range(3)]
    for opener in openers:
        opener.start()
    for opener in openers:
        opener.join()
    assert Inventory(path).datatake(DATATAKE).station == ""
    assert check_database(path) == (head(), [])


def test_an_inventory_of_a_later_version_is_refused(location: Path | str) -> None:
    upgrade_database(location)
    inventory = Inventory(location)
    with inventory.transaction() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    inventory.engine.dispose()
    with pytest.raises(ConfigurationError, match="9999"):
        upgrade_database(location)


def test_check_of_nothing_says_so(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no inventory"):
        check_database(tmp_path / "inventory.sqlite")


@pytest.mark.integration
def test_postgresql_is_not_changed_by_opening_it(location: Path | str) -> None:
    if isinstance(location, Path):
        return
    with pytest.raises(ConfigurationError, match="s2ps inventory upgrade"):
        Inventory(location)


def test_a_server_that_does_not_answer_is_named_without_its_password() -> None:
    with pytest.raises(StagingError, match=r"127\.0\.0\.1:1/") as caught:
        Inventory("postgresql://s2ps:secret@127.0.0.1:1/s2ps")
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("url", ["mysql://host/name", "sqlite://", "postgresql+asyncpg://host/name", "://"])
def test_other_databases_are_refused(url: str) -> None:
    with pytest.raises(ConfigurationError, match="S2PS_INVENTORY"):
        Inventory(url)
