"""OData v4 over rows in memory: query options, answers, errors."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from s2ps.model.errors import InputError
from s2ps.stations.odata_filter import Row, predicate

_OPTIONS = {"$filter", "$orderby", "$top", "$skip", "$count", "$expand", "$select", "$format"}


@dataclass(frozen=True, slots=True)
class Query:
    """The query options of a request."""

    filter: str | None
    orderby: tuple[tuple[str, bool], ...]
    """Properties, and whether they are descending."""
    top: int | None
    skip: int
    count: bool
    expand: frozenset[str]
    select: frozenset[str]

    @classmethod
    def of(cls, options: Mapping[str, str]) -> Query:
        """Read the options of a request; raises InputError naming the one that is wrong."""
        unknown = sorted(name for name in options if name.startswith("$") and name not in _OPTIONS)
        if unknown:
            raise InputError(f"the query option {unknown[0]} is not supported", expected=", ".join(sorted(_OPTIONS)))
        count = options.get("$count", "false").lower()
        if count not in ("true", "false"):
            raise InputError(f"$count={count}", expected="true or false")
        return cls(
            options.get("$filter"),
            tuple(_order(part) for part in _parts(options.get("$orderby"))),
            _number(options, "$top"),
            _number(options, "$skip") or 0,
            count == "true",
            frozenset(_parts(options.get("$expand"))),
            frozenset(_parts(options.get("$select"))),
        )


def _parts(text: str | None) -> list[str]:
    return [part.strip() for part in (text or "").split(",") if part.strip()]


def _order(text: str) -> tuple[str, bool]:
    found = re.fullmatch(r"([\w/]+)(?:\s+(asc|desc))?", text)
    if found is None:
        raise InputError(f"$orderby {text!r}", expected="a property, and asc or desc")
    return found[1], found[2] == "desc"


def _number(options: Mapping[str, str], name: str) -> int | None:
    text = options.get(name)
    if text is None:
        return None
    if not text.isascii() or not text.isdigit():
        raise InputError(f"{name}={text}", expected="a number from 0")
    return int(text)


@dataclass(frozen=True, slots=True)
class Page:
    """Rows to be sent, how many there are in all, and whether more follow."""

    rows: tuple[Row, ...]
    total: int
    more: bool


def select(rows: Iterable[Row], query: Query, page_size: int = 0) -> Page:
    """Apply $filter, $orderby, $skip and $top; a page has at most `page_size` rows (0: as many as there are)."""
    test = predicate(query.filter) if query.filter else None
    found = [row for row in rows if test is None or test(row)]
    for name, descending in reversed(query.orderby):
        found.sort(key=lambda row: _ordered(row, name), reverse=descending)
    wanted = found[query.skip :][: query.top if query.top is not None else None]
    sent = wanted[:page_size] if page_size else wanted
    return Page(tuple(sent), len(found), len(sent) < len(wanted))


def _ordered(row: Row, path: str) -> tuple[bool, Any]:
    value: Any = row
    for name in path.split("/"):
        if not isinstance(value, Mapping) or name not in value:
            raise InputError(f"$orderby: there is no property {path}")
        value = value[name]
    return value is not None, str(value) if isinstance(value, UUID) else value


def collection(base: str, name: str, options: Mapping[str, str], query: Query, page: Page, rows: Sequence[Row]) -> Any:
    """Return the answer for a set; `rows` are the page's rows as they are to be sent (expanded)."""
    answer: dict[str, Any] = {"@odata.context": f"{base}/$metadata#{name}"}
    if query.count:
        answer["@odata.count"] = page.total
    answer["value"] = [plain(_selected(row, query)) for row in rows]
    if page.more:
        left = None if query.top is None else query.top - len(page.rows)
        following = {**options, "$skip": str(query.skip + len(page.rows))}
        following |= {} if left is None else {"$top": str(left)}
        answer["@odata.nextLink"] = f"{base}/{name}?{urlencode(following)}"
    return answer


def entity(base: str, name: str, query: Query, row: Row) -> Any:
    """Return the answer for one entity."""
    return {"@odata.context": f"{base}/$metadata#{name}/$entity", **plain(_selected(row, query))}


def _selected(row: Row, query: Query) -> Row:
    if not query.select:
        return row
    return {name: value for name, value in row.items() if name in query.select or name in query.expand}


def plain(value: Any) -> Any:
    """Return a value as JSON has it: times in UTC with milliseconds, identifiers as text."""
    if isinstance(value, Mapping):
        return {name: plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return str(value) if isinstance(value, UUID) else value


def failure(code: str, message: str) -> dict[str, Any]:
    """Return the body of an error."""
    return {"error": {"code": code, "message": message}}
