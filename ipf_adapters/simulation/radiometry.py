"""Exposure: what every pixel of the instrument counts while the ground passes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pyproj import Transformer
from scipy.interpolate import make_interp_spline

from ipf_adapters.science.geometry import SensorModel
from ipf_adapters.science.geometry import Surface as Heights
from ipf_adapters.science.sun import earth_sun_correction
from ipf_adapters.simulation import earth, sky
from ipf_adapters.simulation.atmosphere import Weather, sun_zenith, transfer, view_zenith
from ipf_adapters.simulation.instrument import Instrument
from ipf_adapters.simulation.mission import Datatake
from s2ps.model.bands import BANDS, Band

Array = NDArray[np.float64]
Image = NDArray[np.float32]
Counts = NDArray[np.uint16]

NOISE = 0.5
"""Standard deviation of the noise in counts."""
MAXIMUM_COUNT = 4095
_NODE_LINES, _NODE_COLUMNS = 12, 16
"""10 m lines and columns between nodes of the location grid, about."""


@dataclass(frozen=True, slots=True)
class Scenery:
    """What there is to see."""

    surface: earth.Surface
    sky: sky.Sky
    weather: Weather
    heights: Heights


@dataclass(frozen=True, slots=True)
class PixelGrid:
    """Ground coordinates and optical terms of one detector and band on nodes, splined to any lines."""

    lines: Array
    values: Array
    """(nodes along, nodes across, 5): easting, northing, path, gain, counts per unit of reflectance."""
    spherical: float
    columns: Array
    """(raw width, nodes across): spline weights of the columns."""

    def at(self, first: int, count: int) -> tuple[Array, Array, Image, Image, Image]:
        """Return easting, northing, path, gain and counts (lines, raw width)."""
        spline = make_interp_spline(self.lines, self.values, k=3, axis=0)
        nodes = np.ascontiguousarray(np.moveaxis(spline(np.arange(first, first + count)), -1, 0))
        weights = np.ascontiguousarray(self.columns.T)
        coarse, narrow = nodes[2:].astype(np.float32), weights.astype(np.float32)
        return nodes[0] @ weights, nodes[1] @ weights, coarse[0] @ narrow, coarse[1] @ narrow, coarse[2] @ narrow


class Exposure:
    """Expose one datatake, detector by detector."""

    def __init__(self, take: Datatake, instrument: Instrument, model: SensorModel, scenery: Scenery) -> None:
        self._take, self._instrument, self._model, self._scenery = take, instrument, model, scenery
        self._to_utm = Transformer.from_crs(4326, take.mission.epsg, always_xy=True)
        self._correction = earth_sun_correction(take.middle)

    def detector(self, detector: int) -> Iterator[tuple[int, Band, Counts]]:
        """Yield (granule from 1, band, counts (lines, raw width)) of a detector, granule by granule."""
        grids = {band: self._grid(detector, band) for band in BANDS}
        noises = {
            band: np.random.default_rng([self._take.mission.seed, 61, self._take.number, detector, band.index])
            for band in BANDS
        }
        for granule in range(1, self._take.mission.scenes + 1):
            shared: dict[float, tuple[earth.Window, earth.Nodes]] = {}
            pixels = {band: self._pixels(grids[band], band, granule) for band in BANDS}
            for band in BANDS:
                spacing = band.resolution / 2.0
                if spacing not in shared:
                    same = [pixels[other] for other in BANDS if other.resolution == band.resolution]
                    shared[spacing] = self._shared(same, spacing)
                rho = self._reflectance(band, pixels[band], *shared[spacing])
                yield granule, band, self._count(detector, band, rho * pixels[band][4], noises[band])

    def _pixels(self, grid: PixelGrid, band: Band, granule: int) -> tuple[Array, Array, Image, Image, Image, float]:
        lines = self._take.granule_lines(band)
        return (*grid.at((granule - 1) * lines, lines), grid.spherical)

    def _shared(self, pixels: list[tuple[Array, Array, Image, Image, Image, float]], spacing: float) -> tuple[
        earth.Window, earth.Nodes
    ]:  # fmt: skip
        x = np.array([limit for item in pixels for limit in (item[0].min(), item[0].max())])
        y = np.array([limit for item in pixels for limit in (item[1].min(), item[1].max())])
        window = earth.Window.around(x, y, spacing)
        return window, self._scenery.surface.nodes(window.grown(earth.MARGIN_NODES))

    def _reflectance(
        self,
        band: Band,
        pixels: tuple[Array, Array, Image, Image, Image, float],
        window: earth.Window,
        nodes: earth.Nodes,
    ) -> Image:
        x, y, path, gain, _, spherical = pixels
        surface = earth.interpolate(self._scenery.surface.blurred(window, band, nodes), window, x, y)
        clear = path + gain * surface / (np.float32(1.0) - np.float32(spherical) * surface)
        return sky.covered(clear, band, self._scenery.sky.cover(x, y).at(x, y))

    def _count(self, detector: int, band: Band, signal: Image, noise: np.random.Generator) -> Counts:
        row = detector - 1
        response = self._instrument.response[band][row].astype(np.float32)
        dark = self._instrument.dark[band][row].astype(np.float32)
        counts = dark + response * signal
        counts += np.float32(NOISE) * noise.standard_normal(signal.shape, dtype=np.float32)
        result: Counts = np.clip(np.rint(counts), 0, MAXIMUM_COUNT).astype(np.uint16)
        for pixel in self._instrument.defective:
            if pixel.detector == detector and pixel.band == band.name:
                result[:, pixel.column] = MAXIMUM_COUNT // 2
        return result

    def _grid(self, detector: int, band: Band) -> PixelGrid:
        width, lines = band.raw_width(self._instrument.scale), self._take.lines(band)
        nodes_l = np.linspace(0.0, lines - 1.0, max(5, lines * band.resolution // (10 * _NODE_LINES) + 2))
        nodes_c = np.linspace(0.0, width - 1.0, max(5, width * band.resolution // (10 * _NODE_COLUMNS) + 2))
        if band.resolution == 60:
            nodes_c = np.linspace(0.0, width - 1.0, max(5, width * 20 // (10 * _NODE_COLUMNS) + 2))
        binning = width / band.width(self._instrument.scale)
        column = (nodes_c + 0.5) / binning - 0.5
        lon, lat, _ = self._model.locate_on(detector, band, nodes_l[:, None], column[None, :], self._scenery.heights)
        x, y = self._to_utm.transform(lon, lat)
        zenith = sun_zenith(self._take.middle, lon, lat)
        terms = transfer(band, self._scenery.weather, zenith, view_zenith(self._take.mission, x, y), lon, lat)
        irradiance = self._instrument.irradiance[band.index] * self._correction / np.pi
        counts = self._instrument.gain[detector - 1, band.index] * irradiance * np.cos(np.radians(zenith))
        weights = make_interp_spline(nodes_c, np.eye(len(nodes_c)), k=3)(np.arange(width))
        values = np.stack([x, y, terms.path, terms.gain, counts], axis=-1)
        return PixelGrid(nodes_l, values, float(np.mean(terms.spherical)), weights)
