"""Images of the ground without clouds on UTM pixel grids, for the truth and for the reference images."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray
from pyproj import Transformer
from scipy.interpolate import make_interp_spline

from ipf_adapters.simulation import earth, orbit
from ipf_adapters.simulation.atmosphere import Weather, sun_zenith, transfer, view_zenith
from ipf_adapters.simulation.mission import MissionSettings
from s2ps.model.bands import Band

Image = NDArray[np.float32]
Array = NDArray[np.float64]

_NODES = 7


@dataclass(frozen=True, slots=True)
class GroundGrid:
    """A north-up pixel grid: upper-left corner in metres, pixel size, rows and columns."""

    ulx: float
    uly: float
    resolution: int
    rows: int
    columns: int

    def centres(self) -> tuple[Array, Array]:
        """Return eastings and northings (rows, columns) of the pixel centres."""
        east = self.ulx + (np.arange(self.columns) + 0.5) * self.resolution
        north = self.uly - (np.arange(self.rows) + 0.5) * self.resolution
        x, y = np.meshgrid(east, north)
        return x, y

    def window(self) -> earth.Window:
        """Return the window of nodes whose every second node, from the first, is a pixel centre."""
        spacing = self.resolution / 2.0
        column = round(self.ulx / spacing) + 1
        row = round((self.uly - self.rows * self.resolution) / spacing) + 1
        return earth.Window(column, row, 2 * self.columns - 1, 2 * self.rows - 1, spacing)


def surface_reflectance(surface: earth.Surface, band: Band, grid: GroundGrid) -> Image:
    """Return surface reflectance, blurred as the band sees it, at pixel centres (rows from the north)."""
    image = earth.at_nodes(surface.blurred(grid.window().grown(1), band))[1:-1, 1:-1]
    return np.ascontiguousarray(image[::2, ::2][::-1])


def toa_reflectance(
    mission: MissionSettings, surface: earth.Surface, weather: Weather, band: Band, grid: GroundGrid
) -> Image:
    """Return TOA reflectance at pixel centres as if there were no clouds or cirrus."""
    rows, columns = np.linspace(0.0, grid.rows - 1.0, _NODES), np.linspace(0.0, grid.columns - 1.0, _NODES)
    x, y = np.meshgrid(grid.ulx + (columns + 0.5) * grid.resolution, grid.uly - (rows + 0.5) * grid.resolution)
    lon, lat = Transformer.from_crs(mission.epsg, 4326, always_xy=True).transform(x, y)
    zenith = sun_zenith(nearest_middle(mission, float(lat.mean())), lon, lat)
    terms = transfer(band, weather, zenith, view_zenith(mission, x, y), lon, lat)
    down = make_interp_spline(rows, np.eye(_NODES), k=3)(np.arange(grid.rows)).astype(np.float32)
    along = make_interp_spline(columns, np.eye(_NODES), k=3)(np.arange(grid.columns)).astype(np.float32)
    path, gain, spherical = (
        down @ part.astype(np.float32) @ along.T for part in (terms.path, terms.gain, terms.spherical)
    )
    ground = surface_reflectance(surface, band, grid)
    result: Image = path + gain * ground / (np.float32(1.0) - spherical * ground)
    return result


def nearest_middle(mission: MissionSettings, latitude: float) -> datetime:
    """Return the middle of the datatake that sees a latitude."""
    takes = mission.takes()
    seen = orbit.ground_track(mission, np.array([take.start_gps + take.seconds / 2 for take in takes]))[1]
    return takes[int(np.argmin(np.abs(seen - latitude)))].middle
