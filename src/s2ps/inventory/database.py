"""Engines of the inventory: a SQLite file that several processes share, or PostgreSQL."""

from __future__ import annotations

import os
import sqlite3
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError
from sqlalchemy.pool import ConnectionPoolEntry, NullPool
from tenacity import Retrying, retry_if_exception, stop_after_delay, wait_random_exponential

from s2ps.inventory.columns import POSTGRESQL
from s2ps.inventory.geometry import register_functions
from s2ps.model.errors import ConfigurationError, StagingError

BUSY_TIMEOUT_S = 30
PATIENCE_S = 120
"""How long a transaction that meets a busy database is begun again and again."""
SQLITE = "sqlite"
_BEGIN = "s2ps_begin"
_CONFLICTS = frozenset({"40001", "40P01", "55P03"})
"""PostgreSQL: serialization failure, deadlock, lock not available."""
_T = TypeVar("_T")


def database_url(location: Path | str) -> URL:
    """Return the URL of a database; a path is a SQLite file. Raise ConfigurationError for another database."""
    if isinstance(location, Path) or "://" not in location:
        return URL.create(SQLITE, database=str(location))
    try:
        url = make_url(location)
    except ArgumentError as error:
        raise _not_usable("a URL that cannot be read") from error
    if url.get_backend_name() == POSTGRESQL and url.drivername in (POSTGRESQL, "postgresql+psycopg2"):
        return url.set(drivername="postgresql+psycopg2")
    if url.get_backend_name() == SQLITE and url.database:
        return url.set(drivername=SQLITE)
    raise _not_usable(f"the database {url.drivername}")


def open_engine(url: URL) -> Engine:
    """Return an engine; it may be shared by threads and survives a fork. Nothing is connected yet.

    SQLite: a connection per transaction, with a write-ahead log; PostgreSQL: a small pool whose connections are tried
    before use.
    """
    if url.get_backend_name() == SQLITE:
        engine = create_engine(url, poolclass=NullPool, connect_args={"timeout": BUSY_TIMEOUT_S})
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    engine = create_engine(url, pool_pre_ping=True, pool_recycle=1800, connect_args={"connect_timeout": 10})
    reference = weakref.ref(engine)
    os.register_at_fork(after_in_child=lambda: _forget_connections(reference))
    return engine


@contextmanager
def transaction(engine: Engine) -> Iterator[Connection]:
    """Yield a connection in a transaction that may write; it is committed at the end, or rolled back by an error.

    SQLite takes the write lock at once, so nothing inside can find the database locked.
    """
    writing = engine.execution_options(**{_BEGIN: "IMMEDIATE"})
    connection = patiently(lambda: _begun(writing))
    with connection, connection.get_transaction() or connection.begin():
        yield connection


def patiently(action: Callable[[], _T]) -> _T:
    """Do something that is one transaction, and again while the database is busy or a conflict undid it."""
    for attempt in Retrying(
        retry=retry_if_exception(is_busy),
        stop=stop_after_delay(PATIENCE_S),
        wait=wait_random_exponential(multiplier=0.02, max=2),
        reraise=True,
    ):
        with attempt:
            result = action()
    return result


def is_busy(error: BaseException) -> bool:
    """Tell whether an error means that another transaction was in the way, and trying again helps."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    if isinstance(cause, sqlite3.OperationalError):
        return "locked" in str(cause) or "busy" in str(cause)
    return getattr(cause, "pgcode", None) in _CONFLICTS


def _begun(engine: Engine) -> Connection:
    connection = engine.connect()
    try:
        connection.begin()
    except OperationalError:
        connection.close()
        raise
    return connection


def _prepare_sqlite(connection: sqlite3.Connection, _entry: ConnectionPoolEntry) -> None:
    connection.isolation_level = None
    for pragma in (f"busy_timeout = {BUSY_TIMEOUT_S * 1000}", "journal_mode = WAL", "synchronous = FULL"):
        patiently(lambda pragma=pragma: connection.execute(f"PRAGMA {pragma}"))  # type: ignore[misc]
    connection.execute("PRAGMA foreign_keys = ON")
    register_functions(connection)


def _begin_sqlite(connection: Connection) -> None:
    kind: Any = connection.get_execution_options().get(_BEGIN, "DEFERRED")
    connection.exec_driver_sql(f"BEGIN {kind}")


def _forget_connections(reference: weakref.ref[Engine]) -> None:
    engine = reference()
    if engine is not None:
        engine.dispose(close=False)


def _not_usable(what: str) -> ConfigurationError:
    return ConfigurationError(
        f"S2PS_INVENTORY names {what}",
        expected="a path of a SQLite file, or postgresql+psycopg2://user:password@host:port/database",
        next_step="correct the environment variable",
    )


def shown(url: URL) -> str:
    """Return a database as people may see it: a path, or a URL without its password."""
    return str(url.database) if url.get_backend_name() == SQLITE else url.render_as_string(hide_password=True)


@contextmanager
def opening(url: URL) -> Iterator[None]:
    """Turn what goes wrong while a database is opened into a StagingError that names it."""
    try:
        yield
    except (OSError, DBAPIError) as error:
        raise StagingError(
            f"inventory {shown(url)} cannot be opened: {error.orig if isinstance(error, DBAPIError) else error}",
            expected="a SQLite file on a local disk that can be written, or a PostgreSQL server that answers",
            next_step="check the folder and its rights, or address, password and PostGIS of the server",
        ) from error
