"""Values in a $filter: what kind they are of, and how SQL says them."""

from __future__ import annotations

import math
import uuid
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import Enum
from typing import Any

from odata_query import ast
from sqlalchemy import BigInteger, ColumnElement, Double, Text, Uuid, false, literal, true
from sqlalchemy.types import TypeEngine

from s2ps.inventory.columns import UtcText
from s2ps.prip.odata.errors import bad

_TARGET = "$filter"
_INT64 = 2**63


class Kind(Enum):
    """Kinds of values; values are compared with values of their kind only."""

    STRING = "a text"
    NUMBER = "a number"
    BOOLEAN = "true or false"
    TIME = "a time"
    GUID = "an id"
    NULL = "null"


@dataclass(frozen=True, slots=True)
class Operand:
    """A value: a column, an expression or a constant."""

    kind: Kind
    expression: ColumnElement[Any]
    nullable: bool = False
    constant: Any = None
    """The value of a constant; None otherwise."""


_TYPES: dict[type, tuple[Kind, TypeEngine[Any]]] = {
    str: (Kind.STRING, Text()),
    int: (Kind.NUMBER, BigInteger()),
    float: (Kind.NUMBER, Double()),
    datetime: (Kind.TIME, UtcText()),
    uuid.UUID: (Kind.GUID, Uuid()),
}
NULL = Operand(Kind.NULL, literal(None), nullable=True)


def is_text(text: str) -> bool:
    """Return whether databases can hold a text: no zero byte, no half of a surrogate pair (JSON can have both)."""
    return "\0" not in text and not any("\ud800" <= each <= "\udfff" for each in text)


def constant(value: str | int | float | bool | datetime | uuid.UUID) -> Operand:
    """Return the operand of a value."""
    if isinstance(value, bool):
        return Operand(Kind.BOOLEAN, true() if value else false(), constant=value)
    if isinstance(value, int) and not -_INT64 <= value < _INT64:
        value = float(value)
    kind, sql_type = _TYPES[type(value)]
    return Operand(kind, literal(value, sql_type), constant=value)


def condition(expression: ColumnElement[bool]) -> Operand:
    """Return the operand of a condition, which is never null."""
    return Operand(Kind.BOOLEAN, expression)


def literal_of(node: ast._Literal) -> Operand:
    """Return the operand of a literal in a $filter; raise ODataError for a value that does not exist."""
    if isinstance(node, ast.Null):
        return NULL
    if not isinstance(node, ast.String | ast.Integer | ast.Float | ast.Boolean | ast.DateTime | ast.Date | ast.GUID):
        raise bad(f"{type(node).__name__} values are not compared here", _TARGET)
    try:
        value = node.py_val
        if isinstance(value, datetime):
            value = (value if value.tzinfo else value.replace(tzinfo=UTC)).astimezone(UTC)
        elif isinstance(value, date):
            value = datetime(value.year, value.month, value.day, tzinfo=UTC)
        if isinstance(value, float) and not math.isfinite(value):
            raise ValueError(value)
        return constant(value)
    except (ValueError, OverflowError) as error:
        raise bad(f"{node.val[:80]} is no value", _TARGET) from error


def negated(operand: Operand) -> Operand:
    """Return a constant number with the other sign; raise ODataError for anything else."""
    if operand.kind is not Kind.NUMBER or operand.constant is None:
        raise bad("a minus sign stands before constant numbers only", _TARGET)
    return constant(-operand.constant)


def paired(left: Operand, right: Operand) -> tuple[Operand, Operand]:
    """Return two operands of one kind (an id may be written as a text); raise ODataError when they have two."""
    for one, other in ((left, right), (right, left)):
        if one.kind is Kind.GUID and other.kind is Kind.STRING and other.constant is not None:
            converted = constant(_guid(other.constant))
            return (left, converted) if one is left else (converted, right)
    if left.kind is not right.kind and Kind.NULL not in (left.kind, right.kind):
        raise bad(f"{left.kind.value} is compared with {right.kind.value}", _TARGET)
    return left, right


def _guid(text: str) -> uuid.UUID:
    try:
        return uuid.UUID(text)
    except ValueError as error:
        raise bad(f"{text[:80]!r} is no id", _TARGET) from error
