"""Heights of the simulated ground: DEM above the geoid, and the geoid, as GeoTIFF in degrees."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pyproj import Transformer

from ipf_adapters.simulation.earth import WATER, Surface, Window
from ipf_adapters.simulation.mission import MissionSettings
from ipf_adapters.simulation.orbit import ground_track
from ipf_adapters.simulation.waves import Waves

Array = NDArray[np.float64]
Bounds = tuple[float, float, float, float]

_ARC_SECOND = 1.0 / 3600.0
_HALF_SWATH = 150_000.0
_BASE_HEIGHT, _HEIGHT_SIGMA = 260.0, 70.0
_LAND_COVER_STEP = 6.0 * _ARC_SECOND


def swath(mission: MissionSettings, margin: float) -> list[list[tuple[float, float]]]:
    """Return, for each datatake, the corners (easting, northing) of what it sees, grown by a margin in metres."""
    half = _HALF_SWATH / mission.scale + margin
    to_utm = Transformer.from_crs(4326, mission.epsg, always_xy=True)
    rings = []
    for take in mission.takes():
        reach = margin / mission.ground_speed
        ends = np.array([take.start_gps - reach, take.start_gps + take.seconds + reach])
        x, y = to_utm.transform(*ground_track(mission, ends))
        along = np.array([x[1] - x[0], y[1] - y[0]]) / np.hypot(x[1] - x[0], y[1] - y[0])
        right = np.array([along[1], -along[0]]) * half
        corners = ((0, -1), (1, -1), (1, 1), (0, 1))
        rings.append([(float(x[e] + side * right[0]), float(y[e] + side * right[1])) for e, side in corners])
    return rings


def site_bounds(mission: MissionSettings, margin: float = 4000.0) -> Bounds:
    """Return west, south, east, north in degrees of everything the datatakes see, with a margin in metres."""
    points = [point for ring in swath(mission, margin) for point in ring]
    to_degrees = Transformer.from_crs(mission.epsg, 4326, always_xy=True)
    lon, lat = to_degrees.transform([point[0] for point in points], [point[1] for point in points])
    return min(lon), min(lat), max(lon), max(lat)


def orthometric(mission: MissionSettings, lon: Array, lat: Array) -> Array:
    """Return heights above the geoid (rows of lat, columns of lon): hills of some kilometres."""
    hills = Waves.random([mission.seed, 41], (3500.0, 9000.0), 8)
    x, y = lon * 111_320.0 * np.cos(np.radians(45.0)), lat * 111_000.0
    heights = np.maximum(_BASE_HEIGHT + _HEIGHT_SIGMA * hills.on_grid(x, y), 0.0)
    return np.asarray(np.round(heights, 1), dtype=np.float64)


def write_static(mission: MissionSettings, surface: Surface, folder: Path) -> None:
    """Write the DEMs, the geoid and the land cover that processors read."""
    bounds = site_bounds(mission)
    lon, lat = _grid(bounds, _ARC_SECOND)
    dem = orthometric(mission, lon, lat).astype(np.float32)
    first = folder / "S2IPF-DEMGLOBE" / "dem.tif"
    _write(first, dem, lon, lat, _ARC_SECOND)
    for name in ("S2IPF-DEMSRTM", "S2IPF-DEML2"):
        (folder / name).mkdir(parents=True, exist_ok=True)
        shutil.copyfile(first, folder / name / "dem.tif")
    lon, lat = _grid((bounds[0] - 0.2, bounds[1] - 0.2, bounds[2] + 0.2, bounds[3] + 0.2), 0.05)
    undulation = 44.0 + 0.6 * (lat[:, None] - 45.0) - 0.4 * (lon[None, :] - 10.0)
    _write(folder / "S2IPF-DEMGEOID" / "geoid.tif", undulation.astype(np.float32), lon, lat, 0.05)
    lon, lat = _grid(bounds, _LAND_COVER_STEP)
    water = _water(mission, surface, lon, lat)
    _write(folder / "S2IPF-ESACCI" / "water_bodies.tif", water, lon, lat, _LAND_COVER_STEP)


def _water(mission: MissionSettings, surface: Surface, lon: Array, lat: Array) -> NDArray[np.uint8]:
    """Return 1 on land, 2 on water."""
    spacing = 90.0
    lons, lats = np.meshgrid(lon, lat)
    x, y = Transformer.from_crs(4326, mission.epsg, always_xy=True).transform(lons, lats)
    window = Window.around(x, y, spacing)
    classes = surface.classes(window)
    column, row = np.rint(x / spacing).astype(int) - window.column, np.rint(y / spacing).astype(int) - window.row
    return np.where(classes[row, column] == WATER, 2, 1).astype(np.uint8)


def _grid(bounds: Bounds, step: float) -> tuple[Array, Array]:
    """Return pixel centres: lon ascending, lat descending, at whole multiples of the step."""
    west, south, east, north = bounds
    columns = np.arange(np.floor(west / step), np.ceil(east / step), dtype=np.float64) + 0.5
    rows = np.arange(np.ceil(north / step), np.floor(south / step), -1.0, dtype=np.float64) - 0.5
    return columns * step, rows * step


def _write(path: Path, values: NDArray[np.float32] | NDArray[np.uint8], lon: Array, lat: Array, step: float) -> None:
    import rasterio
    from rasterio.transform import Affine

    path.parent.mkdir(parents=True, exist_ok=True)
    transform = Affine(step, 0.0, float(lon[0]) - step / 2, 0.0, -step, float(lat[0]) + step / 2)
    with rasterio.open(
        path, "w", driver="GTiff", height=values.shape[0], width=values.shape[1], count=1, dtype=values.dtype,
        crs="EPSG:4326", transform=transform, compress="deflate", zlevel=1,
    ) as target:  # fmt: skip
        target.write(values, 1)
