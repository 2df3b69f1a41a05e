"""Opaque clouds and cirrus as pure functions of UTM coordinates; both lie on the ground, without parallax or shadow."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ipf_adapters.simulation.earth import Window
from ipf_adapters.simulation.waves import Waves
from s2ps.model.bands import Band

Array = NDArray[np.float64]
Image = NDArray[np.float32]

CLOUD, CIRRUS = 9, 10
"""Classes, numbered as in the scene classification."""
NODE_SPACING = 60.0
CIRRUS_LIMIT = 0.012
"""Cirrus reflectance from which a point counts as cirrus."""
_CLOUD_SHARE, _CIRRUS_SHARE, _CIRRUS_MAXIMUM = 0.06, 0.10, 0.045
_EDGE = 0.25
_REFLECTANCE = (0.74, 0.75, 0.76, 0.77, 0.77, 0.76, 0.76, 0.75, 0.75, 0.40, 0.002, 0.48, 0.36)


@dataclass(frozen=True, slots=True)
class Cover:
    """Cloud opacity 0..1 and cirrus reflectance on the nodes of a window."""

    window: Window
    opacity: Image
    cirrus: Image

    def at(self, x: Array, y: Array) -> tuple[Image, Image] | None:
        """Return opacity and cirrus at points, bilinear; None where the window is clear."""
        if not self.opacity.any() and not self.cirrus.any():
            return None
        places = np.stack([y / NODE_SPACING - self.window.row, x / NODE_SPACING - self.window.column])
        opacity, cirrus = (
            ndimage.map_coordinates(image, places, order=1, mode="nearest", output=np.float32)
            for image in (self.opacity, self.cirrus)
        )
        return opacity, cirrus


class Sky:
    """Clouds and cirrus of one mission."""

    def __init__(self, seed: int, centre: tuple[float, float]) -> None:
        self._centre = centre
        self._clouds = Waves.random([seed, 51], (2500.0, 6000.0), 6)
        self._cirrus = Waves.random([seed, 52], (6000.0, 16000.0), 5)
        coarse = np.arange(-15000.0, 15000.0, 200.0)
        self._cloud_limit = float(np.quantile(self._clouds.on_grid(coarse, coarse), 1.0 - _CLOUD_SHARE))
        self._cirrus_limit = float(np.quantile(self._cirrus.on_grid(coarse, coarse), 1.0 - _CIRRUS_SHARE))

    def cover(self, x: Array, y: Array) -> Cover:
        """Return the cover of the rectangle around points."""
        window = Window.around(x, y, NODE_SPACING)
        east, north = window.axes()
        east, north = east - self._centre[0], north - self._centre[1]
        opacity = _ramp((self._clouds.on_grid(east, north) - self._cloud_limit) / _EDGE)
        cirrus = _CIRRUS_MAXIMUM * _ramp((self._cirrus.on_grid(east, north) - self._cirrus_limit) / (2.0 * _EDGE))
        return Cover(window, opacity.astype(np.float32), cirrus.astype(np.float32))


def covered(rho: Image, band: Band, cover: tuple[Image, Image] | None) -> Image:
    """Return TOA reflectance under clouds and cirrus."""
    if cover is None:
        return rho
    opacity, cirrus = cover
    result: Image = rho + opacity * (np.float32(_REFLECTANCE[band.index]) - rho) + cirrus
    return result


def _ramp(value: Array) -> Array:
    inside = np.clip(value, 0.0, 1.0)
    return inside * inside * (3.0 - 2.0 * inside)
