"""The inventory: a SQLite file that several processes share, or a PostgreSQL database."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, Select, Table, select
from sqlalchemy.exc import IntegrityError

from s2ps.inventory.database import SQLITE, database_url, open_engine, opening, patiently, shown, transaction
from s2ps.inventory.migration import head, revision_of, upgrade
from s2ps.inventory.records import Claim, DatatakeRecord, ProductRecord, RunRecord, SessionRecord
from s2ps.inventory.schema import CLAIMS, DATATAKES, PRODUCTS, RUNS, SESSIONS
from s2ps.inventory.statements import put, read
from s2ps.model.errors import ConfigurationError, InputError

_Record = TypeVar("_Record", SessionRecord, DatatakeRecord, ProductRecord, RunRecord)
_T = TypeVar("_T")


class Inventory:
    """Registers and finds sessions, datatakes, products and runs, and tells who produces a datatake.

    Every call is one transaction, so an object may be shared by threads and survives a fork; registering the same
    record again changes nothing, another record of the same id replaces the first.
    A SQLite file uses a write-ahead log: it must lie on a disk of the machine or on a volume of one node, not on NFS;
    its tables are brought to this version when it is opened, those of PostgreSQL by `s2ps inventory upgrade`.
    """

    def __init__(self, location: Path | str) -> None:
        """Open a SQLite file (made when it is not there) or the database of a URL."""
        self.url = database_url(location)
        self.engine: Engine = open_engine(self.url)
        """For reading; what writes goes through `transaction` or `write`."""
        with opening(self.url):
            if self.url.get_backend_name() == SQLITE:
                self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.engine.connect() as connection:
                current = patiently(lambda: revision_of(connection))
            if current != head():
                self._bring_up(current)

    def __str__(self) -> str:
        return shown(self.url)

    @property
    def path(self) -> Path:
        """Return the SQLite file; raise ConfigurationError for another database."""
        if self.url.get_backend_name() != SQLITE:
            raise ConfigurationError(f"inventory {self} is no file", next_step="use its URL")
        return Path(self.url.database or "")

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """Yield a connection in a transaction that may write, committed at the end, rolled back by an error."""
        with transaction(self.engine) as connection:
            yield connection

    def write(self, action: Callable[[Connection], _T]) -> _T:
        """Do something in a transaction; it is done again when another transaction was in the way."""

        def once() -> _T:
            with transaction(self.engine) as connection:
                return action(connection)

        return patiently(once)

    def _bring_up(self, current: str | None) -> None:
        if self.url.get_backend_name() != SQLITE:
            raise ConfigurationError(
                f"inventory {self} is of revision {current or 'none'}",
                expected=f"revision {head()}",
                next_step="run: s2ps inventory upgrade",
            )
        upgrade(self.engine)

    def register_session(self, record: SessionRecord) -> SessionRecord:
        """Keep a session."""
        return self._register(SESSIONS, record)

    def register_datatake(self, record: DatatakeRecord) -> DatatakeRecord:
        """Keep a datatake."""
        return self._register(DATATAKES, record)

    def register_product(self, record: ProductRecord) -> ProductRecord:
        """Keep a published product; the time of its first publication stays."""
        return self._register(PRODUCTS, record, keep=("published_at",))

    def register_run(self, record: RunRecord) -> RunRecord:
        """Keep a run; the time of its first registration stays."""
        return self._register(RUNS, record, keep=("created_at",))

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

    def forget_product(self, name: str) -> None:
        """Remove what is known of a product; nothing happens when nothing is."""
        self.write(lambda connection: connection.execute(PRODUCTS.delete().where(PRODUCTS.c.name == name)))

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
        with self.engine.connect() as connection:
            row = connection.execute(query).first()
        return None if row is None else Claim(row.dag_id, row.run_id)

    def take(self, datatake_id: str, mine: Claim, before: Claim | None) -> bool:
        """Give a datatake to a run if `before` still holds it (None: nobody); return False when it does not."""
        values = {"dag_id": mine.dag_id, "run_id": mine.run_id}

        def taken(connection: Connection) -> bool:
            if before is None:
                connection.execute(CLAIMS.insert().values(datatake=datatake_id, **values))
                return True
            columns = CLAIMS.c
            held = (columns.dag_id == before.dag_id) & (columns.run_id == before.run_id)
            query = CLAIMS.update().where(columns.datatake == datatake_id, held).values(**values)
            return connection.execute(query).rowcount == 1

        try:
            return self.write(taken)
        except IntegrityError:
            return False

    def _register(self, table: Table, record: _Record, keep: tuple[str, ...] = ()) -> _Record:
        self.write(lambda connection: put(connection, table, record, keep))
        return record

    def _all(self, kind: type[_Record], query: Select[Any]) -> tuple[_Record, ...]:
        with self.engine.connect() as connection:
            return read(connection, kind, query)


def _one(found: tuple[_Record, ...], what: str, next_step: str) -> _Record:
    if not found:
        raise InputError(f"{what} is not in the inventory", next_step=next_step)
    return found[0]
