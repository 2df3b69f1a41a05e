"""Questions about products, answered by the inventory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Engine, Row, Select, func, or_, select, type_coerce
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as AllBusy
from sqlalchemy.types import NullType

from s2ps.inventory.columns import POSTGRESQL
from s2ps.inventory.publication_rows import read_values
from s2ps.inventory.publication_tables import PUBLICATIONS
from s2ps.inventory.publications import AttributeValue
from s2ps.prip.odata.errors import ODataError
from s2ps.prip.odata.options import Query
from s2ps.prip.odata.ordering import after, token_of

LONGEST_QUERY_MS = 30_000
_FOR_SHORT_QUERIES = f"SET LOCAL statement_timeout = {LONGEST_QUERY_MS}; SET LOCAL jit = off"
_CANCELLED = "57014"
_NO_VALUE = "22"
"""Class of the errors of PostgreSQL about values: out of range, too large."""
_UNASKED = ("stac_item", "footprint", "west", "south", "east", "north")
_COLUMNS = (
    *(column for column in PUBLICATIONS.c if column.name not in _UNASKED),
    type_coerce(PUBLICATIONS.c.footprint, NullType()).label("footprint"),
)
"""What an answer needs; the footprint as the database gives it: WKB, from PostGIS as hexadecimal text."""


@dataclass(frozen=True, slots=True)
class Page:
    """Products of one answer, with what follows from them."""

    rows: tuple[Row[Any], ...]
    attributes: dict[int, list[tuple[str, AttributeValue]]]
    """Names and values by the key of the product."""
    total: int | None = None
    """All products that fulfil the condition, when the client wants to know."""
    token: str | None = None
    """Where the next page starts; None when this is the last."""


class Catalogue:
    """Finds products for clients; every answer comes from one state of the inventory."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        if engine.dialect.name == POSTGRESQL:
            self._engine = engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)

    @property
    def dialect(self) -> str:
        """Return the name of the database."""
        return self._engine.dialect.name

    def page(self, query: Query, names: Sequence[str] | None = None, ids: Sequence[UUID] | None = None) -> Page:
        """Return the page a query asks for, of all products or of those with a name or id of a list."""
        listed = _listed(names, ids)
        statement = _conditioned(select(*_COLUMNS), query.condition, listed)
        if query.after is not None:
            statement = statement.where(after(query.order, query.after))
        elif query.skip:
            statement = statement.offset(query.skip)
        statement = statement.order_by(*(term.clause for term in query.order)).limit(query.rows + 1)
        with self.reading() as connection:
            rows = connection.execute(statement).all() if query.rows else []
            total = self._count(connection, query.condition, listed) if query.count else None
            shown = rows[: query.rows]
            keys = [row.key for row in shown]
            attributes = read_values(connection, keys) if "Attributes" in query.expand else {}
        more = len(rows) > query.rows and (query.top is None or query.top > query.rows)
        return Page(tuple(shown), attributes, total, token_of(query.order, shown[-1]) if more else None)

    def count(self, condition: ColumnElement[bool] | None) -> int:
        """Return how many products fulfil a condition."""
        with self.reading() as connection:
            return self._count(connection, condition, None)

    def product(self, product_id: UUID) -> Row[Any]:
        """Return the row of a product; raise ODataError when it is not published."""
        with self.reading() as connection:
            return _row(connection, product_id)

    def described(self, product_id: UUID) -> tuple[Row[Any], list[tuple[str, AttributeValue]]]:
        """Return the row of a product with its attributes; raise ODataError when it is not published."""
        with self.reading() as connection:
            row = _row(connection, product_id)
            return row, read_values(connection, [row.key])[row.key]

    def answers(self) -> bool:
        """Return True when the inventory answers."""
        with self.reading() as connection:
            return bool(connection.execute(select(1)).scalar_one())

    def _count(
        self, connection: Connection, condition: ColumnElement[bool] | None, listed: ColumnElement[bool] | None
    ) -> int:
        statement = _conditioned(select(func.count()).select_from(PUBLICATIONS), condition, listed)
        return int(connection.execute(statement).scalar_one())

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Yield a connection on one state of the inventory; raise ODataError 503 when it does not answer in time."""
        try:
            with self._engine.connect() as connection:
                if self.dialect == POSTGRESQL:
                    connection.exec_driver_sql(_FOR_SHORT_QUERIES)
                yield connection
        except AllBusy as error:
            raise ODataError(503, "the service is answering as many queries as it can", retry_after=10) from error
        except DBAPIError as error:
            code = getattr(error.orig, "pgcode", None) or ""
            if code.startswith(_NO_VALUE):
                raise ODataError(400, "a value in the filter is too large to be computed", "$filter") from error
            if code == _CANCELLED:
                raise ODataError(503, "the query takes too long; narrow it", retry_after=60) from error
            if error.connection_invalidated or error.orig is None or _away(error):
                raise ODataError(503, "the inventory does not answer", retry_after=10) from error
            raise


def _away(error: DBAPIError) -> bool:
    return type(error.orig).__name__ in ("OperationalError", "InterfaceError")


def _row(connection: Connection, product_id: UUID) -> Row[Any]:
    found = connection.execute(select(*_COLUMNS).where(PUBLICATIONS.c.id == product_id)).first()
    if found is None:
        raise ODataError(404, f"there is no product {product_id}", "Products")
    return found


def _conditioned(
    statement: Select[Any], condition: ColumnElement[bool] | None, listed: ColumnElement[bool] | None
) -> Select[Any]:
    for each in (condition, listed):
        if each is not None:
            statement = statement.where(each)
    return statement


def _listed(names: Sequence[str] | None, ids: Sequence[UUID] | None) -> ColumnElement[bool] | None:
    if names is None and ids is None:
        return None
    return or_(PUBLICATIONS.c.name.in_(names or ()), PUBLICATIONS.c.id.in_(ids or ()))
