"""Sun and viewing angles of a tile on the 23 x 23 grid of the metadata."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from ipf_adapters.reference.l1c.inverse_grid import InverseGrid, Project
from ipf_adapters.reference.l1c.splines import spread
from ipf_adapters.reference.l1c.tile_folder import TileSheet
from ipf_adapters.science.geometry import SensorModel
from ipf_adapters.science.sun import sun_angles
from s2ps.model.bands import Band

FloatArray = NDArray[np.float64]
NODES = 23
STEP_AT_SCALE_1 = 5000.0
EDGE_SHARE = 0.1
"""Share of the detector width by which angle grids reach over its edges."""


@dataclass(frozen=True, slots=True)
class AngleGrid:
    """Zenith and azimuth in degrees at the nodes, rows from north to south; NaN where there is no value."""

    zenith: FloatArray
    azimuth: FloatArray

    @property
    def empty(self) -> bool:
        """Tell whether no node has a value."""
        return bool(np.isnan(self.zenith).all())


def angle_step(tile: TileSheet) -> float:
    """Return the distance of nodes in metres: 5000 at scale 1."""
    return STEP_AT_SCALE_1 / tile.scale


def node_coordinates(tile: TileSheet, to_geographic: Project) -> tuple[FloatArray, FloatArray]:
    """Return longitude and latitude (degrees) of the nodes, each (23, 23)."""
    offsets = np.arange(NODES) * angle_step(tile)
    x, y = np.meshgrid(tile.ulx + offsets, tile.uly - offsets)
    return to_geographic(x, y)


def sun_grid(moment: datetime, lon: FloatArray, lat: FloatArray) -> AngleGrid:
    """Return the sun angles at the nodes."""
    zenith, azimuth = sun_angles(moment, lon, lat)
    return AngleGrid(np.asarray(zenith), np.asarray(azimuth))


def cosine_of_sun(tile: TileSheet, resolution: int, grid: AngleGrid) -> NDArray[np.float32]:
    """Return the cosine of the sun zenith angle of every pixel, float32 (size, size)."""
    nodes = np.arange(NODES) * angle_step(tile)
    pixels = (np.arange(tile.size(resolution)) + 0.5) * resolution
    weights = spread(nodes, pixels).astype(np.float32)
    cosine = weights @ np.cos(np.radians(grid.zenith)).astype(np.float32) @ weights.T
    return np.asarray(np.maximum(cosine, np.float32(1e-3)), dtype=np.float32)


def view_grid(
    model: SensorModel, grid: InverseGrid, band: Band, lines: int, height: float, tile: TileSheet
) -> tuple[AngleGrid, FloatArray]:
    """Return the viewing angles at the nodes a detector sees, and the line that sees each node (NaN elsewhere)."""
    detector, width = grid.detector, band.width(model.scale)
    pixels = np.arange(NODES) * angle_step(tile) / band.resolution - 0.5
    line, col = grid.locate_at(pixels, pixels, height)
    seen = (col > -0.5 - EDGE_SHARE * width) & (col < (1 + EDGE_SHARE) * width) & (line > -0.5) & (line < lines - 0.5)
    zenith, azimuth = np.full(line.shape, np.nan), np.full(line.shape, np.nan)
    if seen.any():
        zenith[seen], azimuth[seen] = model.view_angles(detector, band, line[seen], col[seen])
    return AngleGrid(zenith, azimuth), np.where(seen, line, np.nan)


def mean_angles(grids: list[AngleGrid]) -> tuple[float, float] | None:
    """Return the mean zenith and azimuth of all nodes with a value, through unit vectors; None without any."""
    zenith = np.radians(np.concatenate([grid.zenith.ravel() for grid in grids] or [np.zeros(0)]))
    azimuth = np.radians(np.concatenate([grid.azimuth.ravel() for grid in grids] or [np.zeros(0)]))
    known = ~np.isnan(zenith)
    if not known.any():
        return None
    zenith, azimuth = zenith[known], azimuth[known]
    east, north = float(np.mean(np.sin(zenith) * np.sin(azimuth))), float(np.mean(np.sin(zenith) * np.cos(azimuth)))
    up = float(np.mean(np.cos(zenith)))
    mean_zenith = np.degrees(np.arctan2(np.hypot(east, north), up))
    return float(mean_zenith), float(np.degrees(np.arctan2(east, north)) % 360.0)


def to_lists(grid: AngleGrid) -> dict[str, list[list[float | None]]]:
    """Return a grid as JSON values, rounded to 4 decimals, None for no value."""
    return {"zenith": _rows(grid.zenith), "azimuth": _rows(grid.azimuth)}


def from_lists(values: dict[str, list[list[float | None]]]) -> AngleGrid:
    """Read what `to_lists` gives."""
    zenith = np.array(values["zenith"], dtype=np.float64)
    return AngleGrid(zenith, np.array(values["azimuth"], dtype=np.float64))


def _rows(values: FloatArray) -> list[list[float | None]]:
    return [[None if np.isnan(value) else round(float(value), 4) for value in row] for row in values]
