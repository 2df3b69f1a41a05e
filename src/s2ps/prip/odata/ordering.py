"""$orderby, and pages that follow one another without gap or repetition while products come and go."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, UnaryExpression, and_, false, or_, tuple_

from s2ps.inventory.publication_tables import PUBLICATIONS
from s2ps.model.timestamps import format_utc, parse_utc
from s2ps.prip.odata.errors import ODataError, bad
from s2ps.prip.odata.operands import Kind
from s2ps.prip.odata.properties import PROPERTIES, Property

MOST = 5
"""Properties in one $orderby."""


@dataclass(frozen=True, slots=True)
class Term:
    """One property of an order."""

    of: Property
    descending: bool = False

    @property
    def clause(self) -> UnaryExpression[Any]:
        """Return the term of ORDER BY; null comes before everything (OData URL conventions, 5.1.4)."""
        ordered = self.of.column.desc() if self.descending else self.of.column.asc()
        if not self.of.nullable:
            return ordered
        return ordered.nulls_last() if self.descending else ordered.nulls_first()

    def beyond(self, value: Any) -> ColumnElement[bool]:
        """Return the condition of coming later than a value."""
        column: ColumnElement[Any] = self.of.column
        if value is None:
            return false() if self.descending else column.is_not(None)
        if not self.descending:
            later: ColumnElement[bool] = column > value
            return later
        earlier: ColumnElement[bool] = column < value
        return or_(earlier, column.is_(None)) if self.of.nullable else earlier

    def same(self, value: Any) -> ColumnElement[bool]:
        """Return the condition of having a value."""
        return self.of.column.is_(None) if value is None else self.of.column == value


_KEY = Property("", PUBLICATIONS.c.key, Kind.NUMBER)
DEFAULT = (Term(PROPERTIES["PublicationDate"]),)


def parse_order(text: str) -> tuple[Term, ...]:
    """Return the terms of a $orderby; raise ODataError for a property there is no order by."""
    terms: list[Term] = []
    for part in text.split(","):
        words = part.split()
        if not words or len(words) > 2 or words[0] not in PROPERTIES or words[1:] not in ([], ["asc"], ["desc"]):
            raise bad(
                f"{part.strip()[:80]!r} is no order; expected one of {', '.join(PROPERTIES)}, then asc or desc",
                "$orderby",
            )
        terms.append(Term(PROPERTIES[words[0]], words[1:] == ["desc"]))
    if len(terms) > MOST:
        raise bad(f"an order has at most {MOST} properties", "$orderby")
    return tuple(terms)


def complete(terms: Sequence[Term]) -> tuple[Term, ...]:
    """Return an order in which no two products are equal: by the key at last, in the direction of the last term."""
    return (*terms, Term(_KEY, terms[-1].descending))


def after(terms: Sequence[Term], values: Sequence[Any]) -> ColumnElement[bool]:
    """Return the condition of coming after the product with these values (of a complete order)."""
    one_way = len({term.descending for term in terms}) == 1 and not any(term.of.nullable for term in terms)
    if one_way:
        columns = tuple_(*(term.of.column for term in terms))
        limit = tuple_(*values, types=[term.of.column.type for term in terms])
        return columns < limit if terms[0].descending else columns > limit
    ways: list[ColumnElement[bool]] = []
    for place, term in enumerate(terms):
        equal = [before.same(value) for before, value in zip(terms[:place], values, strict=False)]
        ways.append(and_(*equal, term.beyond(values[place])))
    return or_(*ways)


def token_of(terms: Sequence[Term], row: Row[Any]) -> str:
    """Return the $skiptoken that continues after a row."""
    values = [_written(getattr(row, term.of.column.name)) for term in terms]
    document = json.dumps([_signature(terms), values], separators=(",", ":"))
    return base64.urlsafe_b64encode(document.encode()).decode().rstrip("=")


def values_of(terms: Sequence[Term], token: str) -> tuple[Any, ...]:
    """Return the values a $skiptoken stands for; raise ODataError for a token of another order, or of nobody."""
    try:
        document = json.loads(base64.urlsafe_b64decode(token.encode("ascii") + b"=" * (-len(token) % 4)))
        signature, values = document
        if signature != _signature(terms) or len(values) != len(terms):
            raise _no_token()
        return tuple(_read(term.of, value) for term, value in zip(terms, values, strict=True))
    except (ValueError, TypeError, AttributeError, OverflowError, binascii.Error, RecursionError) as error:
        raise _no_token() from error


def _signature(terms: Sequence[Term]) -> str:
    return ",".join(f"{'-' if term.descending else ''}{term.of.name}" for term in terms)


def _written(value: Any) -> Any:
    if isinstance(value, datetime):
        return format_utc(value)
    return str(value) if isinstance(value, UUID) else value


def _read(of: Property, value: Any) -> Any:
    if value is None and of.nullable:
        return None
    if of.kind is Kind.NUMBER and isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**63:
        return value
    if not isinstance(value, str) or "\0" in value:
        raise _no_token()
    if of.kind is Kind.TIME:
        return parse_utc(value)
    if of.kind is Kind.GUID:
        return UUID(value)
    value.encode("utf-8")
    return value


def _no_token() -> ODataError:
    return bad("this token was not given for this query; follow @odata.nextLink unchanged", "$skiptoken")
