"""OData v4 from the client's side: rows of a set, page by page."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import httpx

from s2ps.ingestion.web import StationError, Web, station_time
from s2ps.model.timestamps import parse_utc

MOST_PAGES = 10_000
Row = Mapping[str, Any]


class ODataService:
    """The entity sets of one station."""

    def __init__(self, web: Web, page: int) -> None:
        self._web, self._page = web, page
        self.time: datetime | None = None
        """The station's clock at the last answer."""

    def rows(self, name: str, **options: str) -> Iterator[Row]:
        """Yield the rows of a set; options are those of OData without the dollar sign.

        Pages are followed by @odata.nextLink where the station gives one, else by $skip. Raises StationError when an
        answer is no list, or a link leads to another server.
        """
        skip = 0
        url = self._url(name, {**options, "top": str(self._page)})
        for _ in range(MOST_PAGES):
            document = self._document(url)
            found = document.get("value")
            if not isinstance(found, list) or not all(isinstance(row, dict) for row in found):
                raise StationError(f"answer of {url.path} has no list `value`", next_step="check the station's url")
            yield from found
            link = document.get("@odata.nextLink")
            if link:
                url = self._following(url, str(link))
            elif len(found) < self._page:
                return
            else:
                skip += len(found)
                url = self._url(name, {**options, "top": str(self._page), "skip": str(skip)})
        raise StationError(f"{name} has more than {MOST_PAGES} pages", next_step="ask the station")

    def value(self, name: str, ident: str) -> httpx.URL:
        """Return where the bytes of an entity are."""
        return self._at(f"{name}({quote(ident, safe='-')})/$value")

    def _url(self, name: str, options: Mapping[str, str]) -> httpx.URL:
        query = "&".join(f"${key}={quote(text, safe='')}" for key, text in options.items())
        return self._at(f"{name}?{query}")

    def _at(self, relative: str) -> httpx.URL:
        base = self._web.base
        return base.copy_with(raw_path=base.raw_path.rstrip(b"/") + b"/" + relative.encode("ascii"))

    def _following(self, url: httpx.URL, link: str) -> httpx.URL:
        try:
            target = url.join(link)
        except (httpx.InvalidURL, ValueError) as error:
            raise StationError(f"the next page of {url.path} is no address: {error}") from error
        if not self._web.same_place(target):
            raise StationError(f"the next page of {url.path} is said to be at {target.host}", expected="the station")
        if target == url:
            raise StationError(f"the next page of {url.path} is the page itself", next_step="ask the station")
        return target

    def _document(self, url: httpx.URL) -> dict[str, Any]:
        answer = self._web.text("GET", url, headers={"Accept": "application/json"})
        self.time = station_time(answer) or self.time
        try:
            document = json.loads(answer.content)
        except (ValueError, RecursionError) as error:
            raise StationError(f"answer of {url.path} is no JSON: {error}") from error
        if not isinstance(document, dict):
            raise StationError(f"answer of {url.path} is no JSON object")
        return document


def literal(text: str) -> str:
    """Return text as OData writes it in a filter."""
    return "'" + text.replace("'", "''") + "'"


def instant(moment: datetime) -> str:
    """Return a time for a filter: milliseconds, cut, so that `ge` loses nothing."""
    text = moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds")
    return text[:-3] + "Z"


def text_of(row: Row, name: str) -> str:
    """Return a text of a row; ValueError when it is not there."""
    value = row.get(name)
    if not isinstance(value, str) or not value:
        raise ValueError(f"{name} is {value!r}")
    return value


def number_of(row: Row, name: str) -> int:
    """Return a whole number of a row, which some stations write as text; ValueError when it is none."""
    value = row.get(name)
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise ValueError(f"{name} is {value!r}")  # noqa: TRY004
    return int(value)


def moment_of(row: Row, name: str) -> datetime:
    """Return a time of a row (UTC; stations that name no zone mean UTC); ValueError when it is none."""
    try:
        return parse_utc(text_of(row, name))
    except OverflowError as error:
        raise ValueError(f"{name} is {row.get(name)!r}") from error
