"""Geometry of one granule, kept in flat files `D01_G001_geometry_<task>.json` of a granule list."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from ipf_adapters.reference.errors import InvalidInput, MissingInput
from ipf_adapters.science.records import RecordError, dump_record, load_record

Point = tuple[float, float, float]
Angles = tuple[float, float]


@dataclass(frozen=True)
class GranuleGeometry:
    """Where and when a granule was seen."""

    detector: int
    scene: int
    """From 1."""
    position: int
    """First line in the datastrip, 10 m lines, from 1."""
    start: datetime
    stop: datetime
    footprint: tuple[Point, ...]
    """Closed ring of (lon, lat, height)."""
    sun: Angles | None = None
    """Mean zenith and azimuth in degrees, as below."""
    view: dict[str, Angles] = field(default_factory=dict)
    """Mean direction of the satellite by band name."""
    cloud_cover: float | None = None
    """Percent."""


def geometry_path(folder: Path, detector: int, scene: int, task: str, band: str = "") -> Path:
    """Return the path of a granule's geometry written by a task, for one band or all."""
    middle = f"_{band}" if band else ""
    return folder / f"D{detector:02d}{middle}_G{scene:03d}_geometry_{task}.json"


def write_geometry(folder: Path, task: str, geometry: GranuleGeometry, band: str = "") -> None:
    """Write the geometry of a granule."""
    path = geometry_path(folder, geometry.detector, geometry.scene, task, band)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(dump_record(geometry, indent=1) + "\n")


def read_geometry(folder: Path, detector: int, scene: int, task: str, band: str = "") -> GranuleGeometry:
    """Read the geometry of a granule; raises MissingInput or InvalidInput naming the file."""
    path = geometry_path(folder, detector, scene, task, band)
    if not path.is_file():
        raise MissingInput(f"{path} is missing: run {task} of detector {detector} again")
    try:
        return load_record(GranuleGeometry, path.read_bytes())
    except RecordError as error:
        raise InvalidInput(f"{path}: {error}: run {task} of detector {detector} again") from error
