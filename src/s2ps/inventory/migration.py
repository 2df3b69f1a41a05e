"""Bring the tables of an inventory to those of this version, and say whether they are."""

from __future__ import annotations

import importlib
import logging
import pkgutil
from functools import cache
from typing import Any

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, MetaData, text

from s2ps import inventory
from s2ps.inventory.columns import ONLY, POSTGRESQL
from s2ps.inventory.database import transaction
from s2ps.inventory.schema import METADATA
from s2ps.model.errors import ConfigurationError

_MIGRATIONS = "migrations"
logging.getLogger("alembic").setLevel(logging.WARNING)  # else every task says that it has looked at the revision
_LOCK = 0x5332_5053
"""Key of the lock in PostgreSQL under which revisions are run."""


@cache
def head() -> str:
    """Return the newest revision; raises ConfigurationError when there is not exactly one."""
    heads = _scripts().get_heads()
    if len(heads) != 1:
        raise ConfigurationError(
            f"the inventory has {len(heads)} newest revisions: {', '.join(heads)}",
            expected="one",
            next_step="let one of them follow the other (down_revision)",
        )
    return heads[0]


def revision_of(connection: Connection) -> str | None:
    """Return the revision of a database, None for one no revision was run on."""
    return MigrationContext.configure(connection).get_current_revision()


def upgrade(engine: Engine) -> tuple[str | None, str]:
    """Run the revisions a database lacks, in one transaction; return its revision before and after.

    Several processes may do so at once: one does it, the others find it done. Raises ConfigurationError for an
    inventory of a later version of S2PS.
    """
    with transaction(engine) as connection:
        if connection.dialect.name == POSTGRESQL:
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
            connection.execute(text("CREATE EXTENSION IF NOT EXISTS postgis"))
        before = revision_of(connection)
        if before != head():
            _require_known(before)
            config = _config()
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    return before, head()


def differences(connection: Connection) -> list[str]:
    """Return what distinguishes the tables of a database from those this version expects, as texts."""
    context = MigrationContext.configure(connection, opts=comparison(connection))
    return [str(item) for item in compare_metadata(context, whole_metadata())]


def comparison(connection: Connection) -> dict[str, Any]:
    """Return how Alembic compares a database with the tables of this version."""
    dialect = connection.dialect.name

    def ours(item: Any, name: str | None, kind: str, _reflected: bool, _other: Any) -> bool:
        if kind == "table":
            return name in METADATA.tables
        return kind != "index" or item.info.get(ONLY, dialect) == dialect

    return {"target_metadata": whole_metadata(), "compare_type": True, "include_object": ours}


@cache
def whole_metadata() -> MetaData:
    """Return the tables of every module of the inventory."""
    for module in pkgutil.iter_modules(inventory.__path__):
        if not module.ispkg:
            importlib.import_module(f"{inventory.__name__}.{module.name}")
    return METADATA


def _require_known(revision: str | None) -> None:
    if revision is not None and revision not in {script.revision for script in _scripts().walk_revisions()}:
        raise ConfigurationError(
            f"the inventory is of revision {revision}, which this version of S2PS does not know",
            expected=f"a revision up to {head()}",
            next_step="use the version of S2PS that made it, or a later one",
        )


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", f"{inventory.__name__}:{_MIGRATIONS}")
    return config


@cache
def _scripts() -> ScriptDirectory:
    return ScriptDirectory.from_config(_config())
