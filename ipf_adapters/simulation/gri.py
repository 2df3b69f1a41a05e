"""Global reference image: map-projected B03 granules of the site, well located and free of clouds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from pyproj import Transformer
from shapely import Polygon, box, unary_union

from ipf_adapters.simulation.atmosphere import Weather
from ipf_adapters.simulation.earth import Surface
from ipf_adapters.simulation.ground_grid import GroundGrid, toa_reflectance
from ipf_adapters.simulation.mission import MissionSettings
from ipf_adapters.simulation.relief import swath
from s2ps.model.bands import Band

BAND = Band.B03
RESOLUTION = 10
_BLOCK_METRES = 60_000
_QUANTIFICATION = 10_000


def write_reference(mission: MissionSettings, surface: Surface, weather: Weather, folder: Path) -> Path:
    """Write the reference granules and `gri.json`; pixels are TOA reflectance times 10,000, uint16."""
    target = folder / f"S2__OPER_AUX_GRI{mission.relative_orbit:03d}"
    target.mkdir(parents=True, exist_ok=True)
    granules = [_write_granule(mission, surface, weather, target, grid) for grid in blocks(mission)]
    index = {
        "relative_orbit": mission.relative_orbit, "band": BAND.name, "epsg": mission.epsg, "resolution": RESOLUTION,
        "quantification": _QUANTIFICATION, "granules": granules,
    }  # fmt: skip
    (target / "gri.json").write_text(json.dumps(index, indent=1) + "\n", encoding="utf-8")
    return target


def blocks(mission: MissionSettings) -> list[GroundGrid]:
    """Return the grids of the granules: blocks on whole multiples of their size that meet the swath."""
    size = round(_BLOCK_METRES / mission.scale / 60) * 60
    seen = unary_union([Polygon(ring) for ring in swath(mission, 600.0)])
    west, south, east, north = (int(limit // size) for limit in seen.bounds)
    count = size // RESOLUTION
    return [
        GroundGrid(column * size, (row + 1) * size, RESOLUTION, count, count)
        for row in range(north, south - 1, -1)
        for column in range(west, east + 1)
        if box(column * size, row * size, (column + 1) * size, (row + 1) * size).intersects(seen)
    ]


def _write_granule(
    mission: MissionSettings, surface: Surface, weather: Weather, target: Path, grid: GroundGrid
) -> dict[str, Any]:
    import rasterio
    from rasterio.transform import Affine

    name = f"GRI_{mission.relative_orbit:03d}_{BAND.name}_E{grid.ulx:06.0f}_N{grid.uly:07.0f}"
    rho = toa_reflectance(mission, surface, weather, BAND, grid)
    values = np.clip(np.rint(rho * _QUANTIFICATION), 1, 65534).astype(np.uint16)
    transform = Affine(RESOLUTION, 0.0, grid.ulx, 0.0, -RESOLUTION, grid.uly)
    with rasterio.open(
        target / f"{name}.tif", "w", driver="GTiff", height=grid.rows, width=grid.columns, count=1, dtype="uint16",
        crs=f"EPSG:{mission.epsg}", transform=transform, compress="deflate", zlevel=1,
    ) as image:  # fmt: skip
        image.write(values, 1)
    east, south = grid.ulx + grid.columns * RESOLUTION, grid.uly - grid.rows * RESOLUTION
    ring = [(grid.ulx, grid.uly), (east, grid.uly), (east, south), (grid.ulx, south), (grid.ulx, grid.uly)]
    lon, lat = Transformer.from_crs(mission.epsg, 4326, always_xy=True).transform(
        [corner[0] for corner in ring], [corner[1] for corner in ring]
    )
    footprint = [[round(float(a), 7), round(float(b), 7)] for a, b in zip(lon, lat, strict=True)]
    return {"id": name, "file": f"{name}.tif", "bounds": [grid.ulx, south, east, grid.uly], "footprint": footprint}
