"""What is computed in a $filter: parts of times, sums and products, parts of texts."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from odata_query import ast
from sqlalchemy import ColumnElement, Double, Float, Integer, Numeric, Text, cast, extract, func, literal, type_coerce

from s2ps.inventory.columns import POSTGRESQL, UtcText
from s2ps.prip.odata.errors import bad, not_offered
from s2ps.prip.odata.operands import Kind, Operand, constant

_TARGET = "$filter"
_LONGEST = 2**31
_PARTS = {"year": (1, 4), "month": (6, 2), "day": (9, 2), "hour": (12, 2), "minute": (15, 2), "second": (18, 2)}
"""Part of a time -> where it stands in the text that SQLite holds, and how long it is."""
_OPERATIONS: dict[type, Callable[[Any, Any], Any]] = {
    ast.Add: lambda left, right: left + right,
    ast.Sub: lambda left, right: left - right,
    ast.Mult: lambda left, right: left * right,
}
NAMES = (*_PARTS, "date", "now", "concat", "indexof", "substring")
"""The functions `computed` knows."""


def computed(name: str, arguments: list[Operand], dialect: str) -> Operand:
    """Return the value of a function of `NAMES`; raise ODataError for arguments it does not take."""
    if name == "now":
        _expect(name, arguments)
        return constant(datetime.now(UTC))
    if name in _PARTS or name == "date":
        _expect(name, arguments, Kind.TIME)
        moment = arguments[0]
        found = _day(moment.expression, dialect) if name == "date" else _part(name, moment.expression, dialect)
        return Operand(Kind.TIME if name == "date" else Kind.NUMBER, found, moment.nullable)
    if name == "substring":
        return _substring(arguments)
    _expect(name, arguments, Kind.STRING, Kind.STRING)
    first, second = (each.expression for each in arguments)
    if name == "concat":
        return Operand(Kind.STRING, first.concat(second))
    return Operand(Kind.NUMBER, (func.strpos if dialect == POSTGRESQL else func.instr)(first, second) - literal(1))


def arithmetic(operation: ast._BinOpToken, left: Operand, right: Operand) -> Operand:
    """Return a sum, difference or product of numbers; whole numbers stay exact."""
    if type(operation) not in _OPERATIONS:
        raise not_offered(f"{type(operation).__name__.lower()} is not offered; add, sub and mul are", _TARGET)
    if (left.kind, right.kind) != (Kind.NUMBER, Kind.NUMBER):
        raise not_offered("add, sub and mul are offered for numbers, and durations after a constant time", _TARGET)
    whole = not any(isinstance(each.expression.type, Float) for each in (left, right))
    sides = [cast(each.expression, Numeric() if whole else Double()) for each in (left, right)]
    return Operand(Kind.NUMBER, _OPERATIONS[type(operation)](*sides), left.nullable or right.nullable)


def shifted(operation: ast._BinOpToken, moment: Operand, duration: ast.Duration) -> Operand:
    """Return a constant time, such as now(), plus or minus a duration; raise ODataError for anything else."""
    if moment.kind is not Kind.TIME or moment.constant is None or not isinstance(operation, ast.Add | ast.Sub):
        raise not_offered("a duration is added to, or taken from, now() or another constant time only", _TARGET)
    try:
        return constant(_OPERATIONS[type(operation)](moment.constant, duration.py_val))
    except (ValueError, OverflowError) as error:
        raise bad(f"the duration {duration.val[:40]} leads nowhere", _TARGET) from error


def _expect(name: str, arguments: list[Operand], *kinds: Kind) -> None:
    if tuple(each.kind for each in arguments) != kinds:
        raise bad(f"function {name} takes {', '.join(kind.value for kind in kinds) or 'nothing'}", _TARGET)


def _part(name: str, moment: ColumnElement[Any], dialect: str) -> ColumnElement[Any]:
    if dialect == POSTGRESQL:
        return cast(func.floor(extract(name, func.timezone("UTC", moment))), Integer)
    return cast(func.substr(moment, *_PARTS[name]), Integer)


def _day(moment: ColumnElement[Any], dialect: str) -> ColumnElement[Any]:
    if dialect == POSTGRESQL:
        return func.date_trunc("day", moment, "UTC", type_=UtcText())
    return type_coerce(func.substr(moment, 1, 10, type_=Text()).concat("T00:00:00.000000Z"), UtcText())


def _substring(arguments: list[Operand]) -> Operand:
    kinds = [each.kind for each in arguments]
    places = [each.constant for each in arguments[1:]]
    right = kinds in ([Kind.STRING, Kind.NUMBER], [Kind.STRING, Kind.NUMBER, Kind.NUMBER])
    if not right or not all(isinstance(each, int) and 0 <= each < _LONGEST - 1 for each in places):
        raise bad("function substring takes a text, and one or two whole numbers from 0 up", _TARGET)
    numbers = [literal(places[0] + 1, Integer), *(literal(each, Integer) for each in places[1:])]
    return Operand(Kind.STRING, func.substr(arguments[0].expression, *numbers))
