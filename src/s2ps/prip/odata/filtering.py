"""A $filter as a condition of SQLAlchemy. No text of a client ever becomes text of SQL."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from odata_query import ast
from odata_query.visitor import NodeVisitor
from sqlalchemy import ColumnElement, and_, exists, or_, select, true

from s2ps.inventory.publication_tables import PUBLICATIONS
from s2ps.prip.odata.areas import NAMESPACE, geographic
from s2ps.prip.odata.comparing import call, compare, member
from s2ps.prip.odata.computing import NAMES, arithmetic, computed, shifted
from s2ps.prip.odata.errors import bad, not_offered
from s2ps.prip.odata.language import parse
from s2ps.prip.odata.operands import Kind, Operand, condition, constant, literal_of, negated
from s2ps.prip.odata.properties import BY_NAME, GEOGRAPHIC, ONLINE, PROPERTIES, AttributeType

DEEPEST = 60
"""Levels of a $filter, where a chain of `and` or `or` is one level."""
_TARGET = "$filter"


def filter_condition(text: str, dialect: str) -> ColumnElement[bool]:
    """Return the condition of a $filter for the database `dialect`; raise ODataError saying what is wrong with it."""
    found = _Filter(dialect).visit(parse(text))
    return _boolean(found)


class _Filter(NodeVisitor):
    """Turns each node into an Operand."""

    def __init__(self, dialect: str) -> None:
        self._dialect = dialect
        self._depth = 0
        self._variable: tuple[str, AttributeType] | None = None

    def visit(self, node: ast._Node) -> Operand:
        """Return the operand of a node; raise ODataError when the expression is too deep."""
        self._depth += 1
        if self._depth > DEEPEST:
            raise bad(f"the filter is nested more than {DEEPEST} levels deep", _TARGET)
        operand: Operand = super().visit(node)
        self._depth -= 1
        return operand

    def generic_visit(self, node: ast._Node) -> Operand:
        """Read a literal; refuse what the service does not offer."""
        if isinstance(node, ast._Literal) and not isinstance(node, ast.List):
            return literal_of(node)
        raise not_offered(f"{type(node).__name__} expressions are not offered here", _TARGET)

    def visit_Identifier(self, node: ast.Identifier) -> Operand:  # noqa: N802
        return self._property(".".join((*node.namespace, node.name)))

    def visit_Attribute(self, node: ast.Attribute) -> Operand:  # noqa: N802
        path = _path(node)
        if self._variable is not None and path[0] == self._variable[0]:
            return _of_attribute(path[1:], self._variable[1])
        return self._property("/".join(path))

    def _property(self, name: str) -> Operand:
        if name == ONLINE:
            return constant(True)
        if name in PROPERTIES:
            found = PROPERTIES[name]
            return Operand(found.kind, found.column, found.nullable)
        if name in GEOGRAPHIC:
            raise bad(f"{name} is asked for by OData.CSC.Intersects, Within or Disjoints", _TARGET)
        raise bad(f"there is no property {name[:80]}; there are {', '.join(PROPERTIES)}", _TARGET)

    def visit_Compare(self, node: ast.Compare) -> Operand:  # noqa: N802
        if isinstance(node.comparator, ast.In):
            if not isinstance(node.right, ast.List):
                raise bad("`in` takes a list in parentheses", _TARGET)
            return member(self.visit(node.left), [self.visit(item) for item in node.right.val])
        return compare(node.comparator, self.visit(node.left), self.visit(node.right))

    def visit_BoolOp(self, node: ast.BoolOp) -> Operand:  # noqa: N802
        parts = [_boolean(self.visit(each)) for each in _chain(node)]
        return condition(and_(*parts) if isinstance(node.op, ast.And) else or_(*parts))

    def visit_UnaryOp(self, node: ast.UnaryOp) -> Operand:  # noqa: N802
        operand = self.visit(node.operand)
        return condition(~_boolean(operand)) if isinstance(node.op, ast.Not) else negated(operand)

    def visit_Call(self, node: ast.Call) -> Operand:  # noqa: N802
        if node.func.namespace == NAMESPACE:
            return geographic(node.func.name, node.args, self._dialect)
        if node.func.namespace:
            raise bad(f"there is no function {node.func.name[:80]}", _TARGET)
        arguments = [self.visit(each) for each in node.args]
        return (computed if node.func.name in NAMES else call)(node.func.name, arguments, self._dialect)

    def visit_BinOp(self, node: ast.BinOp) -> Operand:  # noqa: N802
        left = self.visit(node.left)
        if isinstance(node.right, ast.Duration):
            return shifted(node.op, left, node.right)
        return arithmetic(node.op, left, self.visit(node.right))

    def visit_CollectionLambda(self, node: ast.CollectionLambda) -> Operand:  # noqa: N802
        types = _types(node)
        some = or_(*(self._some(node, each) for each in types)) if len(types) > 1 else self._some(node, types[0])
        return condition(some if isinstance(node.operator, ast.Any) else ~some)

    def _some(self, node: ast.CollectionLambda, of: AttributeType) -> ColumnElement[bool]:
        """Return: an attribute of the type fulfils the expression (for `all`: does not fulfil it)."""
        table = of.table
        wanted: ColumnElement[bool] = true()
        if node.lambda_ is not None:
            with self._named(node.lambda_.identifier.name, of):
                wanted = _boolean(self.visit(node.lambda_.expression))
        if isinstance(node.operator, ast.All):
            wanted = ~wanted
        rows = select(1).select_from(table).where(table.c.publication == PUBLICATIONS.c.key, wanted)
        return exists(rows.correlate(PUBLICATIONS))

    @contextmanager
    def _named(self, name: str, of: AttributeType) -> Iterator[None]:
        if self._variable is not None:
            raise bad("an expression of attributes inside another one makes no sense", _TARGET)
        self._variable = (name, of)
        try:
            yield
        finally:
            self._variable = None


def _boolean(operand: Operand) -> ColumnElement[bool]:
    if operand.kind is not Kind.BOOLEAN:
        raise bad(f"a condition is expected, not {operand.kind.value}", _TARGET)
    return operand.expression


def _chain(node: ast.BoolOp) -> Iterator[ast._Node]:
    """Yield what a chain of the same operator joins, in order."""
    parts: list[ast._Node] = []
    rest: ast._Node = node
    while isinstance(rest, ast.BoolOp) and type(rest.op) is type(node.op):
        parts.append(rest.right)
        rest = rest.left
    yield rest
    yield from reversed(parts)


def _path(node: ast._Node) -> tuple[str, ...]:
    if isinstance(node, ast.Attribute):
        return (*_path(node.owner), str(node.attr))
    if isinstance(node, ast.Identifier):
        return (node.name,)
    raise bad("a path of names is expected", _TARGET)


def _of_attribute(path: tuple[str, ...], of: AttributeType) -> Operand:
    """Return Name, Value or ValueType of an attribute.

    The type of the collection holds; clients cast the value to another one and mean this (eodag: StringAttribute).
    """
    steps = path[1:] if path and path[0] in BY_NAME else path
    if steps == ("Name",):
        return Operand(Kind.STRING, of.table.c.name)
    if steps == ("Value",):
        return Operand(of.kind, of.table.c.value)
    if steps == ("ValueType",):
        return constant(of.value_type)
    raise bad(f"an attribute of type {of.name} has Name, Value and ValueType, not {'/'.join(path)[:80]}", _TARGET)


def _types(node: ast.CollectionLambda) -> list[AttributeType]:
    """Return the types of attributes a lambda is about: that of the cast, else that of the casts inside, else all."""
    owner = _path(node.owner)
    if owner[0] != "Attributes" or len(owner) > 2:
        raise bad(f"{'/'.join(owner)[:80]} is no collection; Attributes is one", _TARGET)
    casts = set(owner[1:]) or (_casts(node.lambda_) if node.lambda_ else set())
    if not casts:
        return list(BY_NAME.values())
    if len(casts) > 1 or not casts <= set(BY_NAME):
        raise bad(f"{', '.join(sorted(casts))[:200]}: expected one of {', '.join(BY_NAME)}", _TARGET)
    return [BY_NAME[name] for name in casts]


def _casts(node: ast.Lambda) -> set[str]:
    found: set[str] = set()

    class Casts(NodeVisitor):
        def visit_Attribute(self, inner: ast.Attribute) -> None:  # noqa: N802
            path = _path(inner)
            if path[0] == node.identifier.name and len(path) == 3:
                found.add(path[1])

    Casts().visit(node.expression)
    return found
