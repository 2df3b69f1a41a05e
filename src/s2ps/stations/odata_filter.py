"""$filter of OData v4 over rows in memory: comparisons, and/or/not, in, startswith, endswith, contains, paths."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from odata_query import ast
from odata_query.exceptions import ODataException
from odata_query.grammar import ODataLexer, ODataParser
from odata_query.visitor import NodeVisitor

from s2ps.model.errors import InputError

Row = Mapping[str, Any]
_COMPARED: dict[type, Callable[[Any, Any], bool]] = {
    ast.Eq: operator.eq, ast.NotEq: operator.ne, ast.Lt: operator.lt, ast.LtE: operator.le, ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}  # fmt: skip
_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "startswith": str.startswith,
    "endswith": str.endswith,
    "contains": lambda text, part: part in text,
    "tolower": str.lower,
    "toupper": str.upper,
}


def predicate(text: str) -> Callable[[Row], bool]:
    """Return the test a $filter asks for; InputError when it cannot be read or asks for what rows do not have."""
    try:
        tree = ODataParser().parse(ODataLexer().tokenize(text))
    except ODataException as error:
        raise InputError(f"$filter {text!r} cannot be read: {error}") from error

    def test(row: Row) -> bool:
        try:
            return _Evaluation(row).visit(tree) is True
        except TypeError as error:
            raise InputError(f"$filter {text!r} compares what cannot be compared: {error}") from error

    return test


class _Evaluation(NodeVisitor):
    """Evaluates the tree of a $filter for one row."""

    def __init__(self, row: Row) -> None:
        self.row = row

    def generic_visit(self, node: Any) -> Any:
        """Return the value of a literal; refuse everything else."""
        if isinstance(node, ast.List):
            return [self.visit(item) for item in node.val]
        if isinstance(node, ast.GUID):
            return UUID(node.val)
        value = getattr(node, "py_val", self)
        if value is self:
            raise InputError(f"$filter: {type(node).__name__} is not supported here")
        return value.replace(tzinfo=UTC) if isinstance(value, datetime) and value.tzinfo is None else value

    def visit_Identifier(self, node: ast.Identifier) -> Any:  # noqa: N802
        """Return a value of the row."""
        return _value(self.row, node.name)

    def visit_Attribute(self, node: ast.Attribute) -> Any:  # noqa: N802
        """Return a value below a value, `ContentDate/Start`."""
        return _value(self.visit(node.owner), node.attr)

    def visit_Compare(self, node: ast.Compare) -> bool:  # noqa: N802
        """Compare two values; nothing but null equals null."""
        left, right = self.visit(node.left), self.visit(node.right)
        if isinstance(node.comparator, ast.In):
            return left in right
        if (left is None or right is None) and not isinstance(node.comparator, ast.Eq | ast.NotEq):
            return False
        return _COMPARED[type(node.comparator)](left, right)

    def visit_BoolOp(self, node: ast.BoolOp) -> bool:  # noqa: N802
        """Join two tests."""
        if isinstance(node.op, ast.And):
            return bool(self.visit(node.left)) and bool(self.visit(node.right))
        return bool(self.visit(node.left)) or bool(self.visit(node.right))

    def visit_UnaryOp(self, node: ast.UnaryOp) -> Any:  # noqa: N802
        """Turn a test, or the sign of a number, round."""
        value = self.visit(node.operand)
        return not value if isinstance(node.op, ast.Not) else -value

    def visit_Call(self, node: ast.Call) -> Any:  # noqa: N802
        """Call a function of strings."""
        function = _FUNCTIONS.get(node.func.name)
        if function is None:
            raise InputError(f"$filter: the function {node.func.name} is not supported here")
        return function(*(self.visit(argument) for argument in node.args))


def _value(row: Any, name: str) -> Any:
    if not isinstance(row, Mapping) or name not in row:
        raise InputError(f"there is no property {name}")
    return row[name]
