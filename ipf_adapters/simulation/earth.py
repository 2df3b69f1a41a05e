"""The ground: water, fields and bare soil as a pure function of UTM coordinates.

The surface is defined on nodes at whole multiples of half a pixel. A band sees the node values blurred by a Gaussian
and spread by a cubic B-spline; together they are the point spread function, 0.7 pixel wide, known at any place.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ipf_adapters.simulation.waves import Waves, hashed
from s2ps.model.bands import Band

Array = NDArray[np.float64]
Image = NDArray[np.float32]

PSF_SIGMA = 0.7
"""Standard deviation of the point spread function in pixels of the band."""
VEGETATION, BARE, WATER = 4, 5, 6
"""Classes, numbered as in the scene classification."""
MARGIN_NODES = 8
"""Nodes beyond a window that its blurred values depend on."""

_NODE_SIGMA = float(np.sqrt((PSF_SIGMA * 2.0) ** 2 - 1.0 / 3.0))
_ANGLE = np.radians(17.0)
_FIELD = (260.0, 430.0)
_WATER_SHARE = 0.07
_TEXTURE = 0.05
_SPECTRA = {
    "water": (0.045, 0.05, 0.045, 0.028, 0.022, 0.016, 0.014, 0.012, 0.011, 0.010, 0.006, 0.006, 0.004),
    "vegetation": (0.022, 0.028, 0.058, 0.030, 0.095, 0.270, 0.345, 0.370, 0.390, 0.395, 0.15, 0.190, 0.085),
    "soil": (0.075, 0.095, 0.135, 0.180, 0.205, 0.225, 0.240, 0.255, 0.270, 0.280, 0.25, 0.330, 0.280),
    "urban": (0.150, 0.175, 0.200, 0.220, 0.230, 0.240, 0.250, 0.260, 0.265, 0.270, 0.24, 0.280, 0.255),
}


@dataclass(frozen=True, slots=True)
class Window:
    """A rectangle of nodes: column and row of the first (south-west) node in units of `spacing`, and the shape."""

    column: int
    row: int
    columns: int
    rows: int
    spacing: float
    """Metres: half the pixel of the bands it is for."""

    @classmethod
    def around(cls, x: Array, y: Array, spacing: float) -> Window:
        """Return the window whose nodes let values at eastings and northings be interpolated."""
        first_x, first_y = int(np.floor(np.min(x) / spacing)) - 2, int(np.floor(np.min(y) / spacing)) - 2
        last_x, last_y = int(np.ceil(np.max(x) / spacing)) + 2, int(np.ceil(np.max(y) / spacing)) + 2
        return cls(first_x, first_y, last_x - first_x + 1, last_y - first_y + 1, spacing)

    def grown(self, nodes: int) -> Window:
        """Return the window with more nodes on every side."""
        size = 2 * nodes
        return Window(self.column - nodes, self.row - nodes, self.columns + size, self.rows + size, self.spacing)

    def axes(self) -> tuple[Array, Array]:
        """Return eastings of the columns and northings of the rows, both ascending."""
        columns, rows = np.arange(self.columns, dtype=np.float64), np.arange(self.rows, dtype=np.float64)
        return (self.column + columns) * self.spacing, (self.row + rows) * self.spacing


@dataclass(frozen=True, slots=True)
class Nodes:
    """Contents of a window: which entry of the field table a node shows, and its texture."""

    entry: NDArray[np.int32]
    """0 is water; the others are fields of this window."""
    classes: NDArray[np.uint8]
    """Class of each entry."""
    mix: Array
    """Vegetation share of each entry, -1 for urban ground."""
    brightness: Array
    texture: Image


class Surface:
    """The ground of one mission, around a centre in UTM metres."""

    def __init__(self, seed: int, centre: tuple[float, float]) -> None:
        self._seed, self._centre = seed, centre
        self._relief = Waves.random([seed, 31], (4000.0, 11000.0), 7)
        self._texture = Waves.random([seed, 32], (140.0, 320.0), 3)
        coarse = np.arange(-40000.0, 40000.0, 450.0)
        self._shore = float(np.quantile(self._relief.on_grid(coarse, coarse), _WATER_SHARE))

    def nodes(self, window: Window) -> Nodes:
        """Return the contents of a window."""
        x, y = window.axes()
        x, y = x - self._centre[0], y - self._centre[1]
        u = (np.cos(_ANGLE) * x[None, :] + np.sin(_ANGLE) * y[:, None]) / _FIELD[0]
        i = np.floor(u).astype(np.int32)
        i0, ni = int(i.min()), int(i.max() - i.min()) + 1
        shift = hashed(self._seed, 33, np.arange(i0, i0 + ni), np.zeros(ni))
        v = (np.cos(_ANGLE) * y[:, None] - np.sin(_ANGLE) * x[None, :]) / _FIELD[1] + shift[i - i0]
        j = np.floor(v).astype(np.int32)
        j0, nj = int(j.min()), int(j.max() - j.min()) + 1
        entry = (i - i0) * nj + (j - j0) + 1
        entry[self._relief.on_grid(x, y) < self._shore] = 0
        keys_i, keys_j = np.repeat(np.arange(i0, i0 + ni), nj), np.tile(np.arange(j0, j0 + nj), ni)
        texture = (1.0 + _TEXTURE * self._texture.on_grid(x, y)).astype(np.float32)
        return Nodes(entry.astype(np.int32), *self._table(keys_i, keys_j), texture)

    def _table(self, i: NDArray[np.int64], j: NDArray[np.int64]) -> tuple[NDArray[np.uint8], Array, Array]:
        kind, share, light = (hashed(self._seed, stream, i, j) for stream in (34, 35, 36))
        green = kind < 0.55
        mix = np.where(green, 0.65 + 0.35 * share, np.where(kind > 0.9, -1.0, 0.12 * share))
        classes = np.where(green, VEGETATION, BARE).astype(np.uint8)
        with_water = (np.append(np.uint8(WATER), classes), np.append(0.0, mix), np.append(1.0, 0.8 + 0.4 * light))
        return with_water[0].astype(np.uint8), with_water[1], with_water[2]

    def blurred(self, window: Window, band: Band, nodes: Nodes | None = None) -> Image:
        """Return B-spline coefficients of the surface reflectance of a band on a window (rows from the south).

        `nodes` may pass the contents of `window.grown(MARGIN_NODES)` when several bands share them.
        """
        content = nodes if nodes is not None else self.nodes(window.grown(MARGIN_NODES))
        spectrum = {name: values[band.index] for name, values in _SPECTRA.items()}
        ground = spectrum["soil"] + np.clip(content.mix, 0.0, 1.0) * (spectrum["vegetation"] - spectrum["soil"])
        table = content.brightness * np.where(content.mix < 0.0, spectrum["urban"], ground)
        table[0] = spectrum["water"]
        image = table.astype(np.float32)[content.entry] * content.texture
        for axis in (0, 1):
            image = ndimage.gaussian_filter1d(image, _NODE_SIGMA, axis=axis, truncate=4.0)
        inner: Image = image[MARGIN_NODES:-MARGIN_NODES, MARGIN_NODES:-MARGIN_NODES]
        return inner

    def classes(self, window: Window) -> NDArray[np.uint8]:
        """Return the class of each node."""
        content = self.nodes(window)
        found: NDArray[np.uint8] = content.classes[content.entry]
        return found


def interpolate(coefficients: Image, window: Window, x: Array, y: Array) -> Image:
    """Evaluate B-spline coefficients at eastings and northings."""
    rows, columns = y / window.spacing - window.row, x / window.spacing - window.column
    values: Image = ndimage.map_coordinates(
        coefficients, np.stack([rows, columns]), order=3, prefilter=False, mode="nearest", output=np.float32
    )
    return values


def at_nodes(coefficients: Image) -> Image:
    """Evaluate B-spline coefficients at the nodes themselves."""
    image = coefficients
    for axis in (0, 1):
        image = ndimage.correlate1d(image, [1 / 6, 4 / 6, 1 / 6], axis=axis, mode="nearest")
    return image
