"""The virtual sensor: the grid of a detector in the reference band, located with the nominal model on the terrain.

Observation and reference image are compared on this grid; a shift between them is an error of the nominal model.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ipf_adapters.reference.errors import MissingInput
from ipf_adapters.science.geometry import SensorModel, Surface
from ipf_adapters.science.working import DatastripInfo
from s2ps.model.bands import Band

Array = NDArray[np.float64]

NODE_STEP = 10
"""Pixels between nodes."""


@dataclass(frozen=True, slots=True)
class VirtualSensor:
    """Ground coordinates at the nodes of a detector, arrays (node lines, node columns)."""

    line: Array
    """Lines of the nodes, ascending, in pixels of the reference band."""
    col: Array
    lon: Array
    lat: Array
    height: Array

    def interpolate(self, values: Array, line: ArrayLike, col: ArrayLike) -> Array:
        """Return node values between nodes, bilinear; line and col broadcast and are held inside the grid."""
        lines, cols = np.broadcast_arrays(np.asarray(line, dtype=np.float64), np.asarray(col, dtype=np.float64))
        row, u = _cell(self.line, lines)
        column, v = _cell(self.col, cols)
        upper = values[row, column] * (1.0 - v) + values[row, column + 1] * v
        lower = values[row + 1, column] * (1.0 - v) + values[row + 1, column + 1] * v
        result: Array = upper * (1.0 - u) + lower * u
        return result

    def ground(self, line: ArrayLike, col: ArrayLike) -> tuple[Array, Array, Array]:
        """Return (lon, lat, height) between nodes."""
        lon, lat, height = (self.interpolate(values, line, col) for values in (self.lon, self.lat, self.height))
        return lon, lat, height


def build(model: SensorModel, info: DatastripInfo, detector: int, band: Band, terrain: Surface) -> VirtualSensor:
    """Locate the nodes of a detector."""
    line = _nodes(info.granules * info.lines(band))
    col = _nodes(band.width(info.scale))
    lon, lat, height = model.locate_on(detector, band, line[:, None], col[None, :], terrain)
    return VirtualSensor(line, col, lon, lat, height)


def write(folder: Path, detector: int, sensor: VirtualSensor) -> None:
    """Write the grid of a detector."""
    folder.mkdir(parents=True, exist_ok=True)
    arrays = {name: getattr(sensor, name) for name in VirtualSensor.__dataclass_fields__}
    np.savez(folder / f"D{detector:02d}_grid.npz", **arrays)


def read(folder: Path, detector: int) -> VirtualSensor:
    """Read the grid of a detector; raises MissingInput."""
    path = folder / f"D{detector:02d}_grid.npz"
    if not path.is_file():
        raise MissingInput(f"{path} is missing: run INIT_VS_GEO again")
    with np.load(path, allow_pickle=False) as arrays:
        return VirtualSensor(**{name: arrays[name] for name in VirtualSensor.__dataclass_fields__})


def image_path(folder: Path, detector: int, product: str) -> Path:
    """Return the path of "image" or "gri" on the grid of a detector."""
    return folder / f"D{detector:02d}_{product.lower()}.npy"


def read_image(folder: Path, detector: int, product: str) -> NDArray[np.float32]:
    """Read "image" or "gri" on the grid of a detector, NaN where nothing is known; raises MissingInput."""
    path = image_path(folder, detector, product)
    if not path.is_file():
        raise MissingInput(f"{path} is missing: run RESAMPLE_TO_VS of detector {detector} again")
    image: NDArray[np.float32] = np.load(path, allow_pickle=False)
    return image


def _nodes(count: int) -> Array:
    return np.unique(np.append(np.arange(0.0, count, NODE_STEP), [count - 1.0, float(max(count - 2, 0))]))


def _cell(nodes: Array, place: Array) -> tuple[NDArray[np.intp], Array]:
    inside = np.clip(place, nodes[0], nodes[-1])
    cell = np.clip(np.searchsorted(nodes, inside, side="right") - 1, 0, len(nodes) - 2)
    return cell, (inside - nodes[cell]) / (nodes[cell + 1] - nodes[cell])
