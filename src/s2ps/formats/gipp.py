"""Contents of the ground image processing parameters (GIPP), and how to read and write one.

`read_gipp(path, ViewingDirections)` checks the file type and returns the content. Detector axes hold detectors 1..12 in
order; band axes hold the 13 bands in spectral order; column axes are as read out (60 m bands at 20 m). Types for which
S2PS needs no numbers carry `Settings` (`read_settings`). docs/auxiliary-data.md tells who reads what.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from s2ps.formats.eof_header import EofHeader, read_eof, write_eof
from s2ps.formats.gipp_codec import from_element, to_element
from s2ps.model.bands import Band
from s2ps.model.errors import InputError

Array = NDArray[np.float64]


class GippContent(Protocol):
    """The dataclass of one GIPP type."""

    TYPE: ClassVar[str]


C = TypeVar("C", bound=GippContent)


def read_gipp(path: Path, content: type[C]) -> C:
    """Read a GIPP as the given content; raises InputError where the type differs or a value is missing."""
    header, block = read_eof(path)
    found = block.find(content.TYPE)
    if header.type != content.TYPE or found is None:
        raise InputError(f"GIPP {path} holds {header.type}", expected=content.TYPE)
    return from_element(content, found, f"GIPP {path}")


def read_band_gipps(paths: Iterable[Path], content: type[C]) -> dict[Band, C]:
    """Read the files of a band-dependent type, by band; raises InputError as `read_gipp`."""
    found: dict[Band, C] = {}
    for path in paths:
        token = EofHeader.from_name(path.name).band
        try:
            found[Band.from_name(f"B{token}")] = read_gipp(path, content)
        except ValueError as error:
            raise InputError(f"GIPP {path}: {error}") from error
    return found


def write_gipp(path: Path, header: EofHeader, content: GippContent) -> None:
    """Write one GIPP; the header must have the type of the content."""
    if content.TYPE not in ("", header.type):
        raise InputError(f"GIPP {path}: header type {header.type}", expected=content.TYPE)
    write_eof(path, header, to_element(header.type, content))


def read_settings(path: Path) -> dict[str, str]:
    """Read a GIPP that only carries named values."""
    header, block = read_eof(path)
    found = block.find(header.type)
    if found is None:
        raise InputError(f"GIPP {path} holds no {header.type}")
    return {item.name: item.value for item in from_element(Settings, found, f"GIPP {path}").values}


@dataclass(frozen=True, slots=True)
class ViewingDirections:
    """Look angles of one band."""

    TYPE: ClassVar[str] = "GIP_VIEDIR"
    psi_x: Array
    """(12, degree + 1): radians, ascending powers of the normalised column 0..1; along track, forward positive."""
    psi_y: Array
    """The same across track, right positive."""


@dataclass(frozen=True, slots=True)
class DatationTiming:
    """Time tagging."""

    TYPE: ClassVar[str] = "GIP_DATATI"
    THEORETICAL_LINE_PERIOD: float
    """Milliseconds per 10 m line (of this scale)."""
    GPS_TIME_TAI: int
    """GPS minus TAI in seconds: -19."""
    scale: int
    delays: Array
    """(12, 13): seconds after the datastrip start at which line 0 of a detector and band begins."""


@dataclass(frozen=True, slots=True)
class SpacecraftModel:
    """Platform constants."""

    TYPE: ClassVar[str] = "GIP_SPAMOD"
    altitude: float
    """Metres above the ellipsoid."""
    ground_speed: float
    """Metres per second (of this scale)."""
    focal_length: float
    attitude_rate: float
    """Attitude samples per second."""
    orbit_rate: float


@dataclass(frozen=True, slots=True)
class SadParameters:
    """Orbit numbering: relative = (absolute - ORBIT_OFFSET) mod TOTAL_ORBITS + 1."""

    TYPE: ClassVar[str] = "GIP_ATMSAD"
    ORBIT_OFFSET: int
    TOTAL_ORBITS: int


@dataclass(frozen=True, slots=True)
class ImageIngestion:
    """Ingestion of source packets."""

    TYPE: ClassVar[str] = "GIP_ATMIMA"
    SP_MIN_SIZE: int
    """Bytes below which a source packet is rejected."""


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
class QuicklookExtraction:
    """Quick-look decimation: 10 m lines and columns per quick-look pixel."""

    TYPE: ClassVar[str] = "GIP_LREXTR"
    decimation: int
    bands: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LocationParameters:
    """Accuracy of inverse location."""

    TYPE: ClassVar[str] = "GIP_INVLOC"
    grid_step: int
    """10 m pixels between grid nodes."""
    tolerance: float
    """Pixels."""
    iterations: int


@dataclass(frozen=True, slots=True)
class DirectLocationParameters:
    """Accuracy of direct location."""

    TYPE: ClassVar[str] = "GIP_PRDLOC"
    height_tolerance: float
    """Metres."""
    iterations: int
    rms_limit: float
    """Metres that the residuals of a well-located product do not exceed."""


@dataclass(frozen=True, slots=True)
class TileGridParameters:
    """The tile grid; see `s2ps.model.tiles.TileGrid`."""

    TYPE: ClassVar[str] = "GIP_TILPAR"
    epsg: int
    anchor_easting: float
    anchor_northing: float
    scale: int


@dataclass(frozen=True, slots=True)
class CoarseResolution:
    """Decimation of the preview (PVI) of a tile: 10 m pixels per preview pixel."""

    TYPE: ClassVar[str] = "GIP_HRTPAR"
    preview_pixels: int


@dataclass(frozen=True, slots=True)
class GeometricParameters:
    """Refining of the viewing model."""

    TYPE: ClassVar[str] = "GIP_GEOPAR"
    maximum_iterations: int
    minimum_points: int
    outlier_sigma: float
    apriori_sigma: float
    """Radians: expected size of the attitude bias."""


@dataclass(frozen=True, slots=True)
class EarthModel:
    """The reference ellipsoid."""

    TYPE: ClassVar[str] = "GIP_EARMOD"
    semi_major: float
    flattening: float


@dataclass(frozen=True, slots=True)
class InterDetectorParameters:
    """Correlation between neighbouring detectors."""

    TYPE: ClassVar[str] = "GIP_INTDET"
    overlap: int
    """Columns of 10 m that neighbours share."""
    minimum_score: float


@dataclass(frozen=True, slots=True)
class MatchingParameters:
    """Correlation with the reference image, in pixels of 10 m."""

    TYPE: ClassVar[str] = "GIP_G2PARA"
    window: int
    search_radius: int
    minimum_score: float
    grid_step: int


@dataclass(frozen=True, slots=True)
class RefiningParameters:
    """Acceptance of a refining."""

    TYPE: ClassVar[str] = "GIP_G2PARE"
    minimum_score: float
    largest_rms: float
    """Pixels of 10 m."""
    maximum_iterations: int


@dataclass(frozen=True, slots=True)
class ResamplingParameters:
    """Orthorectification."""

    TYPE: ClassVar[str] = "GIP_RESPAR"
    kernel: str
    """"cubic-spline", "cubic" or "linear"."""
    grid_step: int
    """Product pixels between nodes of the location grid."""


@dataclass(frozen=True, slots=True)
class MaskParameters:
    """Classification of clouds, cirrus and snow at L1C."""

    TYPE: ClassVar[str] = "GIP_MASPAR"
    opaque_blue: float
    opaque_swir: float
    cirrus: float
    dilation: int
    """Pixels of 60 m."""


@dataclass(frozen=True, slots=True)
class CloudParameters:
    """Cloud percentage limits."""

    TYPE: ClassVar[str] = "GIP_CLOPAR"
    minimum_pixels: int
    percentage_alarm: float


@dataclass(frozen=True, slots=True)
class Jp2Parameters:
    """JPEG 2000 coding."""

    TYPE: ClassVar[str] = "GIP_JP2KPA"
    lossless: bool
    tile_size: int
    resolutions: int


@dataclass(frozen=True, slots=True)
class DecompressionParameters:
    """On-board compression."""

    TYPE: ClassVar[str] = "GIP_DECOMP"
    algorithm: str
    bits: int
    missing_value: int


@dataclass(frozen=True, slots=True)
class MeteorologyParameters:
    """Short names of the fields taken from ECMWF and CAMS."""

    TYPE: ClassVar[str] = "GIP_ECMWFP"
    ecmwf_fields: tuple[str, ...]
    cams_fields: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CheckList:
    """Checks of one product type and report."""

    product: str
    report: str
    checks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class QualityControl:
    """On-line quality control: which report holds which checks."""

    TYPE: ClassVar[str] = "GIP_OLQCPA"
    lists: tuple[CheckList, ...]
    degraded_limit: float
    """Percent of lost packets from which a product is degraded."""


@dataclass(frozen=True, slots=True)
class ProcessorVersion:
    """Version of one processor in one workflow."""

    workflow: str
    Idp_Sc_Name: str
    Idp_Sc_Version: str


@dataclass(frozen=True, slots=True)
class ProcessingBaseline:
    """Baseline and processor versions of L0 and L1."""

    TYPE: ClassVar[str] = "GIP_PROBAS"
    Baseline_Version: str
    Idp_Sc_List: tuple[ProcessorVersion, ...]


@dataclass(frozen=True, slots=True)
class ProcessingBaselineL2(ProcessingBaseline):
    """Baseline and processor versions of L2."""

    TYPE: ClassVar[str] = "GIP_PROBA2"


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


@dataclass(frozen=True, slots=True)
class Setting:
    """One named value."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Settings:
    """Content of a type that only carries named values; read it with `read_settings`."""

    TYPE: ClassVar[str] = ""
    values: tuple[Setting, ...]
