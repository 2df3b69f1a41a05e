"""Conversion of equalised counts to the digital numbers of top-of-atmosphere reflectance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ipf_adapters.science.working import LOST, NODATA
from ipf_adapters.science.working import SATURATED as SATURATED_BIT

if TYPE_CHECKING:
    from ipf_adapters.reference.l1c.mosaic import TileImage
    from s2ps.formats.gipp import RadiometricParameters

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Calibration:
    """Radiometric constants of one band."""

    gain: dict[int, float]
    """Counts per radiance (W/m2/sr/um) of each detector."""
    solar_irradiance: float
    """E0 in W/m2/um at one astronomical unit."""
    earth_sun_correction: float
    """U, the inverse square of the distance in astronomical units."""


def reflectance_numbers(
    image: TileImage, cosine: NDArray[np.float32], calibration: Calibration, coding: RadiometricParameters
) -> NDArray[np.uint16]:
    """Return uint16 digital numbers: reflectance * quantification - offset, and the values of no data and saturation.

    `cosine` is that of the sun zenith angle per pixel.
    """
    gains = np.full(256, np.inf, dtype=np.float32)
    for detector, gain in calibration.gain.items():
        gains[detector] = gain
    factor = np.pi * coding.quantification / (calibration.solar_irradiance * calibration.earth_sun_correction)
    numbers = image.counts * np.float32(factor)
    numbers /= gains[image.detector]
    numbers /= cosine
    numbers += np.float32(0.5 - coding.add_offset)
    result: NDArray[np.uint16] = np.clip(numbers, coding.nodata + 1.0, coding.saturated - 1.0).astype(np.uint16)
    result[(image.quality & SATURATED_BIT) != 0] = coding.saturated
    result[(image.detector == 0) | ((image.quality & (NODATA | LOST)) != 0)] = coding.nodata
    return result
