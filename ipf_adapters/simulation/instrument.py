"""The simulated instrument: look angles, stagger, dark signal, response and gains."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ipf_adapters.simulation.mission import ALTITUDE, MissionSettings
from s2ps.formats.gipp import DefectivePixel
from s2ps.model.bands import BANDS, DETECTOR_PIXELS_10M, Band
from s2ps.model.mission import DETECTORS

Array = NDArray[np.float64]

BAND_DELAY = (2.314, 0.0, 0.527, 1.005, 1.269, 1.525, 1.790, 0.264, 2.055, 2.586, 0.851, 1.468, 2.085)
"""Seconds after B02 at which odd detectors see a ground line, in spectral order; even ones see the bands in reverse."""
EVEN_DETECTOR_DELAY = 0.6
"""Seconds between the last band of the odd and the first of the even detectors."""
OVERLAP_10M = 98
SOLAR_IRRADIANCE = (
    1874.30, 1959.75, 1824.93, 1512.79, 1425.78, 1291.13, 1175.57, 1041.28, 953.93, 817.58, 365.41, 247.08, 87.75,
)  # fmt: skip
"""W/m2/um at 1 AU (Sentinel-2B), spectral order."""
_FULL_SCALE_REFLECTANCE = (1.2, 1.25, 1.2, 1.2, 1.15, 1.15, 1.15, 1.15, 1.15, 0.9, 0.35, 0.9, 0.8)
_FULL_SCALE_COUNTS = 3950.0
_DEGREE = 3


@dataclass(frozen=True, slots=True)
class Instrument:
    """Numbers of one instrument; detector axes hold 1..12 in order, bands are in spectral order."""

    scale: int
    delays: Array
    """(12, 13) seconds."""
    psi_x: dict[Band, Array]
    """(12, 4) radians, ascending powers of the column 0..1."""
    psi_y: dict[Band, Array]
    dark: dict[Band, Array]
    """(12, raw width) counts."""
    response: dict[Band, Array]
    """(12, raw width), near 1."""
    gain: Array
    """(12, 13) counts per W/m2/sr/um."""
    irradiance: Array
    """(13,)."""
    defective: tuple[DefectivePixel, ...]


def overlap(scale: int) -> int:
    """Return the 10 m columns that neighbouring detectors share."""
    return max(2, round(OVERLAP_10M / scale))


def build_instrument(mission: MissionSettings) -> Instrument:
    """Make the instrument of a mission; the same seed gives the same one."""
    scale = mission.scale
    delays = _delays()
    angles = {band: _look_angles(band, scale, delays, mission.ground_speed) for band in BANDS}
    dark, response = {}, {}
    for band in BANDS:
        rng = np.random.default_rng([mission.seed, 11, band.index])
        dark[band], response[band] = _detector_lines(rng, band.raw_width(scale))
    rng = np.random.default_rng([mission.seed, 12])
    radiance = np.array(_FULL_SCALE_REFLECTANCE) * np.array(SOLAR_IRRADIANCE) * 0.9 / np.pi
    gain = _FULL_SCALE_COUNTS / radiance * rng.uniform(0.985, 1.015, (len(DETECTORS), len(BANDS)))
    defective = tuple(
        DefectivePixel(name, detector, int(rng.integers(2, Band[name].raw_width(scale) - 2)))
        for name, detector in (("B10", 4), ("B11", 7), ("B12", 9))
    )
    return Instrument(
        scale, delays, {band: angles[band][0] for band in BANDS}, {band: angles[band][1] for band in BANDS}, dark,
        response, gain, np.array(SOLAR_IRRADIANCE), defective,
    )  # fmt: skip


def _delays() -> Array:
    odd = np.array(BAND_DELAY)
    even = odd.max() + EVEN_DETECTOR_DELAY + (odd.max() - odd)
    return np.stack([odd if detector % 2 else even for detector in DETECTORS])


def _look_angles(band: Band, scale: int, delays: Array, ground_speed: float) -> tuple[Array, Array]:
    """Return psi_x and psi_y (12, 4) such that a column is `resolution` metres wide on flat ground."""
    pitch = (DETECTOR_PIXELS_10M // scale - overlap(scale)) * 10.0
    column = np.linspace(0.0, 1.0, 33)
    psi_x, psi_y = np.zeros((len(DETECTORS), _DEGREE + 1)), np.zeros((len(DETECTORS), _DEGREE + 1))
    for row, detector in enumerate(DETECTORS):
        across = (detector - 6.5) * pitch + (column - 0.5) * band.width(scale) * band.resolution
        psi_y[row] = np.polynomial.polynomial.polyfit(column, np.arctan(across / ALTITUDE), _DEGREE)
        psi_x[row, 0] = np.arctan(-delays[row, band.index] * ground_speed / ALTITUDE)
    return psi_x, psi_y


def _detector_lines(rng: np.random.Generator, width: int) -> tuple[Array, Array]:
    count = len(DETECTORS)
    dark = rng.uniform(40.0, 70.0, (count, 1)) + rng.normal(0.0, 1.5, (count, width))
    column = np.linspace(-1.0, 1.0, width)
    vignetting = 1.0 - rng.uniform(0.01, 0.03, (count, 1)) * column**2 + rng.uniform(-0.02, 0.02, (count, 1)) * column
    return dark, vignetting + rng.normal(0.0, 0.006, (count, width))
