"""A STAC search as a statement."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import shapely
from shapely.errors import GEOSException
from shapely.geometry.base import BaseGeometry
from sqlalchemy import ColumnElement, Row, Select, select
from stac_fastapi.types.errors import InvalidQueryParameter
from stac_fastapi.types.rfc3339 import str_to_interval

from s2ps.inventory.publication_tables import PUBLICATIONS
from s2ps.prip.catalogue import Catalogue
from s2ps.prip.odata.areas import checked_area, relation
from s2ps.prip.odata.errors import ODataError
from s2ps.prip.odata.operands import is_text
from s2ps.prip.odata.ordering import Term, after, complete, token_of, values_of
from s2ps.prip.odata.properties import PROPERTIES

LARGEST_PAGE = 1000
_ORDER = complete((Term(PROPERTIES["ContentDate/Start"], descending=True),))
_NAMES = ("key", "id", "name", "published_at", "content_start", "content_type", "location", "quicklook")
_COLUMNS = tuple(PUBLICATIONS.c[name] for name in (*_NAMES, "stac_item", "item", "collection"))


@dataclass(frozen=True, slots=True)
class Search:
    """What a client looks for."""

    collections: tuple[str, ...] = ()
    ids: tuple[str, ...] = ()
    area: BaseGeometry | None = None
    start: datetime | None = None
    end: datetime | None = None
    limit: int = 10
    token: str | None = None

    @classmethod
    def of(
        cls,
        collections: Sequence[str] | None = None,
        ids: Sequence[str] | None = None,
        bbox: Sequence[float] | None = None,
        intersects: Any = None,
        datetime: str | None = None,
        limit: int | None = None,
        token: str | None = None,
    ) -> Search:
        """Return a search of the parameters of the API; raise InvalidQueryParameter for one that makes no sense."""
        if bbox and intersects:
            raise InvalidQueryParameter("bbox and intersects exclude each other")
        if not all(is_text(text) for text in (*(collections or ()), *(ids or ()))):
            raise InvalidQueryParameter("an id has a character that is no text")
        area = box_of(bbox) if bbox else shape_of(intersects) if intersects else None
        start, end = _interval(datetime)
        size = max(1, min(limit or 10, LARGEST_PAGE))
        return cls(tuple(collections or ()), tuple(ids or ()), area, start, end, size, token)


def find(catalogue: Catalogue, search: Search) -> tuple[Sequence[Row[Any]], str | None]:
    """Return the items of a page, the latest observation first, and the token of the next page."""
    statement: Select[Any] = select(*_COLUMNS).where(*_conditions(search, catalogue.dialect))
    if search.token is not None:
        statement = statement.where(after(_ORDER, values_of(_ORDER, search.token)))
    statement = statement.order_by(*(term.clause for term in _ORDER)).limit(search.limit + 1)
    with catalogue.reading() as connection:
        rows = connection.execute(statement).all()
    shown = rows[: search.limit]
    return shown, token_of(_ORDER, shown[-1]) if len(rows) > search.limit else None


def _conditions(search: Search, dialect: str) -> list[ColumnElement[bool]]:
    columns = PUBLICATIONS.c
    found: list[ColumnElement[bool]] = [columns.item.is_not(None), columns.collection.is_not(None)]
    if search.collections:
        found.append(columns.collection.in_(search.collections))
    if search.ids:
        found.append(columns.item.in_(search.ids))
    if search.start is not None:
        found.append(columns.content_end >= search.start)
    if search.end is not None:
        found.append(columns.content_start <= search.end)
    if search.area is not None:
        found.append(relation("Intersects", search.area, dialect))
    return found


def box_of(bbox: Sequence[float]) -> BaseGeometry:
    """Return the area of a bounding box; with its west beyond its east it crosses the antimeridian."""
    west, south, east, north = bbox if len(bbox) == 4 else (*bbox[:2], *bbox[3:5])
    if not all(math.isfinite(each) for each in bbox) or not (-90 <= south <= north <= 90):
        raise InvalidQueryParameter("bbox: latitudes go from -90 to 90, the southern one first")
    if not (-180 <= west <= 180 and -180 <= east <= 180):
        raise InvalidQueryParameter("bbox: longitudes go from -180 to 180")
    sides = [(west, east)] if west <= east else [(west, 180.0), (-180.0, east)]
    return shapely.union_all([_box(first, south, last, north) for first, last in sides])


def _box(west: float, south: float, east: float, north: float) -> BaseGeometry:
    return shapely.MultiPoint([(west, south), (east, north)]).envelope


def shape_of(geojson: Any) -> BaseGeometry:
    """Return the area of a GeoJSON geometry, given as text or as document."""
    try:
        document = json.loads(geojson) if isinstance(geojson, str) else geojson
        geometry = shapely.from_geojson(json.dumps(document))
        return checked_area(geometry)
    except (ValueError, TypeError, GEOSException, RecursionError) as error:
        raise InvalidQueryParameter("intersects is no GeoJSON geometry") from error
    except ODataError as error:
        raise InvalidQueryParameter(f"intersects: {error.message}") from error


def _interval(text: str | None) -> tuple[datetime | None, datetime | None]:
    if not text:
        return None, None
    found = str_to_interval(text)
    start, end = found if isinstance(found, tuple) else (found, found)
    try:
        return start and start.astimezone(UTC), end and end.astimezone(UTC)
    except OverflowError as error:
        raise InvalidQueryParameter(f"datetime: {text[:80]} is outside the years 1 to 9999") from error
