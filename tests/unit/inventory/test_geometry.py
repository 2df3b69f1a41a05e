"""Footprints: valid everywhere, stored and found in both databases."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from shapely import Polygon, box
from shapely.geometry.base import BaseGeometry
from sqlalchemy import Column, Connection, MetaData, Table, Text, func, select

from s2ps.inventory.geometry import (
    footprint_columns,
    footprint_indexes,
    footprint_of,
    footprint_values,
    intersects,
    shape,
)
from s2ps.inventory.store import Inventory
from s2ps.model.errors import InputError

PLACES = Table(
    "places", MetaData(), Column("name", Text, primary_key=True), *footprint_columns(), *footprint_indexes("places")
)
STRIPS = {
    "alps": [(10, 45), (12, 45), (11.5, 47), (9.5, 47)],
    "fiji": [(179, -18), (-179, -18), (-179.4, -16), (178.6, -16)],
    "far": [(179, -18), (181, -18), (180.6, -16), (178.6, -16)],
    "touching": [(178, 10), (180, 10), (-180, 12), (178, 12)],
    "beginning": [(180, 20), (-179, 20), (-179, 22), (-180, 22)],
    "north": [(0, 86), (90, 86), (180, 86), (-90, 86)],
    "south": [(0, -84), (-90, -84), (180, -84), (90, -84)],
}


@pytest.fixture
def connection(inventory: Inventory) -> Iterator[Connection]:
    with inventory.transaction() as connection:
        PLACES.metadata.create_all(connection)
        for name, ring in STRIPS.items():
            connection.execute(PLACES.insert().values(name=name, **footprint_values(footprint_of(ring))))
        connection.execute(PLACES.insert().values(name="nowhere", **footprint_values(None)))
        yield connection


def names(connection: Connection, area: BaseGeometry) -> list[str]:
    query = select(PLACES.c.name).where(intersects(PLACES, area)).order_by(PLACES.c.name)
    return list(connection.scalars(query))


def test_footprints_come_back_to_the_last_digit(connection: Connection) -> None:
    odd = footprint_of([(0.1, 1 / 3), (2 / 3, 0.1), (0.7, 0.9)])
    connection.execute(PLACES.insert().values(name="odd", **footprint_values(odd)))
    rows = {row.name: row.footprint for row in connection.execute(select(PLACES))}
    assert rows["odd"].equals_exact(odd, 0)
    assert rows["nowhere"] is None
    assert rows["fiji"].geom_type == "MultiPolygon"


def test_areas_find_footprints_on_both_sides_of_the_antimeridian(connection: Connection) -> None:
    assert names(connection, box(179.2, -17, 179.5, -16.8)) == ["far", "fiji"]
    assert names(connection, box(-179.9, -17, -179.6, -16.8)) == ["far", "fiji"]
    assert names(connection, box(0, -17, 1, -16.8)) == []
    assert names(connection, box(10.5, 45.5, 10.6, 45.6)) == ["alps"]


def test_areas_at_the_poles_find_strips_around_them(connection: Connection) -> None:
    assert names(connection, box(40, 89, 41, 89.5)) == ["north"]
    assert names(connection, box(-140, -89.5, -139, -89)) == ["south"]
    assert names(connection, box(40, 70, 41, 80)) == []


def test_within_and_disjoint(connection: Connection) -> None:
    europe = shape(box(-10, 35, 30, 60))
    within = select(PLACES.c.name).where(func.ST_Within(PLACES.c.footprint, europe))
    assert list(connection.scalars(within)) == ["alps"]
    disjoint = select(PLACES.c.name).where(func.ST_Disjoint(PLACES.c.footprint, europe)).order_by(PLACES.c.name)
    assert list(connection.scalars(disjoint)) == ["beginning", "far", "fiji", "north", "south", "touching"]


@pytest.mark.parametrize("ring", STRIPS.values(), ids=list(STRIPS))
@pytest.mark.parametrize("turned", [False, True], ids=["as it is", "the other way round"])
def test_footprints_are_valid_and_small(ring: list[tuple[float, float]], turned: bool) -> None:
    found = footprint_of(list(reversed(ring)) if turned else ring)
    assert found.is_valid
    west, south, east, north = found.bounds
    assert (west >= -180, south >= -90, east <= 180, north <= 90) == (True,) * 4
    assert found.area < 360 * 8
    assert (north == 90, south == -90) == (ring[0][1] > 80, ring[0][1] < -80)


@given(
    st.floats(-180, 180), st.floats(-82, 82), st.floats(0.5, 3), st.floats(0.5, 20),
    st.floats(-1, 1), st.booleans(),
)  # fmt: skip
def test_any_strip_has_a_valid_footprint_of_its_own_size(
    longitude: float, latitude: float, width: float, length: float, slant: float, turned: bool
) -> None:
    latitude = max(-82 + length, latitude) if latitude < 0 else latitude - length
    ring = [
        (longitude, latitude),
        (longitude + width, latitude),
        (longitude + width + slant, latitude + length),
        (longitude + slant, latitude + length),
    ]
    wrapped = [((lon + 180) % 360 - 180, lat) for lon, lat in ring]
    found = footprint_of(list(reversed(wrapped)) if turned else wrapped)
    assert found.is_valid
    assert len(shapely.get_parts(found)) <= 2
    assert found.area == pytest.approx(Polygon(ring).area, rel=1e-6)


@pytest.mark.parametrize("ring", [[], [(1, 2), (1, 2), (1, 2)], [(0, 0), (1, 1), (2, 2)]])
def test_what_is_no_area_is_refused(ring: list[tuple[float, float]]) -> None:
    with pytest.raises(InputError, match="footprint"):
        footprint_of(ring)
