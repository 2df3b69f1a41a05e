"""How far products are from the truth: reflectance, place on the ground, scene classes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import rasterio
from integration.missions import Mission
from numpy.typing import NDArray
from scipy import ndimage

from ipf_adapters.simulation import orbit
from ipf_adapters.simulation.instrument import build_instrument
from ipf_adapters.simulation.truth import Truth
from s2ps.model.bands import Band
from s2ps.model.mission import DETECTORS

Image = NDArray[np.float64]
Mask = NDArray[np.bool_]

OFFSET, QUANTIFICATION = 1000.0, 10000.0
REACH = 7
"""Pixels by which a product may be displaced for the search to find it."""
LEAST_PIXELS = 1500
"""Cloud-free pixels below which a tile says nothing about its place."""
SAMPLE = 4000
"""Pixels that are enough to find the displacement to the whole pixel."""


@dataclass(frozen=True, slots=True)
class Shift:
    """Displacement of a product against the truth in pixels: east (columns) and south (rows)."""

    east: float
    south: float
    pixels: int

    @property
    def length(self) -> float:
        """Length of the displacement."""
        return float(np.hypot(self.east, self.south))


def image_file(product: Path, pattern: str) -> Path:
    """Return the one image of a product whose name matches, as `*_B03.jp2` or `*_SCL_20m.jp2`."""
    found = list((product / "GRANULE").glob(f"*/IMG_DATA/**/{pattern}"))
    assert len(found) == 1, f"{product.name} has {len(found)} files {pattern}"
    return found[0]


def counts_of(path: Path) -> NDArray[np.uint16]:
    """Return the pixels of a one-band image."""
    with rasterio.open(path) as image:
        return image.read(1)


def reflectance(counts: NDArray[np.uint16]) -> tuple[Image, Mask]:
    """Return reflectance and where there is some."""
    valid: Mask = (counts > 0) & (counts < 65535)
    return (counts.astype(np.float64) - OFFSET) / QUANTIFICATION, valid


def l1c_band(product: Path, band: Band) -> tuple[Image, Mask]:
    """Return TOA reflectance of a product and where there is some."""
    return reflectance(counts_of(image_file(product, f"*_{band.name}.jp2")))


@cache
def true_toa(home: Path, tile: str, band: Band) -> NDArray[np.float32]:
    """Return the true TOA reflectance of a tile; several tests of a mission want the same."""
    return Truth.load(home).toa_reflectance(band, tile)


def toa_error(mission: Mission, tile: str, band: Band) -> Image:
    """Return product minus truth at the cloud-free pixels of a tile."""
    image, valid = l1c_band(mission.products("L1C")[tile], band)
    free = valid & mission.truth.cloud_free(tile, band.resolution)
    return (image - true_toa(mission.home, tile, band))[free]


def rms(errors: Image) -> float:
    """Return the root of the mean square."""
    return float(np.sqrt(np.mean(np.square(errors)))) if errors.size else 0.0


def measured_shift(mission: Mission, tile: str, band: Band) -> Shift | None:
    """Return how far an L1C image lies from the truth, or None when too little of it is cloud-free.

    The whole pixels come from a search over all displacements, the rest from least squares against the gradient of
    the truth, repeated on the truth moved by what was found.
    """
    image, valid = l1c_band(mission.products("L1C")[tile], band)
    expected = true_toa(mission.home, tile, band).astype(np.float64)
    good = valid & mission.truth.cloud_free(tile, band.resolution, margin=REACH * band.resolution + 60.0)
    good = ndimage.binary_erosion(good, iterations=2)
    edge = REACH + 3
    good[:edge], good[-edge:], good[:, :edge], good[:, -edge:] = False, False, False, False
    if good.sum() < LEAST_PIXELS:
        return None
    seen = image[good]
    every = max(1, seen.size // SAMPLE)
    rows, columns = (places[::every] for places in np.nonzero(good))
    sample = seen[::every]

    def mismatch(south: int, east: int) -> float:
        return float(np.mean((sample - expected[rows - south, columns - east]) ** 2))

    steps = range(-REACH, REACH + 1)
    south, east = map(float, min(((s, e) for s in steps for e in steps), key=lambda step: mismatch(*step)))
    for _ in range(3):
        moved = ndimage.shift(expected, (south, east), order=3, mode="nearest")
        slopes = np.gradient(moved)
        design = np.stack([-slopes[0][good], -slopes[1][good], np.ones(seen.size)], axis=1)
        correction = np.linalg.lstsq(design, seen - moved[good], rcond=None)[0]
        south, east = south + float(correction[0]), east + float(correction[1])
    return Shift(east, south, int(seen.size))


def predicted_shift(truth: Truth, tile: str, band: Band) -> Shift:
    """Return the displacement, in pixels, that the untold bias causes in a tile when nobody corrects it.

    A pixel that sees the ground at one place (true model) is put at another (model without the bias).
    """
    from pyproj import Transformer

    mission = truth.mission
    take = mission.takes()[0]
    real = orbit.true_model(take, build_instrument(mission))
    told = real.with_bias(0.0, 0.0, 0.0)
    project = Transformer.from_crs(4326, mission.epsg, always_xy=True)
    west, south, east, north = truth.tile(tile).bounds
    line, column = np.meshgrid(np.linspace(0, take.lines(band) - 1.0, 24), np.linspace(0, band.width(mission.scale), 6))
    moves = []
    for detector in DETECTORS:
        here = np.stack(project.transform(*real.locate(detector, band, line, column, 300.0)))
        there = np.stack(project.transform(*told.locate(detector, band, line, column, 300.0)))
        inside = (here[0] > west) & (here[0] < east) & (here[1] > south) & (here[1] < north)
        moves.append((there - here)[:, inside])
    metres = np.concatenate(moves, axis=1).mean(axis=1)
    return Shift(float(metres[0]) / band.resolution, -float(metres[1]) / band.resolution, 0)
