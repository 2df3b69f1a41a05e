"""The tiling grid: MGRS 100 km squares in UTM, shrunk around an anchor for small simulations."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from s2ps.model.errors import InputError

TILE_METRES = 109_800
SQUARE_METRES = 100_000
_ROWS = "ABCDEFGHJKLMNPQRSTUV"
_COLUMNS = ("STUVWXYZ", "ABCDEFGH", "JKLMNPQR")
_LATITUDE_BANDS = "CDEFGHJKLMNPQRSTUVWX"
Point = tuple[float, float]
Ring = Sequence[Point]


@dataclass(frozen=True, slots=True)
class Tile:
    """One tile: name (without leading T), EPSG code, upper-left corner in metres, scale of the simulation."""

    name: str
    epsg: int
    ulx: int
    uly: int
    scale: int = 1

    def size(self, resolution: int) -> int:
        """Rows and columns at 10, 20 or 60 m (10,980 at scale 1 and 10 m)."""
        return TILE_METRES // self.scale // resolution // (60 // resolution) * (60 // resolution)

    def transform(self, resolution: int) -> tuple[float, float, float, float, float, float]:
        """Affine transform (a, b, c, d, e, f) from column, row to easting, northing of pixel corners."""
        return (float(resolution), 0.0, float(self.ulx), 0.0, float(-resolution), float(self.uly))

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """West, south, east, north in metres."""
        extent = self.size(60) * 60
        return (self.ulx, self.uly - extent, self.ulx + extent, self.uly)

    @property
    def polygon(self) -> list[Point]:
        """Closed ring of corners (easting, northing), clockwise from the upper left."""
        west, south, east, north = self.bounds
        return [(west, north), (east, north), (east, south), (west, south), (west, north)]


@dataclass(frozen=True, slots=True)
class TileGrid:
    """The grid of one UTM zone; at scale s distances from the anchor are 1/s of the real ones, names stay real."""

    epsg: int
    anchor_easting: float
    anchor_northing: float
    scale: int = 1

    @property
    def zone(self) -> int:
        """UTM zone, 1..60."""
        return self.epsg % 100

    @property
    def north(self) -> bool:
        """Whether the zone is on the northern hemisphere."""
        return self.epsg // 100 == 326

    def _shrunk(self, value: float, anchor: float) -> float:
        return anchor + (value - anchor) / self.scale

    def _tile_of_square(self, column: int, row: int) -> Tile:
        left = self._shrunk(column * SQUARE_METRES, self.anchor_easting)
        top = self._shrunk((row + 1) * SQUARE_METRES, self.anchor_northing)
        name = f"{self.zone:02d}{self._latitude_band(row)}{self._letters(column, row)}"
        return Tile(name, self.epsg, 60 * math.floor(left / 60), 60 * math.ceil(top / 60), self.scale)

    def _letters(self, column: int, row: int) -> str:
        offset = 0 if self.zone % 2 else 5
        return _COLUMNS[self.zone % 3][column - 1] + _ROWS[(row + offset) % 20]

    def _latitude_band(self, row: int) -> str:
        """Letter of the 8 degree band of the middle of a square, from its northing (good to the band's own width)."""
        northing = (row + 0.5) * SQUARE_METRES
        latitude = northing / 110_950 if self.north else (northing - 10_000_000) / 110_950
        return _LATITUDE_BANDS[min(19, max(0, int((latitude + 80) // 8)))]

    def tile(self, name: str) -> Tile:
        """Return the tile of an MGRS name such as "32TPQ"; only this zone is known."""
        for column in range(1, 9):
            for row in range(100):
                if name[3:] == self._letters(column, row) and name[2:3] == self._latitude_band(row):
                    found = self._tile_of_square(column, row)
                    if found.name == name:
                        return found
        raise InputError(f"tile {name!r} is not in UTM zone {self.zone}", expected=f"a name such as {self.zone:02d}TPQ")

    def tiles_near(self, west: float, south: float, east: float, north: float) -> Iterator[Tile]:
        """Yield the tiles whose extent meets a rectangle in metres, north to south and west to east."""
        back = self.scale
        margin = TILE_METRES - SQUARE_METRES
        first_column = (self.anchor_easting + (west - self.anchor_easting) * back - margin) // SQUARE_METRES
        last_column = (self.anchor_easting + (east - self.anchor_easting) * back) // SQUARE_METRES
        first_row = (self.anchor_northing + (south - self.anchor_northing) * back) // SQUARE_METRES
        last_row = (self.anchor_northing + (north - self.anchor_northing) * back + margin) // SQUARE_METRES
        for row in range(int(last_row), int(first_row) - 1, -1):
            for column in range(max(1, int(first_column)), min(8, int(last_column)) + 1):
                tile = self._tile_of_square(column, row)
                tile_west, tile_south, tile_east, tile_north = tile.bounds
                if tile_west < east and tile_east > west and tile_south < north and tile_north > south:
                    yield tile

    def tiles_intersecting(self, ring: Ring) -> list[Tile]:
        """Return the tiles that a simple polygon (easting, northing) meets, north to south and west to east."""
        eastings = [point[0] for point in ring]
        northings = [point[1] for point in ring]
        near = self.tiles_near(min(eastings), min(northings), max(eastings), max(northings))
        return [tile for tile in near if _rings_meet(tile.polygon, ring)]


def _rings_meet(box: Ring, ring: Ring) -> bool:
    west, north = box[0]
    east, south = box[2]
    return len(_clip(list(ring), west, south, east, north)) > 2


def _clip(ring: list[Point], west: float, south: float, east: float, north: float) -> list[Point]:
    """Clip a polygon to a rectangle (Sutherland-Hodgman)."""
    for axis, limit, keep_above in ((0, west, True), (0, east, False), (1, south, True), (1, north, False)):
        ring = _clip_side(ring, axis, limit, keep_above)
        if not ring:
            break
    return ring


def _clip_side(ring: list[Point], axis: int, limit: float, keep_above: bool) -> list[Point]:
    kept: list[Point] = []
    for index, point in enumerate(ring):
        previous = ring[index - 1]
        inside = (point[axis] > limit) if keep_above else (point[axis] < limit)
        was_inside = (previous[axis] > limit) if keep_above else (previous[axis] < limit)
        if inside != was_inside:
            share = (limit - previous[axis]) / (point[axis] - previous[axis])
            kept.append(
                (previous[0] + share * (point[0] - previous[0]), previous[1] + share * (point[1] - previous[1]))
            )
        if inside:
            kept.append(point)
    return kept
