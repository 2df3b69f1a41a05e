"""Working data passed between processors: datastrip and granule descriptions, ancillary data, image pieces."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from ipf_adapters.science.ancillary_packets import Ancillary
from ipf_adapters.science.records import RecordError, dump_record, load_record
from s2ps.model.bands import Band
from s2ps.model.errors import InputError

Image = NDArray[Any]
Record = TypeVar("Record")

NODATA, SATURATED, DEFECTIVE, LOST = 1, 2, 4, 8
"""Bits of the quality masks."""

_PIECE = re.compile(r"D(\d\d)_(B[0-9A]{2})_G(\d{3})(?:-G(\d{3}))?(?:_(\w+))?\.npy")


@dataclass(frozen=True)
class DatastripInfo:
    """What is known of a datastrip as a whole (`datastrip.json`)."""

    unit: str
    """Satellite, "S2B"."""
    datatake_id: str
    """As GS2B_20260701T101559_042345_N05.11."""
    datatake_type: str
    """As INS-NOBS."""
    datastrip_id: str
    """Name of the datastrip PDI the data came in."""
    start: datetime
    """UTC of the beginning of line 0 before the delays of detectors and bands."""
    stop: datetime
    absolute_orbit: int
    relative_orbit: int
    line_period_ms: float
    """Milliseconds per 10 m line."""
    lines_per_granule: int
    """10 m lines."""
    granules: int
    """Scenes; each has one granule per detector."""
    scale: int = 1
    reception_station: str = ""
    cloud_cover: float | None = None
    """Percent, from the quick looks."""

    def lines(self, band: Band) -> int:
        """Return the lines of one granule of a band."""
        return self.lines_per_granule * 10 // band.resolution


@dataclass(frozen=True)
class GranuleInfo:
    """One granule (`granule.json`)."""

    detector: int
    index: int
    """Scene number, from 1."""
    start: datetime
    stop: datetime
    footprint: tuple[tuple[float, float], ...] = ()
    """Closed ring of (lon, lat) in degrees."""
    cloud_cover: float | None = None


@dataclass(frozen=True)
class Refining:
    """Outcome of the refining (`refining.json`): body-frame corrections and how well they fit."""

    roll: float
    """Radians, as pitch and yaw."""
    pitch: float
    yaw: float
    rms_before: float
    """Metres on ground, tie points against the reference, as all lengths here."""
    rms_after: float
    points: int
    mean_before: tuple[float, float] = (0.0, 0.0)
    """Mean shift (east, north)."""
    mean_after: tuple[float, float] = (0.0, 0.0)

    @property
    def bias(self) -> tuple[float, float, float]:
        """Roll, pitch, yaw as `SensorModel.with_bias` takes them."""
        return self.roll, self.pitch, self.yaw


@dataclass(frozen=True)
class Datation:
    """Line timing and Earth rotation kept with a datastrip (`datation.json`), for steps that get no GIP_DATATI."""

    ut1_minus_utc: float
    """Seconds."""
    delays: tuple[tuple[float, ...], ...]
    """12 detectors by 13 bands: seconds after the datastrip start at which line 0 begins."""


def read_datastrip(folder: Path) -> DatastripInfo:
    """Read the description of a datastrip directory (PDI_DS)."""
    return _read(folder / "datastrip.json", DatastripInfo)


def write_datastrip(folder: Path, info: DatastripInfo) -> None:
    """Write the description of a datastrip directory."""
    _write(folder / "datastrip.json", info)


def read_ancillary(folder: Path) -> Ancillary:
    """Read orbit and attitude of a datastrip directory."""
    path = folder / "ancillary.npz"
    if not path.is_file():
        raise InputError(f"{path} is missing", expected="orbit and attitude samples", next_step="run the step before")
    with np.load(path, allow_pickle=False) as arrays:
        return Ancillary(**{name: arrays[name] for name in Ancillary.__dataclass_fields__})


def write_ancillary(folder: Path, ancillary: Ancillary) -> None:
    """Write orbit and attitude into a datastrip directory."""
    folder.mkdir(parents=True, exist_ok=True)
    arrays = {name: getattr(ancillary, name) for name in Ancillary.__dataclass_fields__}
    np.savez(folder / "ancillary.npz", **arrays)


def read_datation(folder: Path) -> Datation:
    """Read the line timing kept with a datastrip."""
    return _read(folder / "datation.json", Datation)


def write_datation(folder: Path, datation: Datation) -> None:
    """Keep the line timing with a datastrip."""
    _write(folder / "datation.json", datation)


def read_refining(folder: Path) -> Refining | None:
    """Read the refining of a datastrip directory; None when it was not refined."""
    path = folder / "refining.json"
    return _read(path, Refining) if path.is_file() else None


def write_refining(folder: Path, refining: Refining) -> None:
    """Write the refining into a datastrip directory."""
    _write(folder / "refining.json", refining)


def granule_dir(root: Path, detector: int, index: int) -> Path:
    """Return the directory of a granule in a granule list."""
    return root / f"D{detector:02d}" / f"G{index:03d}"


def packets_path(root: Path, detector: int, index: int, band: Band) -> Path:
    """Return the packet file of a granule and band."""
    return granule_dir(root, detector, index) / f"{band.name}.isp"


def read_granule(root: Path, detector: int, index: int) -> GranuleInfo:
    """Read the description of a granule."""
    return _read(granule_dir(root, detector, index) / "granule.json", GranuleInfo)


def write_granule(root: Path, info: GranuleInfo) -> None:
    """Write the description of a granule."""
    _write(granule_dir(root, info.detector, info.index) / "granule.json", info)


@dataclass(frozen=True, slots=True, order=True)
class Piece:
    """A stretch of the image of one detector and band in a file of its own."""

    detector: int
    band_index: int
    first: int
    """First scene, from 1."""
    last: int
    kind: str = ""
    """What it holds besides the image itself: "quality" ..."""

    @property
    def band(self) -> Band:
        """Its band."""
        return Band(self.band_index)

    @property
    def name(self) -> str:
        """File name, `D01_B02_G001-G002.npy`; one scene is `D01_B02_G001.npy`."""
        until = f"-G{self.last:03d}" if self.last != self.first else ""
        kind = f"_{self.kind}" if self.kind else ""
        return f"D{self.detector:02d}_{self.band.name}_G{self.first:03d}{until}{kind}.npy"

    @classmethod
    def parse(cls, name: str) -> Piece | None:
        """Read a file name; None when it is not one of a piece."""
        match = _PIECE.fullmatch(name)
        if match is None or match[2] not in Band.__members__:
            return None
        return cls(int(match[1]), Band[match[2]].index, int(match[3]), int(match[4] or match[3]), match[5] or "")


def write_piece(folder: Path, detector: int, band: Band, scenes: range, image: Image, kind: str = "") -> Path:
    """Write the image of consecutive scenes (1-based) and return its path."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / Piece(detector, band.index, scenes[0], scenes[-1], kind).name
    np.save(path, image)
    return path


