"""Comparisons and text functions in SQL, with the rules of OData for null."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

from odata_query import ast
from sqlalchemy import ColumnElement, and_, false, func, literal, or_, true

from s2ps.inventory.columns import POSTGRESQL
from s2ps.prip.odata.errors import bad, not_offered
from s2ps.prip.odata.operands import Kind, Operand, condition, paired

_TARGET = "$filter"
_OPERATORS: dict[type[ast._Comparator], Callable[[Any, Any], Any]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}


def compare(comparator: ast._Comparator, left: Operand, right: Operand) -> Operand:
    """Return a comparison: `ne` is true when one side is null, an order with null is false."""
    left, right = paired(left, right)
    if isinstance(comparator, ast.Eq):
        return condition(_equal(left, right))
    if isinstance(comparator, ast.NotEq):
        return condition(~_equal(left, right))
    if Kind.BOOLEAN in (left.kind, right.kind):
        raise bad("true and false have no order", _TARGET)
    if Kind.NULL in (left.kind, right.kind):
        return condition(false())
    holds: ColumnElement[bool] = _OPERATORS[type(comparator)](left.expression, right.expression)
    return condition(_when_known(holds, left, right))


def member(left: Operand, items: list[Operand]) -> Operand:
    """Return the condition that a value is in a list."""
    pairs = [paired(left, item)[1] for item in items]
    known = [item.expression for item in pairs if item.kind is not Kind.NULL]
    if left.kind is Kind.NULL or left.kind is Kind.BOOLEAN:
        return condition(or_(false(), *(_equal(left, item) for item in pairs)))
    found = _when_known(left.expression.in_(known), left) if known else false()
    if len(known) < len(pairs) and left.nullable:
        found = or_(found, left.expression.is_(None))
    return condition(found)


def _equal(left: Operand, right: Operand) -> ColumnElement[bool]:
    if left.kind is Kind.NULL or right.kind is Kind.NULL:
        other = right if left.kind is Kind.NULL else left
        if other.kind is Kind.NULL:
            return true()
        return other.expression.is_(None) if other.nullable else false()
    if left.kind is Kind.BOOLEAN:
        for one, other in ((left, right), (right, left)):
            if one.constant is not None:
                return other.expression if one.constant else ~other.expression
    equal: ColumnElement[bool] = left.expression == right.expression
    return _when_known(equal, left, right)


def _when_known(holds: ColumnElement[bool], *operands: Operand) -> ColumnElement[bool]:
    """Return a condition that is false, not null, when an operand is null: so `not` can turn it round."""
    return and_(*(each.expression.is_not(None) for each in operands if each.nullable), holds)


def call(name: str, arguments: list[Operand], dialect: str) -> Operand:
    """Return one of the functions of texts; raise ODataError for another one or another kind of argument."""
    wanted = {"contains": 2, "startswith": 2, "endswith": 2, "tolower": 1, "toupper": 1, "length": 1, "trim": 1}
    if name not in wanted:
        raise not_offered(f"function {name} is not offered", _TARGET)
    if len(arguments) != wanted[name] or any(each.kind is not Kind.STRING for each in arguments):
        raise bad(f"function {name} takes {wanted[name]} text(s)", _TARGET)
    first = arguments[0].expression
    if name in ("contains", "startswith", "endswith"):
        return condition(_SEARCHES[name](first, arguments[1], dialect))
    if name == "length":
        return Operand(Kind.NUMBER, func.length(first))
    return Operand(Kind.STRING, {"tolower": func.lower, "toupper": func.upper, "trim": func.trim}[name](first))


def _contains(text: ColumnElement[Any], part: Operand, dialect: str) -> ColumnElement[bool]:
    if dialect != POSTGRESQL:
        return func.instr(text, part.expression) > 0
    if part.constant is None:
        return func.strpos(text, part.expression) > 0
    return text.contains(part.constant, autoescape=True)


def _starts(text: ColumnElement[Any], part: Operand, dialect: str) -> ColumnElement[bool]:
    if dialect == POSTGRESQL and part.constant is not None:
        return text.startswith(part.constant, autoescape=True)
    return func.substr(text, 1, func.length(part.expression)) == part.expression


def _ends(text: ColumnElement[Any], part: Operand, dialect: str) -> ColumnElement[bool]:
    if dialect == POSTGRESQL and part.constant is not None:
        return text.endswith(part.constant, autoescape=True)
    long_enough = func.length(text) >= func.length(part.expression)
    tail = func.substr(text, func.length(text) - func.length(part.expression) + literal(1))
    return and_(long_enough, tail == part.expression)


_SEARCHES = {"contains": _contains, "startswith": _starts, "endswith": _ends}
