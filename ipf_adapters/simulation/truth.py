"""The truth of a simulated mission on product grids: reflectances without noise, classes, clouds and the bias."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ipf_adapters.simulation import earth, ground_grid, orbit, sky
from ipf_adapters.simulation.atmosphere import Weather
from ipf_adapters.simulation.ground_grid import GroundGrid
from ipf_adapters.simulation.mission import MissionSettings, load_settings
from ipf_adapters.simulation.run import weather_of
from s2ps.model.bands import Band
from s2ps.model.tiles import Tile, TileGrid

Image = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Truth:
    """What a perfect product of the mission would hold; images have rows from the north, as tiles do."""

    mission: MissionSettings
    surface: earth.Surface
    sky: sky.Sky
    weather: Weather

    @classmethod
    def load(cls, folder: Path) -> Truth:
        """Read the truth of a mission written to a folder."""
        return cls.of(load_settings(folder / "truth" / "truth.json"))

    @classmethod
    def of(cls, mission: MissionSettings) -> Truth:
        """Return the truth of a mission."""
        surface, skies = earth.Surface(mission.seed, mission.centre), sky.Sky(mission.seed, mission.centre)
        return cls(mission, surface, skies, weather_of(mission))

    @property
    def bias(self) -> tuple[float, float, float]:
        """Roll, pitch and yaw (rad) that the ancillary data do not tell; SensorModel.with_bias takes them."""
        return orbit.bias(self.mission)

    @property
    def grid(self) -> TileGrid:
        """The tile grid of the mission."""
        mission = self.mission
        return TileGrid(mission.epsg, mission.anchor_easting, mission.anchor_northing, mission.scale)

    def tile(self, tile: Tile | str) -> Tile:
        """Return a tile by name."""
        return self.grid.tile(tile.removeprefix("T")) if isinstance(tile, str) else tile

    def surface_reflectance(self, band: Band, tile: Tile | str) -> Image:
        """Return surface reflectance, blurred as the band sees it, at the pixel centres of a tile."""
        return ground_grid.surface_reflectance(self.surface, band, self._grid(tile, band.resolution))

    def toa_reflectance(self, band: Band, tile: Tile | str) -> Image:
        """Return TOA reflectance, with clouds and cirrus, at the pixel centres of a tile."""
        x, y = self._grid(tile, band.resolution).centres()
        return sky.covered(self.clear_toa_reflectance(band, tile), band, self.sky.cover(x, y).at(x, y))

    def clear_toa_reflectance(self, band: Band, tile: Tile | str) -> Image:
        """Return TOA reflectance as if there were no clouds or cirrus."""
        grid = self._grid(tile, band.resolution)
        return ground_grid.toa_reflectance(self.mission, self.surface, self.weather, band, grid)

    def classes(self, tile: Tile | str, resolution: int = 20) -> NDArray[np.uint8]:
        """Return classes (4 vegetation, 5 not vegetated, 6 water, 9 cloud, 10 cirrus) at pixel centres."""
        x, y = self._grid(tile, resolution).centres()
        found = self.surface.classes(self._grid(tile, resolution).window())[::2, ::2][::-1].copy()
        cover = self.sky.cover(x, y).at(x, y)
        if cover is not None:
            found[cover[1] > sky.CIRRUS_LIMIT] = sky.CIRRUS
            found[cover[0] > 0.5] = sky.CLOUD
        return found

    def interior(self, tile: Tile | str, resolution: int = 20, pixels: int = 2) -> NDArray[np.bool_]:
        """Tell where the class is the same for some pixels around."""
        classes, size = self.classes(tile, resolution), 2 * pixels + 1
        same: NDArray[np.bool_] = ndimage.minimum_filter(classes, size) == ndimage.maximum_filter(classes, size)
        return same

    def cloud_free(self, tile: Tile | str, resolution: int = 10, margin: float = 60.0) -> NDArray[np.bool_]:
        """Tell where there is neither cloud nor cirrus within a margin in metres."""
        x, y = self._grid(tile, resolution).centres()
        cover = self.sky.cover(x, y).at(x, y)
        if cover is None:
            return np.ones(x.shape, dtype=bool)
        size = 2 * int(np.ceil(margin / resolution)) + 1
        clear: NDArray[np.bool_] = ndimage.maximum_filter((cover[0] > 0) | (cover[1] > 0), size) == 0
        return clear

    def _grid(self, tile: Tile | str, resolution: int) -> GroundGrid:
        found = self.tile(tile)
        size = found.size(resolution)
        return GroundGrid(found.ulx, found.uly, resolution, size, size)
