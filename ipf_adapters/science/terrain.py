"""Heights of the ground from a DEM and a geoid, both GeoTIFF in EPSG:4326."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ipf_adapters.science.light_rasterio import import_rasterio
from s2ps.model.errors import InputError

Array = NDArray[np.float64]


@dataclass(frozen=True)
class HeightTile:
    """One GeoTIFF of heights in metres; read when first needed."""

    path: Path
    west: float
    north: float
    step_lon: float
    step_lat: float
    rows: int
    cols: int
    nodata: float | None

    @classmethod
    def open(cls, path: Path) -> HeightTile:
        """Read the georeference; raises InputError when it is not a north-up grid in degrees."""
        rasterio = import_rasterio()
        try:
            with rasterio.open(path) as source:
                transform, crs = source.transform, source.crs
                size, nodata = (source.height, source.width), source.nodata
        except rasterio.errors.RasterioIOError as error:
            raise InputError(f"height file {path}: {error}", expected="a GeoTIFF") from error
        if transform.b or transform.d or (crs is not None and not crs.is_geographic):
            raise InputError(f"height file {path} is no north-up grid in degrees", expected="EPSG:4326")
        return cls(path, transform.c, transform.f, transform.a, -transform.e, *size, nodata)

    @cached_property
    def heights(self) -> NDArray[np.float32]:
        """All heights of the file, no-data as 0 (sea)."""
        with import_rasterio().open(self.path) as source:
            values: NDArray[np.float32] = source.read(1).astype(np.float32)
        if self.nodata is not None:
            values[values == np.float32(self.nodata)] = 0.0
        return values

    def covers(self, lon: Array, lat: Array) -> NDArray[np.bool_]:
        """Tell which points lie inside, borders included."""
        east, south = self.west + self.cols * self.step_lon, self.north - self.rows * self.step_lat
        inside: NDArray[np.bool_] = (lon >= self.west) & (lon <= east) & (lat <= self.north) & (lat >= south)
        return inside

    def sample(self, lon: Array, lat: Array) -> Array:
        """Interpolate bilinearly between pixel centres, held in the outer half pixel."""
        x = np.clip((lon - self.west) / self.step_lon - 0.5, 0.0, self.cols - 1.0)
        y = np.clip((self.north - lat) / self.step_lat - 0.5, 0.0, self.rows - 1.0)
        left = np.minimum(x.astype(np.intp), max(self.cols - 2, 0))
        top = np.minimum(y.astype(np.intp), max(self.rows - 2, 0))
        right, bottom = np.minimum(left + 1, self.cols - 1), np.minimum(top + 1, self.rows - 1)
        u, v = x - left, y - top
        grid, top, bottom = self.heights.ravel(), top * self.cols, bottom * self.cols
        upper = grid[top + left] * (1.0 - u) + grid[top + right] * u
        lower = grid[bottom + left] * (1.0 - u) + grid[bottom + right] * u
        blended: Array = upper * (1.0 - v) + lower * v
        return blended


class HeightGrid:
    """All height files of a folder seen as one surface; 0 where none covers a point."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._tiles = tuple(HeightTile.open(path) for path in _height_files(folder))
        if not self._tiles:
            raise InputError(
                f"height folder {folder} holds no GeoTIFF",
                expected="one or more .tif",
                next_step="stage the static data",
            )

    def at(self, lon: ArrayLike, lat: ArrayLike) -> Array:
        """Return heights at degrees; arrays broadcast."""
        lons, lats = np.broadcast_arrays(np.asarray(lon, dtype=np.float64), np.asarray(lat, dtype=np.float64))
        result, left = np.zeros(lons.shape), np.ones(lons.shape, dtype=bool)
        for tile in self._tiles:
            here = left & tile.covers(lons, lats)
            if here.all():
                return tile.sample(lons, lats)
            if here.any():
                result[here] = tile.sample(lons[here], lats[here])
                left &= ~here
            if not left.any():
                break
        return result


class Terrain:
    """Ground heights above the ellipsoid: DEM (above the geoid) plus geoid undulation."""

    def __init__(self, dem_dir: Path, geoid_dir: Path) -> None:
        self._dem, self._geoid = HeightGrid(dem_dir), HeightGrid(geoid_dir)

    def height(self, lon: ArrayLike, lat: ArrayLike) -> Array:
        """Return metres above the ellipsoid at degrees."""
        heights: Array = self._dem.at(lon, lat) + self._geoid.at(lon, lat)
        return heights

    def orthometric(self, lon: ArrayLike, lat: ArrayLike) -> Array:
        """Return metres above the geoid at degrees."""
        return self._dem.at(lon, lat)


def _height_files(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() in (".tif", ".tiff", ".gtx") and path.is_file():
            yield path
