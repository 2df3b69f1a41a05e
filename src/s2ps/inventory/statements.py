"""Statements that SQLite and PostgreSQL spell the same, but SQLAlchemy keeps apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite

from s2ps.inventory.columns import POSTGRESQL


def upsert(
    connection: Connection, table: Table, values: Mapping[str, Any], key: Sequence[str], keep: Sequence[str] = ()
) -> postgresql.Insert | sqlite.Insert:
    """Return an insert that replaces the row of the same key, but for the columns in `keep`."""
    insert = postgresql.insert if connection.dialect.name == POSTGRESQL else sqlite.insert
    changed = {name: value for name, value in values.items() if name not in (*key, *keep)}
    statement = insert(table).values(dict(values))
    if not changed:
        return statement.on_conflict_do_nothing(index_elements=list(key))
    return statement.on_conflict_do_update(index_elements=list(key), set_=changed)
