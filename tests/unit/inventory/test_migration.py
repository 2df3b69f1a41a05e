"""Revisions: one head, the tables of this version on both databases, inventories of the first releases."""

from __future__ import annotations

import sqlite3
import threading
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from uuid import uuid4

import pytest
from alembic import command
from sqlalchemy import Engine, text

from s2ps.inventory import migration
from s2ps.inventory.care import check_database, upgrade_database
from s2ps.inventory.database import database_url, open_engine, transaction
from s2ps.inventory.migration import head
from s2ps.inventory.records import Claim
from s2ps.inventory.store import Inventory
from s2ps.model.errors import ConfigurationError, InputError, StagingError
from s2ps.model.timestamps import format_utc

EARLIER = Path(__file__).with_name("first_releases.sql")
DATATAKE = "GS2B_20260701T101559_048123_N05.00"
NOW = datetime(2026, 7, 1, 10, 30, tzinfo=UTC)


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


def upgraded_to(location: Path | str, revision: str) -> Engine:
    """Bring a database to an earlier revision, as an earlier version of S2PS has left it."""
    engine = open_engine(database_url(location))
    if isinstance(location, Path):
        location.parent.mkdir()
    with transaction(engine) as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("CREATE EXTENSION IF NOT EXISTS postgis"))
        config = migration._config()
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
    return engine


def test_what_was_published_before_is_taken_along(location: Path | str) -> None:
    engine = upgraded_to(location, "0002")
    tables = import_module("s2ps.inventory.migrations.versions.0002_publications").TABLES.tables
    times = dict.fromkeys(("origin_date", "published_at", "content_start", "content_end"), NOW)
    published = {
        "key": 1, "id": uuid4(), "name": "P.zip", "content_type": "zip", "content_length": 1, "checksums": [],
        "production_type": "x", "location": "file:///p", "datatake": DATATAKE, "level": "L1C", **times,
        "stac_item": {"id": "item", "collection": "sentinel-2-l1c"},
    }  # fmt: skip
    with transaction(engine) as connection:
        connection.execute(tables["publications"].insert(), published)
        for kind, value in (("string", "32TPQ"), ("integer", 1), ("double", 0.5), ("boolean", True), ("time", NOW)):
            row = {"publication": 1, "name": "a", "value": value}
            connection.execute(tables[f"publication_{kind}s"].insert(), row)
        product = "INSERT INTO products VALUES ('P.SAFE', 'L1C', 'MSIL1C', '/p', 'GS2B', 'run', :time, 1, '')"
        connection.execute(text(product), {"time": NOW if isinstance(location, str) else format_utc(NOW)})
    engine.dispose()
    assert upgrade_database(location) == ("0002", head())
    assert check_database(location) == (head(), [])
    inventory = Inventory(location)
    with inventory.engine.connect() as connection:
        found = connection.execute(text("SELECT item, collection FROM publications")).one()
        kept = connection.execute(text("SELECT value FROM publication_strings")).scalar_one()
    assert (*found, kept) == ("item", "sentinel-2-l1c", "32TPQ")
    assert inventory.product("P.SAFE").degraded is False
    inventory.engine.dispose()
