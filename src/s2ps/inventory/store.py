"""The inventory: a SQLite file that several processes read and write at once."""

from __future__ import annotations

import sqlite3
from dataclasses import fields
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, Select, Table, create_engine, event, select, text
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.pool import ConnectionPoolEntry, NullPool
from sqlalchemy.schema import CreateColumn, CreateIndex, CreateTable

from s2ps.inventory.records import Claim, DatatakeRecord, ProductRecord, RunRecord, SessionRecord
from s2ps.inventory.schema import CLAIMS, DATATAKES, METADATA, PRODUCTS, RUNS, SESSIONS
from s2ps.model.errors import InputError, StagingError

BUSY_TIMEOUT_S = 30
_Record = TypeVar("_Record", SessionRecord, DatatakeRecord, ProductRecord, RunRecord)


class Inventory:
    """Registers and finds sessions, datatakes, products and runs, and tells who produces a datatake.

    Every call is one transaction on a connection of its own, so an object may be shared by threads and survives a
    fork; registering the same record again changes nothing, another record of the same id replaces the first.
    The file uses a write-ahead log: it must lie on a disk of the machine or on a volume of one node, not on NFS.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._engine = create_engine(
                f"sqlite:///{path}", poolclass=NullPool, connect_args={"timeout": BUSY_TIMEOUT_S}
            )
            event.listen(self._engine, "connect", _prepare_connection)
            with self._engine.begin() as connection:
                for table in METADATA.sorted_tables:
                    connection.execute(CreateTable(table, if_not_exists=True))
                    _add_missing_columns(connection, table)
                    for index in sorted(table.indexes, key=lambda index: str(index.name)):
                        connection.execute(CreateIndex(index, if_not_exists=True))
        except (OSError, OperationalError) as error:
            raise StagingError(
                f"inventory {path} cannot be opened: {error}",
                expected="a SQLite file on a local disk that can be written",
                next_step="check the folder and its rights",
            ) from error

    def register_session(self, record: SessionRecord) -> SessionRecord:
        """Keep a session."""
        return self._register(SESSIONS, "id", record)

    def register_datatake(self, record: DatatakeRecord) -> DatatakeRecord:
        """Keep a datatake."""
        return self._register(DATATAKES, "id", record)

    def register_product(self, record: ProductRecord) -> ProductRecord:
        """Keep a published product; the time of its first publication stays."""
        return self._register(PRODUCTS, "name", record, keep=("published_at",))

    def register_run(self, record: RunRecord) -> RunRecord:
        """Keep a run; the time of its first registration stays."""
        return self._register(RUNS, "key", record, keep=("created_at",))

    def session(self, session_id: str) -> SessionRecord:
        """Return a session; raise InputError when it is not registered."""
        found = self._all(SessionRecord, select(SESSIONS).where(SESSIONS.c.id == session_id))
        return _one(found, f"session {session_id}", "register the session first")

    def sessions(self) -> tuple[SessionRecord, ...]:
        """Return all sessions in the order of t0."""
        return self._all(SessionRecord, select(SESSIONS).order_by(SESSIONS.c.t0, SESSIONS.c.id))

    def datatake(self, datatake_id: str) -> DatatakeRecord:
        """Return a datatake; raise InputError when it is not registered."""
        found = self._all(DatatakeRecord, select(DATATAKES).where(DATATAKES.c.id == datatake_id))
        return _one(found, f"datatake {datatake_id}", "process its session to Level-0 first")

    def datatakes_between(self, start: datetime, stop: datetime) -> tuple[DatatakeRecord, ...]:
        """Return the datatakes whose sensing start lies in [start, stop), by time."""
        columns = DATATAKES.c
        query = select(DATATAKES).where(columns.start >= start, columns.start < stop)
        return self._all(DatatakeRecord, query.order_by(columns.start, columns.id))

    def datatakes_of(self, session_id: str) -> tuple[DatatakeRecord, ...]:
        """Return the datatakes of a session, by time."""
        columns = DATATAKES.c
        query = select(DATATAKES).where(columns.session_id == session_id)
        return self._all(DatatakeRecord, query.order_by(columns.start, columns.id))

    def product(self, name: str) -> ProductRecord:
        """Return a product; raise InputError when it is not published."""
        found = self._all(ProductRecord, select(PRODUCTS).where(PRODUCTS.c.name == name))
        return _one(found, f"product {name}", "look at the run of its datatake")

    def products_of(self, datatake_id: str, level: str | None = None) -> tuple[ProductRecord, ...]:
        """Return the published products of a datatake, of one level or of all, by name."""
        query = select(PRODUCTS).where(PRODUCTS.c.datatake == datatake_id)
        if level is not None:
            query = query.where(PRODUCTS.c.level == level)
        return self._all(ProductRecord, query.order_by(PRODUCTS.c.name))

    def run(self, key: str) -> RunRecord | None:
        """Return a run, or None when there was none with this key."""
        found = self._all(RunRecord, select(RUNS).where(RUNS.c.key == key))
        return found[0] if found else None

    def runs_of(self, kind: str, subject: str) -> tuple[RunRecord, ...]:
        """Return the runs of a session or datatake, the oldest first."""
        query = select(RUNS).where(RUNS.c.kind == kind, RUNS.c.subject == subject)
        return self._all(RunRecord, query.order_by(RUNS.c.created_at, RUNS.c.key))

    def claim_of(self, datatake_id: str) -> Claim | None:
        """Return the run that took a datatake last; None when there is none."""
        query = select(CLAIMS.c.dag_id, CLAIMS.c.run_id).where(CLAIMS.c.datatake == datatake_id)
        with self._engine.connect() as connection:
            row = connection.execute(query).first()
        return None if row is None else Claim(row.dag_id, row.run_id)

    def take(self, datatake_id: str, mine: Claim, before: Claim | None) -> bool:
        """Give a datatake to a run if `before` still holds it (None: nobody); return False when it does not."""
        values = {"dag_id": mine.dag_id, "run_id": mine.run_id}
        try:
            with self._engine.begin() as connection:
                if before is None:
                    connection.execute(CLAIMS.insert().values(datatake=datatake_id, **values))
                    return True
                columns = CLAIMS.c
                held = (columns.dag_id == before.dag_id) & (columns.run_id == before.run_id)
                query = CLAIMS.update().where(columns.datatake == datatake_id, held).values(**values)
                return connection.execute(query).rowcount == 1
        except IntegrityError:
            return False

    def _register(self, table: Table, key: str, record: _Record, keep: tuple[str, ...] = ()) -> _Record:
        values = {field.name: getattr(record, field.name) for field in fields(record)}
        changed = {name: value for name, value in values.items() if name != key and name not in keep}
        statement = insert(table).values(values).on_conflict_do_update(index_elements=[key], set_=changed)
        with self._engine.begin() as connection:
            connection.execute(statement)
        return record

    def _all(self, kind: type[_Record], query: Select[Any]) -> tuple[_Record, ...]:
        with self._engine.connect() as connection:
            return tuple(kind(**row._mapping) for row in connection.execute(query))


def _prepare_connection(connection: sqlite3.Connection, _entry: ConnectionPoolEntry) -> None:
    connection.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_S * 1000}")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")


def _add_missing_columns(connection: Connection, table: Table) -> None:
    """Bring the table of an older inventory to the columns of today; another process may do so at the same time."""
    present = {row.name for row in connection.execute(text(f"PRAGMA table_info({table.name})"))}
    for column in table.columns:
        if column.name not in present:
            ddl = CreateColumn(column).compile(connection)
            try:
                connection.execute(text(f"ALTER TABLE {table.name} ADD COLUMN {ddl}"))
            except OperationalError as error:
                if "duplicate column name" not in str(error):
                    raise


def _one(found: tuple[_Record, ...], what: str, next_step: str) -> _Record:
    if not found:
        raise InputError(f"{what} is not in the inventory", next_step=next_step)
    return found[0]
