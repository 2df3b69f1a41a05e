"""Inverse location of a tile in one detector: a coarse grid at two heights, exact per pixel after interpolation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ipf_adapters.reference.l1c.splines import node_positions, spread
from ipf_adapters.reference.l1c.tile_folder import TileSheet
from ipf_adapters.science.geometry import SensorModel
from s2ps.formats.gipp import ResamplingParameters
from s2ps.model.bands import Band

FloatArray = NDArray[np.float64]
Project = Callable[[FloatArray, FloatArray], tuple[FloatArray, FloatArray]]
"""Map projection or its inverse: (lon, lat) to (easting, northing) or back."""

WINDOW_MARGIN = 6.0
"""Pixels around the forward footprint in which inverse location is computed."""


@dataclass(frozen=True, slots=True)
class Window:
    """Rows and columns of a tile (half open) that a detector can see."""

    row0: int
    row1: int
    col0: int
    col1: int

    @property
    def empty(self) -> bool:
        """Tell whether the detector sees nothing of the tile."""
        return self.row1 <= self.row0 or self.col1 <= self.col0


@dataclass(frozen=True, slots=True)
class InverseGrid:
    """Lines and columns of one detector and band for the pixels of a window of the tile."""

    detector: int
    window: Window
    low_height: float
    high_height: float
    row_nodes: FloatArray
    """Tile rows of the nodes, evenly spaced."""
    col_nodes: FloatArray
    rows: FloatArray
    """Spline weights (window rows, node rows)."""
    columns: FloatArray
    """Spline weights (window columns, node columns)."""
    line: FloatArray
    """Lines at the nodes, at the low and the high height: (2, node rows, node columns)."""
    column: FloatArray

    def line_range(self) -> tuple[float, float]:
        """Return the first and last line that the window can need."""
        return float(self.line.min()), float(self.line.max())

    def locate(self, row0: int, row1: int, height: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return (line, col) of tile rows row0..row1 (exclusive) in the window, at heights of the same shape."""
        weights = self.rows[row0 - self.window.row0 : row1 - self.window.row0]
        share = (height - self.low_height) / (self.high_height - self.low_height)
        return _blend(weights, self.line, self.columns, share), _blend(weights, self.column, self.columns, share)

    def locate_at(self, rows: FloatArray, cols: FloatArray, height: float) -> tuple[FloatArray, FloatArray]:
        """Return (line, col), each (rows, cols), at tile positions and one height; NaN outside the window."""
        window = self.window
        outside = np.logical_or.outer(
            (rows < window.row0 - 2) | (rows > window.row1 + 1), (cols < window.col0 - 2) | (cols > window.col1 + 1)
        )
        share = np.asarray((height - self.low_height) / (self.high_height - self.low_height))
        row_weights, col_weights = spread(self.row_nodes, rows), spread(self.col_nodes, cols)
        line = _blend(row_weights, self.line, col_weights, share)
        col = _blend(row_weights, self.column, col_weights, share)
        return np.where(outside, np.nan, line), np.where(outside, np.nan, col)


def _blend(rows: FloatArray, nodes: FloatArray, columns: FloatArray, share: FloatArray) -> FloatArray:
    rise = rows @ (nodes[1] - nodes[0]) @ columns.T
    rise *= share
    rise += rows @ nodes[0] @ columns.T
    return np.asarray(rise)


def seen_window(
    model: SensorModel,
    detector: int,
    band: Band,
    lines: int,
    tile: TileSheet,
    to_map: Project,
    heights: tuple[float, float],
) -> Window:
    """Return the part of the tile a detector sees, from the outline of its strip at both extreme heights."""
    size = tile.size(band.resolution)
    width = band.width(tile.scale)
    line, col = np.meshgrid(np.linspace(-0.5, lines - 0.5, 65), np.linspace(-0.5, width - 0.5, 9), indexing="ij")
    rows, cols = [], []
    for height in heights:
        lon, lat = model.locate(detector, band, line, col, height)
        x, y = to_map(lon, lat)
        cols.append((x - tile.ulx) / band.resolution - 0.5)
        rows.append((tile.uly - y) / band.resolution - 0.5)
    row, column = np.stack(rows), np.stack(cols)
    near = (row > -size / 4) & (row < size * 1.25)
    if not near.any():
        return Window(0, 0, 0, 0)
    first_row, last_row = _clip(row.min(), row.max(), size)
    first_col, last_col = _clip(column[near].min(), column[near].max(), size)
    return Window(first_row, last_row, first_col, last_col)


def _clip(least: float, most: float, size: int) -> tuple[int, int]:
    first = int(np.clip(np.floor(least - WINDOW_MARGIN), 0, size))
    last = int(np.clip(np.ceil(most + WINDOW_MARGIN) + 1, 0, size))
    return first, last


def inverse_grid(
    model: SensorModel,
    detector: int,
    band: Band,
    window: Window,
    tile: TileSheet,
    to_geographic: Project,
    heights: tuple[float, float],
    resampling: ResamplingParameters,
) -> InverseGrid:
    """Compute the grid of a detector over a window; heights are the extremes of the terrain in metres."""
    low, high = heights[0] - 10.0, heights[1] + 10.0
    row_nodes = _nodes(window.row0, window.row1, resampling.row_step)
    col_nodes = _nodes(window.col0, window.col1, resampling.column_step)
    x, y = np.meshgrid(tile.x_of(col_nodes, band.resolution), tile.y_of(row_nodes, band.resolution))
    lon, lat = to_geographic(x, y)
    line, col = model.inverse(detector, band, np.stack([lon, lon]), np.stack([lat, lat]), _levels(low, high, x.shape))
    return InverseGrid(
        detector,
        window,
        low,
        high,
        row_nodes,
        col_nodes,
        spread(row_nodes, np.arange(window.row0, window.row1, dtype=np.float64)),
        spread(col_nodes, np.arange(window.col0, window.col1, dtype=np.float64)),
        line,
        col,
    )


def _nodes(first: int, end: int, step: float) -> FloatArray:
    return node_positions(float(first), float(max(end - 1, first + 1)), step, least=6, most=1024)


def _levels(low: float, high: float, shape: tuple[int, ...]) -> FloatArray:
    return np.stack([np.full(shape, low), np.full(shape, high)])


def projections(epsg: int) -> tuple[Project, Project]:
    """Return (to_map, to_geographic) of a UTM zone."""
    from pyproj import Transformer

    forward = Transformer.from_crs(4326, epsg, always_xy=True)
    backward = Transformer.from_crs(epsg, 4326, always_xy=True)

    def to_map(lon: FloatArray, lat: FloatArray) -> tuple[FloatArray, FloatArray]:
        x, y = forward.transform(lon, lat)
        return np.asarray(x), np.asarray(y)

    def to_geographic(x: FloatArray, y: FloatArray) -> tuple[FloatArray, FloatArray]:
        lon, lat = backward.transform(x, y)
        return np.asarray(lon), np.asarray(lat)

    return to_map, to_geographic
