"""The query options of a request for products."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement

from s2ps.prip.odata.errors import ODataError, bad, not_offered
from s2ps.prip.odata.filtering import filter_condition
from s2ps.prip.odata.ordering import DEFAULT, Term, complete, parse_order, values_of
from s2ps.prip.odata.properties import NAVIGATION, SHOWN

DEFAULT_PAGE = 100
LARGEST_PAGE = 1000
_OFFERED = ("$filter", "$orderby", "$top", "$skip", "$skiptoken", "$count", "$select", "$expand", "$format")
_KNOWN_ELSEWHERE = ("$search", "$apply", "$compute", "$index", "$levels", "$deltatoken", "$schemaversion")
_NUMBER = re.compile(r"\d{1,18}")
_JSON = re.compile(r"json|application/json(;.*)?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Query:
    """What a client asks for."""

    order: tuple[Term, ...]
    """A complete order."""
    condition: ColumnElement[bool] | None = None
    after: tuple[Any, ...] | None = None
    """The values of the last product of the page before."""
    top: int | None = None
    skip: int = 0
    count: bool = False
    select: tuple[str, ...] = SHOWN
    expand: tuple[str, ...] = ()
    page: int = DEFAULT_PAGE
    """Products of one answer, at most."""
    given: tuple[tuple[str, str], ...] = ()
    """The options as the client wrote them."""

    @property
    def rows(self) -> int:
        """Return how many products this answer may have."""
        return self.page if self.top is None else min(self.page, self.top)


def parse_options(items: Iterable[tuple[str, str]], dialect: str, preferred: int | None = None) -> Query:
    """Return the query of options as decoded from an address; raise ODataError naming the option that is wrong.

    `preferred` is the page size a client asked for by `Prefer: odata.maxpagesize`. With a $top of at most the largest
    page everything comes in one answer. Options without $ are none of OData and are not looked at.
    """
    given = tuple((name, value) for name, value in items if name.startswith("$"))
    options = _unique(given)
    order = complete(parse_order(options["$orderby"]) if "$orderby" in options else DEFAULT)
    top = _number("$top", options)
    _format(options)
    return Query(
        order=order,
        condition=filter_condition(options["$filter"], dialect) if "$filter" in options else None,
        after=values_of(order, options["$skiptoken"]) if "$skiptoken" in options else None,
        top=top,
        skip=_number("$skip", options) or 0,
        count=_flag("$count", options),
        select=_select(options.get("$select")),
        expand=_expand(options.get("$expand")),
        page=max(1, min(preferred or (LARGEST_PAGE if top is not None else DEFAULT_PAGE), LARGEST_PAGE)),
        given=given,
    )


def _unique(given: Sequence[tuple[str, str]]) -> dict[str, str]:
    options: dict[str, str] = {}
    for name, value in given:
        if name in options:
            raise bad(f"{name} is given twice", name)
        if name in _KNOWN_ELSEWHERE:
            raise not_offered(f"{name} is not offered", name)
        if name not in _OFFERED:
            raise bad(f"there is no option {name[:40]}; there are {', '.join(_OFFERED)}", name[:40])
        options[name] = value
    return options


def _number(name: str, options: dict[str, str]) -> int | None:
    if name not in options:
        return None
    if not _NUMBER.fullmatch(options[name]) or not options[name].isascii():
        raise bad(f"{name}={options[name][:40]} is no whole number from 0 up", name)
    return int(options[name])


def _flag(name: str, options: dict[str, str]) -> bool:
    text = options.get(name, "false").lower()
    if text not in ("true", "false"):
        raise bad(f"{name}={text[:40]} is neither true nor false", name)
    return text == "true"


def _format(options: dict[str, str]) -> None:
    text = options.get("$format", "json")
    if not _JSON.fullmatch(text):
        raise ODataError(406, f"answers are JSON, not {text[:40]}", "$format")


def _select(text: str | None) -> tuple[str, ...]:
    if text is None:
        return SHOWN
    names = [name.strip().partition("/")[0] for name in text.split(",")]
    unknown = [name for name in names if name not in (*SHOWN, "*", *NAVIGATION)]
    if unknown:
        raise bad(f"there is no property {unknown[0][:80]!r}; there are {', '.join(SHOWN)}", "$select")
    return SHOWN if "*" in names else tuple(name for name in SHOWN if name in names)


def _expand(text: str | None) -> tuple[str, ...]:
    if text is None:
        return ()
    if "(" in text:
        raise not_offered("options inside $expand are not offered", "$expand")
    names = [name.strip() for name in text.split(",")]
    unknown = [name for name in names if name not in (*NAVIGATION, "*")]
    if unknown:
        raise bad(f"{unknown[0][:80]!r} cannot be expanded; {' and '.join(NAVIGATION)} can", "$expand")
    return NAVIGATION if "*" in names else tuple(name for name in NAVIGATION if name in names)
