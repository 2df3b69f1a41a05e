"""Outline of the pixels of a tile that hold data."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ipf_adapters.reference.l1c.inverse_grid import projections
from ipf_adapters.reference.l1c.tile_folder import TileSheet

Point = tuple[float, float]
SAMPLES = 64


def data_ring(covered: NDArray[np.bool_], sheet: TileSheet, resolution: int) -> list[Point]:
    """Return the convex outline (lon, lat in degrees, closed, clockwise) of the covered pixels; empty without any."""
    hull = convex_hull(_outer_pixels(covered))
    if len(hull) < 3:
        return []
    columns, rows = np.array(hull).T
    x = sheet.ulx + columns * resolution
    y = sheet.uly - rows * resolution
    lon, lat = projections(sheet.epsg)[1](x, y)
    ring = [(round(float(a), 9), round(float(b), 9)) for a, b in zip(lon, lat, strict=True)]
    return [*ring, ring[0]]


def _outer_pixels(covered: NDArray[np.bool_]) -> list[Point]:
    """Return the corners (column, row) of the outer covered pixels of sampled rows, first and last row included."""
    rows = np.flatnonzero(covered.any(axis=1))
    if not len(rows):
        return []
    step = max(1, len(rows) // SAMPLES)
    points: list[Point] = []
    for row in [*rows[::step], rows[-1]]:
        columns = np.flatnonzero(covered[row])
        for edge in (row, row + 1):
            points += [(float(columns[0]), float(edge)), (float(columns[-1] + 1), float(edge))]
    return points


def convex_hull(points: list[Point]) -> list[Point]:
    """Return the corners of the convex hull in order, without repeating the first (Andrew's monotone chain)."""
    ordered = sorted(set(points))
    if len(ordered) < 3:
        return ordered
    lower, upper = _chain(ordered), _chain(ordered[::-1])
    return lower[:-1] + upper[:-1]


def _chain(points: list[Point]) -> list[Point]:
    chain: list[Point] = []
    for point in points:
        while len(chain) > 1 and _turn(chain[-2], chain[-1], point) <= 0:
            chain.pop()
        chain.append(point)
    return chain


def _turn(a: Point, b: Point, c: Point) -> float:
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
