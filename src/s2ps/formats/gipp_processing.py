"""Contents of the GIPPs about ingestion, coding, quality control and versions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar


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
class QuicklookExtraction:
    """Quick-look decimation: 10 m lines and columns per quick-look pixel."""

    TYPE: ClassVar[str] = "GIP_LREXTR"
    decimation: int
    bands: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CoarseResolution:
    """Decimation of the preview (PVI) of a tile: 10 m pixels per preview pixel."""

    TYPE: ClassVar[str] = "GIP_HRTPAR"
    preview_pixels: int


@dataclass(frozen=True, slots=True)
class Jp2Parameters:
    """JPEG 2000 coding."""

    TYPE: ClassVar[str] = "GIP_JP2KPA"
    lossless: bool
    tile_size: int
    resolutions: int


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
class Setting:
    """One named value."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Settings:
    """Content of a type that only carries named values; read it with `read_settings`."""

    TYPE: ClassVar[str] = ""
    values: tuple[Setting, ...]
