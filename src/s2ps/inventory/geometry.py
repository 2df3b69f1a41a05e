"""Footprints in the inventory: one geometry in EPSG:4326, valid over the antimeridian and the poles."""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any

import shapely
from geoalchemy2 import Geometry
from shapely import MultiPolygon, Polygon, box, make_valid, union_all
from shapely.affinity import translate
from shapely.geometry.base import BaseGeometry
from sqlalchemy import Column, ColumnElement, Dialect, Float, Index, LargeBinary, Table, and_, func, literal
from sqlalchemy.types import TypeDecorator, TypeEngine

from s2ps.inventory.columns import ONLY, POSTGRESQL
from s2ps.model.errors import InputError

SRID = 4326
BOX = ("west", "south", "east", "north")
"""Bounding box columns beside a footprint (degrees); over the antimeridian they span -180 to 180."""
PREDICATES: dict[str, Callable[[BaseGeometry, BaseGeometry], object]] = {
    "st_intersects": shapely.intersects,
    "st_within": shapely.within,
    "st_disjoint": shapely.disjoint,
}


class Footprint(TypeDecorator[BaseGeometry]):
    """A shapely geometry (degrees, EPSG:4326): PostGIS `geometry` in PostgreSQL, WKB in SQLite."""

    impl = Geometry
    cache_ok = True

    def __init__(self) -> None:
        super().__init__("GEOMETRY", srid=SRID, spatial_index=False)

    def load_dialect_impl(self, dialect: Dialect | None) -> TypeEngine[Any]:
        """Return the type of the database; GeoAlchemy asks without one too."""
        if dialect is not None and dialect.name != POSTGRESQL:
            return dialect.type_descriptor(LargeBinary())
        return self.impl_instance

    def process_bind_param(self, value: BaseGeometry | None, dialect: Dialect) -> Any:
        """Write a geometry."""
        if value is None:
            return None
        if dialect.name == POSTGRESQL:
            return f"SRID={SRID};{shapely.to_wkt(value, rounding_precision=-1)}"
        return shapely.to_wkb(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> BaseGeometry | None:
        """Read a geometry."""
        if value is None:
            return None
        return shapely.from_wkb(value if isinstance(value, bytes) else bytes.fromhex(str(value.desc)))


def footprint_columns() -> tuple[Column[Any], ...]:
    """Return the columns of a footprint, for the definition of a table."""
    return (Column("footprint", Footprint), *(Column(name, Float) for name in BOX))


def footprint_indexes(table: str) -> tuple[Index, ...]:
    """Return the indexes of the footprint columns of a table: GiST in PostgreSQL, the box in SQLite."""
    gist = Index(f"{table}_by_footprint", "footprint", postgresql_using="gist", info={ONLY: POSTGRESQL})
    by_box = Index(f"{table}_by_box", "west", "east", info={ONLY: "sqlite"})
    return gist.ddl_if(dialect=POSTGRESQL), by_box.ddl_if(dialect="sqlite")


def footprint_values(footprint: BaseGeometry | None) -> dict[str, Any]:
    """Return the values of the footprint columns."""
    box = (None,) * 4 if footprint is None else footprint.bounds
    return {"footprint": footprint, **dict(zip(BOX, box, strict=True))}


def intersects(table: Table, area: BaseGeometry) -> ColumnElement[bool]:
    """Return the condition that a footprint meets an area; by the boxes first, which an index answers."""
    west, south, east, north = area.bounds
    columns = table.c
    near = and_(columns.west <= east, columns.east >= west, columns.south <= north, columns.north >= south)
    return and_(near, func.ST_Intersects(columns.footprint, shape(area)))


def shape(area: BaseGeometry) -> ColumnElement[Any]:
    """Return a geometry as a value of a query."""
    return literal(area, Footprint)


def footprint_of(ring: Iterable[tuple[float, float]]) -> Polygon | MultiPolygon:
    """Return a valid footprint of a closed or open ring of (longitude, latitude) in degrees.

    A step from point to point is the short way round, so a ring may cross or touch the antimeridian, where it is cut.
    One around a pole is led over it: an observation is small, so the near pole is meant. Raises InputError for a ring
    without an area.
    """
    points = [(float(longitude), min(max(float(latitude), -90.0), 90.0)) for longitude, latitude in ring]
    if len(set(points)) < 3:
        raise InputError(
            f"footprint of {len(set(points))} points is no area", expected="a ring of (longitude, latitude)"
        )
    whole = make_valid(Polygon(_over_pole(_unrolled(points))))
    west, _, east, _ = whole.bounds
    turns = range(math.floor((west + 180) / 360), math.ceil((east + 180) / 360))
    parts = [translate(whole & box(360 * turn - 180, -90, 360 * turn + 180, 90), -360 * turn) for turn in turns]
    areas = [part for part in shapely.get_parts(union_all(parts)) if isinstance(part, Polygon)]
    if not areas:
        raise InputError("footprint has no area", expected="a ring of (longitude, latitude) in degrees")
    return areas[0] if len(areas) == 1 else MultiPolygon(areas)


def register_functions(connection: sqlite3.Connection) -> None:
    """Give SQLite the spatial functions of PostGIS that queries use."""
    for name, predicate in PREDICATES.items():
        connection.create_function(name, 2, _nullable(predicate), deterministic=True)
    for name in ("st_geomfromtext", "st_geomfromewkt", "st_geogfromtext"):
        connection.create_function(name, -1, _from_text, deterministic=True)


def _unrolled(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return the closed ring with longitudes that do not jump; around a pole, the last is 360 from the first."""
    found = points[:1]
    for longitude, latitude in [*points[1:], points[0]]:
        before = found[-1][0]
        found.append((before + (longitude - before + 180) % 360 - 180, latitude))
    return found


def _over_pole(ring: list[tuple[float, float]]) -> list[tuple[float, float]]:
    first, last = ring[0], ring[-1]
    if abs(last[0] - first[0]) < 180:
        return [*ring[:-1], first]
    pole = 90.0 if sum(latitude for _, latitude in ring) > 0 else -90.0
    return [*ring, (last[0], pole), (first[0], pole)]


def _nullable(predicate: Callable[[BaseGeometry, BaseGeometry], object]) -> Callable[[Any, Any], int | None]:
    def call(first: Any, second: Any) -> int | None:
        if first is None or second is None:
            return None
        return int(bool(predicate(_read(first), _read(second))))

    return call


@lru_cache(maxsize=64)
def _read(value: bytes | str) -> BaseGeometry:
    return shapely.from_wkb(value) if isinstance(value, bytes) else shapely.from_wkt(value.rpartition(";")[2])


def _from_text(text: str | None, *_srid: int) -> bytes | None:
    return None if text is None else bytes(shapely.to_wkb(_read(text)))
