"""Contents of the ground image processing parameters (GIPP), and how to read and write one.

`read_gipp(path, ViewingDirections)` checks the file type and returns the content. Detector axes hold detectors 1..12 in
order; band axes hold the 13 bands in spectral order; column axes are as read out (60 m bands at 20 m). Types for which
S2PS needs no numbers carry `Settings` (`read_settings`). docs/auxiliary-data.md tells who reads what.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import ClassVar, Protocol, TypeVar

from s2ps.formats.eof_header import EofHeader, read_eof, write_eof
from s2ps.formats.gipp_codec import from_element, to_element
from s2ps.formats.gipp_geometry import (
    DatationTiming,
    DirectLocationParameters,
    EarthModel,
    GeometricParameters,
    InterDetectorParameters,
    LocationParameters,
    MatchingParameters,
    RefiningParameters,
    ResamplingParameters,
    SpacecraftModel,
    TileGridParameters,
    ViewingDirections,
)
from s2ps.formats.gipp_processing import (
    CheckList,
    CoarseResolution,
    ImageIngestion,
    Jp2Parameters,
    MeteorologyParameters,
    ProcessingBaseline,
    ProcessingBaselineL2,
    ProcessorVersion,
    QualityControl,
    QuicklookExtraction,
    SadParameters,
    Setting,
    Settings,
)
from s2ps.formats.gipp_radiometry import (
    AbsoluteCalibration,
    AtmosphericCoefficients,
    Binning,
    BlindPixels,
    CloudParameters,
    CoarseCloudThresholds,
    CrosstalkCorrection,
    DarkSignal,
    DecompressionParameters,
    DefectivePixel,
    DefectivePixels,
    MaskParameters,
    RadiometricParameters,
    RelativeResponse,
    SceneClassification,
    SnowThresholds,
)
from s2ps.model.bands import Band
from s2ps.model.errors import InputError


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


def file_version(path: Path) -> str:
    """Return the version in the header of an auxiliary file, four digits, as product metadata list it."""
    header, _ = read_eof(path)
    return f"{header.version:04d}"


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


__all__ = [
    "AbsoluteCalibration",
    "AtmosphericCoefficients",
    "Binning",
    "BlindPixels",
    "CheckList",
    "CloudParameters",
    "CoarseCloudThresholds",
    "CoarseResolution",
    "CrosstalkCorrection",
    "DarkSignal",
    "DatationTiming",
    "DecompressionParameters",
    "DefectivePixel",
    "DefectivePixels",
    "DirectLocationParameters",
    "EarthModel",
    "GeometricParameters",
    "GippContent",
    "ImageIngestion",
    "InterDetectorParameters",
    "Jp2Parameters",
    "LocationParameters",
    "MaskParameters",
    "MatchingParameters",
    "MeteorologyParameters",
    "ProcessingBaseline",
    "ProcessingBaselineL2",
    "ProcessorVersion",
    "QualityControl",
    "QuicklookExtraction",
    "RadiometricParameters",
    "RefiningParameters",
    "RelativeResponse",
    "ResamplingParameters",
    "SadParameters",
    "SceneClassification",
    "Setting",
    "Settings",
    "SnowThresholds",
    "SpacecraftModel",
    "TileGridParameters",
    "ViewingDirections",
    "file_version",
    "read_band_gipps",
    "read_gipp",
    "read_settings",
    "write_gipp",
]
