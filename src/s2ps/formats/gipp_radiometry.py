"""Contents of the GIPPs about counts, radiances, clouds and the atmosphere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class RelativeResponse:
    """Relative response of one band: DN = dark + gain * response * L."""

    TYPE: ClassVar[str] = "GIP_R2EQOG"
    response: Array
    """(12, raw width), near 1."""


@dataclass(frozen=True, slots=True)
class DarkSignal:
    """Dark signal of one band (job order type GIP_R2EQOB)."""

    TYPE: ClassVar[str] = "GIP_R2EOB2"
    dark: Array
    """(12, raw width), counts."""


@dataclass(frozen=True, slots=True)
class AbsoluteCalibration:
    """Absolute gains: equalised counts = gain * radiance."""

    TYPE: ClassVar[str] = "GIP_R2ABCA"
    gain: Array
    """(12, 13): counts per W/m2/sr/um."""
    solar_irradiance: Array
    """(13,): W/m2/um at 1 AU."""
    physical_gain: Array
    """(13,): mean over the detectors of `gain`, for the product metadata."""


@dataclass(frozen=True, slots=True)
class DefectivePixel:
    """One column that tells nothing."""

    band: str
    detector: int
    column: int
    """Column as read out, from 0."""


@dataclass(frozen=True, slots=True)
class DefectivePixels:
    """Columns to interpolate from their neighbours."""

    TYPE: ClassVar[str] = "GIP_R2DEPI"
    pixels: tuple[DefectivePixel, ...]


@dataclass(frozen=True, slots=True)
class CrosstalkCorrection:
    """Share of each disturbing band (columns) to take from each band (rows)."""

    TYPE: ClassVar[str] = "GIP_R2CRCO"
    coefficients: Array
    """(13, 13); zero in the simulated mission."""


@dataclass(frozen=True, slots=True)
class BlindPixels:
    """Columns without light."""

    TYPE: ClassVar[str] = "GIP_BLINDP"
    columns: int
    """Blind columns at the left of each line; 0 in the simulated mission."""
    level: float


@dataclass(frozen=True, slots=True)
class Binning:
    """Binning of the 60 m bands across track."""

    TYPE: ClassVar[str] = "GIP_R2BINN"
    factor: int
    bands: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RadiometricParameters:
    """General radiometric processing."""

    TYPE: ClassVar[str] = "GIP_R2PARA"
    saturation: int
    """Raw count from which a pixel is saturated."""
    add_offset: int
    """RADIO_ADD_OFFSET of the products."""
    quantification: int
    """QUANTIFICATION_VALUE of the products."""
    nodata: int
    saturated: int
    """Pixel value of saturated product pixels."""


@dataclass(frozen=True, slots=True)
class CoarseCloudThresholds:
    """Cloud detection on quick-looks."""

    TYPE: ClassVar[str] = "GIP_CLOINV"
    blue_reflectance: float
    swir_reflectance: float
    cirrus_reflectance: float


@dataclass(frozen=True, slots=True)
class SnowThresholds:
    """Snow is bright in green, dark in short-wave infrared, and so of a high normalised difference of both."""

    index: float
    green: float
    swir: float


@dataclass(frozen=True, slots=True)
class MaskParameters:
    """Classification of clouds, cirrus and snow at L1C."""

    TYPE: ClassVar[str] = "GIP_MASPAR"
    opaque_blue: float
    opaque_swir: float
    cirrus: float
    dilation: int
    """Pixels of 60 m."""
    snow: SnowThresholds


@dataclass(frozen=True, slots=True)
class CloudParameters:
    """What counts as cloudy at L1C."""

    TYPE: ClassVar[str] = "GIP_CLOPAR"
    minimum_pixels: int
    """Pixels of 60 m: smaller groups of opaque cloud are no cloud."""
    percentage_alarm: float
    """Percentage of cloudy pixels from which the log of a tile warns."""


@dataclass(frozen=True, slots=True)
class DecompressionParameters:
    """On-board compression."""

    TYPE: ClassVar[str] = "GIP_DECOMP"
    algorithm: str
    bits: int
    missing_value: int


@dataclass(frozen=True, slots=True)
class AtmosphericCoefficients:
    """Atmosphere model, each (13,): see docs/auxiliary-data.md for the formula."""

    TYPE: ClassVar[str] = "GIP_L2ACAC"
    ozone: Array
    water: Array
    water_power: Array
    path_0: Array
    path_1: Array
    depth_0: Array
    depth_1: Array
    spherical_0: Array
    spherical_1: Array


@dataclass(frozen=True, slots=True)
class SceneClassification:
    """Thresholds of the scene classification (reflectances and indices)."""

    TYPE: ClassVar[str] = "GIP_L2ACSC"
    cloud_blue: float
    cloud_swir: float
    cirrus: float
    vegetation_ndvi: float
    water_nir: float
    water_ndwi: float
    medium_share: float
    """Share of the cloud thresholds from which a pixel is a cloud of medium probability."""
    snow: SnowThresholds
