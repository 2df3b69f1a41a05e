"""Records as rows: statements that SQLite and PostgreSQL spell the same, but SQLAlchemy keeps apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any, TypeVar

from sqlalchemy import Connection, Row, Select, Table
from sqlalchemy.dialects import postgresql, sqlite

from s2ps.inventory.columns import POSTGRESQL
from s2ps.inventory.geometry import footprint_values

_Record = TypeVar("_Record")


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


def put(connection: Connection, table: Table, record: Any, keep: Sequence[str] = ()) -> None:
    """Write a record whose fields are the columns of a table; it replaces the one of the same primary key."""
    values = {field.name: getattr(record, field.name) for field in fields(record)}
    if "footprint" in values:
        values |= footprint_values(values["footprint"])
    key = [column.name for column in table.primary_key.columns]
    connection.execute(upsert(connection, table, values, key, keep))


def read(connection: Connection, kind: type[_Record], query: Select[Any]) -> tuple[_Record, ...]:
    """Return the records of a query, which gives at least the columns that are fields of the record."""
    names = [field.name for field in fields(kind)]  # type: ignore[arg-type]
    return tuple(_record(kind, names, row) for row in connection.execute(query))


def _record(kind: type[_Record], names: Sequence[str], row: Row[Any]) -> _Record:
    return kind(**{name: row._mapping[name] for name in names})
