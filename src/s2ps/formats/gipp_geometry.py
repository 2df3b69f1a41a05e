"""Contents of the GIPPs about viewing, timing, location, refining and resampling."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


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
    """Accuracy of direct location, and how finely outlines on the ground are drawn."""

    TYPE: ClassVar[str] = "GIP_PRDLOC"
    height_tolerance: float
    """Metres."""
    iterations: int
    rms_limit: float
    """Metres that the residuals of a well-located product do not exceed."""
    points_across: int
    """Points of an outline across a detector."""
    steps_along: int
    """Steps of an outline along one scene."""


@dataclass(frozen=True, slots=True)
class TileGridParameters:
    """The tile grid; see `s2ps.model.tiles.TileGrid`."""

    TYPE: ClassVar[str] = "GIP_TILPAR"
    epsg: int
    anchor_easting: float
    anchor_northing: float
    scale: int


@dataclass(frozen=True, slots=True)
class GeometricParameters:
    """Refining of the viewing model."""

    TYPE: ClassVar[str] = "GIP_GEOPAR"
    minimum_points: int
    """Points below which a datastrip is not refined."""
    outlier_sigma: float
    """Robust standard deviations from which a point is left out before the adjustment."""
    robust_sigma: float
    """Robust standard deviations from which a point weighs less in the adjustment."""
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
    """"cubic-spline" or "linear"."""
    row_step: int
    """Product pixels between nodes of the location grid along the track, where the attitude changes."""
    column_step: int
    """The same across the track."""
