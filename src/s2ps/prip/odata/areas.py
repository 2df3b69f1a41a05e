"""Areas on the ground in a $filter, and how footprints lie to them."""

from __future__ import annotations

import itertools
import math
import re

import shapely
from odata_query import ast
from shapely.errors import GEOSException
from shapely.geometry import MultiPolygon, Polygon
from shapely.geometry.base import BaseGeometry
from sqlalchemy import ColumnElement, and_, func

from s2ps.inventory.columns import POSTGRESQL
from s2ps.inventory.geometry import footprint_of, shape
from s2ps.inventory.publication_tables import PUBLICATIONS
from s2ps.model.errors import InputError
from s2ps.prip.odata.errors import ODataError, bad
from s2ps.prip.odata.operands import Operand, condition
from s2ps.prip.odata.properties import GEOGRAPHIC

NAMESPACE = ("OData", "CSC")
FUNCTIONS = ("Intersects", "Within", "Disjoints")
_TARGET = "$filter"
_REFERENCE = re.compile(r"\s*SRID\s*=\s*(\d+)\s*;(.*)", re.IGNORECASE | re.DOTALL)
_FORM = "geography'SRID=4326;POLYGON((10 45,11 45,11 46,10 46,10 45))'"
_KINDS = ("Point", "MultiPoint", "LineString", "MultiLineString", "Polygon", "MultiPolygon")


def geographic(name: str, arguments: list[ast._Node], dialect: str) -> Operand:
    """Return the condition of OData.CSC.Intersects, Within or Disjoints, in any of the spellings clients use.

    `(geo_property=Footprint,geo_shape=geography'...')`, `(location=Footprint,area=geography'...')`, `(area=...)`.
    A product without footprint fulfils none of them.
    """
    if name not in FUNCTIONS:
        raise bad(f"there is no function OData.CSC.{name}; there are {', '.join(FUNCTIONS)}", _TARGET)
    area = parse_area(_literal(name, arguments))
    return condition(relation(name, area, dialect))


def relation(name: str, area: BaseGeometry, dialect: str) -> ColumnElement[bool]:
    """Return the condition that footprints meet, lie within or lie apart from an area (degrees, EPSG:4326)."""
    columns = PUBLICATIONS.c
    known = columns.footprint.is_not(None)
    if name == "Disjoints":
        return and_(known, func.ST_Disjoint(columns.footprint, shape(area)))
    predicate = func.ST_Intersects if name == "Intersects" else func.ST_Within
    holds: ColumnElement[bool] = predicate(columns.footprint, shape(area))
    if dialect == POSTGRESQL:
        return and_(known, holds)
    west, south, east, north = area.bounds
    near = (columns.west <= east, columns.east >= west, columns.south <= north, columns.north >= south)
    return and_(known, *near, holds)


def parse_area(text: str) -> BaseGeometry:
    """Return the geometry of `SRID=4326;WKT`, cut at the antimeridian; raise ODataError when it is none."""
    found = _REFERENCE.fullmatch(text)
    if found and found[1] != "4326":
        raise bad(f"SRID {found[1]} is not offered, only 4326", _TARGET)
    try:
        geometry = shapely.from_wkt(found[2] if found else text)
    except (GEOSException, ValueError, TypeError) as error:
        raise _no_area(str(error)) from error
    if geometry is None:
        raise _no_area("it is empty")
    return checked_area(geometry)


def checked_area(geometry: BaseGeometry) -> BaseGeometry:
    """Return a geometry to search with, two-dimensional, valid, cut at the antimeridian; raise ODataError.

    An edge goes the short way round, so from 179 to -179 it crosses the antimeridian; only from -180 to 180 it goes
    around the world.
    """
    if geometry.is_empty or geometry.geom_type not in _KINDS:
        raise _no_area(f"it is an empty {geometry.geom_type}" if geometry.is_empty else f"it is a {geometry.geom_type}")
    flat = shapely.force_2d(geometry)
    west, south, east, north = flat.bounds
    if not all(math.isfinite(each) for each in flat.bounds) or south < -90 or north > 90:
        raise _no_area("latitudes go from -90 to 90")
    polygonal = isinstance(flat, Polygon | MultiPolygon)
    if west < (-360 if polygonal else -180) or east > (360 if polygonal else 180):
        raise _no_area("longitudes go from -180 to 180")
    if not polygonal:
        return flat
    try:
        areas = shapely.union_all([_cut(polygon) for polygon in shapely.get_parts(flat)])
    except (InputError, GEOSException, ValueError) as error:
        raise _no_area(str(error)) from error
    parts = [part for part in shapely.get_parts(areas) if isinstance(part, Polygon)]
    if not parts:
        raise _no_area("it has no area")
    return parts[0] if len(parts) == 1 else MultiPolygon(parts)


def _cut(polygon: Polygon) -> BaseGeometry:
    rings = [polygon.exterior, *polygon.interiors]
    if not any(_crosses(list(ring.coords)) for ring in rings):
        return shapely.make_valid(polygon)
    outer, *holes = (footprint_of(ring.coords) for ring in rings)
    return shapely.difference(outer, shapely.union_all(holes)) if holes else outer


def _crosses(ring: list[tuple[float, ...]]) -> bool:
    steps = (abs(after[0] - before[0]) for before, after in itertools.pairwise(ring))
    return any(180 < step < 360 for step in steps) or any(abs(point[0]) > 180 for point in ring)


def _literal(name: str, arguments: list[ast._Node]) -> str:
    named = {
        argument.name.name.lower(): argument.param for argument in arguments if isinstance(argument, ast.NamedParam)
    }
    area = named.pop("geo_shape", None) or named.pop("area", None)
    place = named.pop("geo_property", None) or named.pop("location", None)
    if named or len(named) + (area is not None) + (place is not None) != len(arguments):
        raise bad(f"OData.CSC.{name} takes (geo_property=Footprint,geo_shape={_FORM})", _TARGET)
    if place is not None and not (isinstance(place, ast.Identifier) and place.name in GEOGRAPHIC):
        raise bad(f"OData.CSC.{name} looks at {' or '.join(GEOGRAPHIC)} only", _TARGET)
    if not isinstance(area, ast.Geography):
        raise bad(f"OData.CSC.{name} needs an area such as {_FORM}", _TARGET)
    return str(area.val)


def _no_area(reason: str) -> ODataError:
    return bad(f"the area cannot be used: {reason[:200]}; expected {_FORM}", _TARGET)