def pieces(folder: Path, detector: int, band: Band, kind: str = "") -> Iterator[tuple[Piece, Path]]:
    """Yield the pieces of a detector and band along the track."""
    found = [(Piece.parse(path.name), path) for path in folder.glob(f"D{detector:02d}_{band.name}_G*.npy")]
    chosen = [(piece, path) for piece, path in found if piece is not None and piece.kind == kind]
    yield from sorted(chosen)


def read_strip(folder: Path, detector: int, band: Band, kind: str = "", *, mapped: bool = False) -> Image:
    """Join the pieces of a detector and band along the track, from scene 1 on.

    With `mapped`, a single piece is opened without reading it. Raises InputError when a piece is missing.
    """
    found = list(pieces(folder, detector, band, kind))
    expected = 1
    for piece, path in found:
        if piece.first != expected:
            raise InputError(f"{path} begins at scene {piece.first}", expected=f"a piece from scene {expected} on")
        expected = piece.last + 1
    if not found:
        what = f"{kind or 'image'} of D{detector:02d} {band.name}"
        raise InputError(f"{folder} holds no {what}", expected="at least one piece", next_step="run the step before")
    arrays = [np.load(path, allow_pickle=False, mmap_mode="r" if mapped else None) for _, path in found]
    return arrays[0] if len(arrays) == 1 else np.concatenate(arrays)


def read_scenes(folder: Path, detector: int, band: Band, scenes: range, lines: int, kind: str = "") -> Image:
    """Join the part of the pieces of a detector and band that covers consecutive scenes of `lines` lines each.

    Raises InputError when a scene is in no piece or a piece has not the lines of its scenes.
    """
    parts: list[Image] = []
    wanted = scenes[0]
    for piece, path in pieces(folder, detector, band, kind):
        if not piece.first <= wanted <= piece.last or wanted > scenes[-1]:
            continue
        image = np.load(path, allow_pickle=False, mmap_mode="r")
        if len(image) != (piece.last - piece.first + 1) * lines:
            raise InputError(f"{path} has {len(image)} lines", expected=f"{lines} for each of its scenes")
        until = min(piece.last, scenes[-1])
        parts.append(image[(wanted - piece.first) * lines : (until - piece.first + 1) * lines])
        wanted = until + 1
    if wanted <= scenes[-1]:
        what = f"{kind or 'image'} of D{detector:02d} {band.name} scene {wanted}"
        raise InputError(
            f"{folder} holds no {what}", expected="pieces over all scenes", next_step="run the step before"
        )
    return np.concatenate(parts)


def _read(path: Path, form: type[Record]) -> Record:
    try:
        return load_record(form, path.read_bytes())
    except FileNotFoundError as error:
        raise InputError(f"{path} is missing", expected=form.__name__, next_step="run the step before") from error
    except RecordError as error:
        raise InputError(f"{path}: {error}", expected=form.__name__) from error


def _write(path: Path, record: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(dump_record(record, indent=1) + "\n")
