"""Homologous points between observation and reference: files `D01_gcp.json` and `D01_gcp_filtered.json`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ipf_adapters.reference.errors import InvalidInput
from ipf_adapters.science.records import RecordError, dump_record, load_record

Array = NDArray[np.float64]


@dataclass(frozen=True)
class _Record:
    detector: int
    line: list[float]
    col: list[float]
    lon: list[float]
    lat: list[float]
    height: list[float]
    line_shift: list[float]
    col_shift: list[float]
    score: list[float]


@dataclass(frozen=True, slots=True)
class GroundPoints:
    """Image points of a detector in the reference band and the ground they show, arrays (n,)."""

    detector: int
    line: Array
    col: Array
    lon: Array
    """Degrees, as lat; from the reference image."""
    lat: Array
    height: Array
    """Metres above the ellipsoid."""
    line_shift: Array
    """Reference minus observation on the virtual sensor, pixels."""
    col_shift: Array
    score: Array

    def __len__(self) -> int:
        return int(self.line.size)

    def chosen(self, keep: NDArray[np.bool_]) -> GroundPoints:
        """Return the points that a mask keeps."""
        return GroundPoints(self.detector, *(getattr(self, name)[keep] for name in _ARRAYS))


_ARRAYS = ("line", "col", "lon", "lat", "height", "line_shift", "col_shift", "score")


def write_points(folder: Path, points: GroundPoints, *, filtered: bool = False) -> None:
    """Write the points of a detector."""
    values = {name: np.round(getattr(points, name), 10).tolist() for name in _ARRAYS}
    record = _Record(detector=points.detector, **values)
    folder.mkdir(parents=True, exist_ok=True)
    tail = "_filtered" if filtered else ""
    (folder / f"D{points.detector:02d}_gcp{tail}.json").write_text(dump_record(record) + "\n")


def read_points(folder: Path, *, detectors: tuple[int, ...] | None = None) -> list[GroundPoints]:
    """Read the points of all (or some) detectors in a folder, filtered ones by preference."""
    paths = {path.name: path for path in sorted(folder.rglob("D*_gcp*.json"))}
    chosen = [path for name, path in paths.items() if name.replace("_gcp.json", "_gcp_filtered.json") not in paths] + [
        path for name, path in paths.items() if name.endswith("_filtered.json")
    ]
    unique = {path.name[:3]: path for path in chosen}
    found = [_read(path) for _, path in sorted(unique.items())]
    return [points for points in found if detectors is None or points.detector in detectors]


def _read(path: Path) -> GroundPoints:
    try:
        record = load_record(_Record, path.read_bytes())
    except RecordError as error:
        raise InvalidInput(f"{path}: {error}: run TP_COLLECT again") from error
    return GroundPoints(record.detector, *(np.array(getattr(record, name), dtype=np.float64) for name in _ARRAYS))
