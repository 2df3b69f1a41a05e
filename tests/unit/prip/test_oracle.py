"""Filters drawn at random find what plain Python finds."""

from __future__ import annotations

import operator
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from s2ps.inventory.publications import Publication
from s2ps.model.timestamps import format_utc

pytestmark = pytest.mark.unit
Oracle = Callable[[Publication], bool]
Expression = tuple[str, Oracle]
START = datetime(2026, 7, 1, 10, 15, 59, tzinfo=UTC)
ORDERS: dict[str, Callable[[Any, Any], bool]] = {
    "lt": operator.lt, "le": operator.le, "gt": operator.gt, "ge": operator.ge, "eq": operator.eq, "ne": operator.ne,
}  # fmt: skip
WORDS = st.sampled_from(
    ["S2A", "S2B", "_", "%", "'s", "L1C", "l1c", "T32TPQ", ".tar", "100%_", "é", "\\", "", " ", "N05.00.tar"]
)
MOMENTS = st.integers(-3, 705).map(lambda minutes: START + timedelta(minutes=minutes))
SIZES = st.one_of(st.sampled_from([0, 63, 64, 65, 4096, 8192, 2**62, 10**30, -1]), st.sampled_from([64.0, 64.5, -0.5]))


def quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def value_of(publication: Publication, name: str, kind: type) -> Any:
    return next((each.value for each in publication.attributes if each.name == name and type(each.value) is kind), None)


def ordered(word: str, left: Any, right: Any) -> bool:
    """Compare as OData does: an order with null is false, `ne` is true."""
    if left is None or right is None:
        return {"eq": left is right, "ne": left is not right}.get(word, False)
    return ORDERS[word](left, right)


@st.composite
def properties(draw: st.DrawFn) -> Expression:
    name, reader, values = draw(
        st.sampled_from([
            ("ContentLength", lambda each: each.content_length, SIZES),
            ("ContentDate/Start", lambda each: each.content_start, MOMENTS),
            ("PublicationDate", lambda each: each.published_at, MOMENTS),
            ("EvictionDate", lambda each: each.eviction_date, st.one_of(MOMENTS.map(_week), st.none())),
            ("Name", lambda each: each.name, st.sampled_from(["S2B", "S2B_odd 100%_name's product.tar", "T", ""])),
        ])
    )  # fmt: skip
    word, value = draw(st.sampled_from(list(ORDERS))), draw(values)
    turned = draw(st.booleans())
    text = f"{_written(value)} {word} {name}" if turned else f"{name} {word} {_written(value)}"
    if turned:
        return text, lambda each: ordered(word, value, reader(each))
    return text, lambda each: ordered(word, reader(each), value)


@st.composite
def lists(draw: st.DrawFn) -> Expression:
    sizes = draw(st.lists(st.sampled_from([64, 4096, 1, 10**20]), min_size=1, max_size=3))
    return f"ContentLength in ({','.join(map(str, sizes))})", lambda each: each.content_length in sizes


@st.composite
def texts(draw: st.DrawFn) -> Expression:
    name, word = draw(st.sampled_from(["contains", "startswith", "endswith"])), draw(WORDS)
    found = {"contains": str.__contains__, "startswith": str.startswith, "endswith": str.endswith}[name]
    return f"{name}(Name,{quoted(word)})", lambda each: found(each.name, word)


@st.composite
def attributes(draw: st.DrawFn) -> Expression:
    kind, python, name, values = draw(
        st.sampled_from([
            ("String", str, "productType", st.sampled_from(["S2MSI1C", "S2MSI2A", "x"])),
            ("String", str, "tileId", st.sampled_from(["32TPQ", "01KAB", "32"])),
            ("Double", float, "cloudCover", st.sampled_from([0, 3.0, 12.5, 80, 100.0, -1])),
            ("Integer", int, "orbitNumber", st.sampled_from([43890, 57000, 43890.5, 10**25])),
            ("DateTimeOffset", datetime, "beginningDateTime", st.just(START)),
        ])
    )  # fmt: skip
    word, value = draw(st.sampled_from(list(ORDERS))), draw(values)
    text = (
        f"Attributes/OData.CSC.{kind}Attribute/any(att:att/Name eq '{name}' and "
        f"att/OData.CSC.{kind}Attribute/Value {word} {_written(value)})"
    )

    def holds(each: Publication) -> bool:
        found = value_of(each, name, python)
        return found is not None and ordered(word, found, value)

    return text, holds


def _week(moment: datetime) -> datetime:
    return moment + timedelta(days=7)


def _written(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, datetime):
        return format_utc(value)
    return quoted(value) if isinstance(value, str) else str(value)


def _joined(inner: st.SearchStrategy[Expression]) -> st.SearchStrategy[Expression]:
    def join(word: str, one: Expression, other: Expression) -> Expression:
        both = all if word == "and" else any
        return f"({one[0]}) {word} ({other[0]})", lambda each: both((one[1](each), other[1](each)))

    return st.one_of(
        st.builds(join, st.sampled_from(["and", "or"]), inner, inner),
        inner.map(lambda one: (f"not ({one[0]})", lambda each: not one[1](each))),
    )


EXPRESSIONS = st.recursive(st.one_of(properties(), texts(), lists(), attributes()), _joined, max_leaves=6)


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(expression=EXPRESSIONS)
def test_a_filter_finds_what_python_finds(
    client: httpx.Client, products: tuple[Publication, ...], expression: Expression
) -> None:
    text, holds = expression
    answer = client.get("/odata/v1/Products", params={"$filter": text, "$select": "Name"})
    assert answer.status_code == 200, answer.text
    assert {each["Name"] for each in answer.json()["value"]} == {each.name for each in products if holds(each)}
