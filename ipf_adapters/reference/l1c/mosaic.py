"""Resampling of the strips of all detectors onto a tile: one detector per pixel, interpolated as GIP_RESPAR says."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ipf_adapters.reference.errors import InvalidInput
from ipf_adapters.reference.l1c.inverse_grid import InverseGrid
from ipf_adapters.science.working import LOST, NODATA

FloatArray = NDArray[np.float64]
ROWS_AT_ONCE = 384
Order = Literal[1, 3]
ORDERS: dict[str, Order] = {"cubic-spline": 3, "linear": 1}
"""Degree of the spline of each kernel of GIP_RESPAR."""


@dataclass(frozen=True, slots=True)
class Strip:
    """Equalised counts of one detector and band, ready to be interpolated, and its quality."""

    coefficients: NDArray[np.float32]
    """Spline coefficients (lines, columns) of `order`."""
    quality: NDArray[np.uint8]
    order: Order
    """Degree of the interpolating spline: 3 or 1."""
    first_line: int = 0
    """Line of the datastrip in row 0: only the part that the tile needs is read."""
    lines: int = 0
    """Lines of the whole strip."""


@dataclass(frozen=True, slots=True)
class TileImage:
    """One band of a tile in counts, with the detector (0 = none) and the quality bits of each pixel."""

    counts: NDArray[np.float32]
    detector: NDArray[np.uint8]
    quality: NDArray[np.uint8]


def spline_order(kernel: str) -> Order:
    """Return the degree of the spline of a kernel; raises InvalidInput for one that is not known."""
    if kernel not in ORDERS:
        known = ", ".join(ORDERS)
        raise InvalidInput(f"GIP_RESPAR: kernel {kernel!r}: expected one of {known}: use a file with one of them")
    return ORDERS[kernel]


def prepare_strip(
    counts: NDArray[np.float32],
    quality: NDArray[np.uint8],
    order: Order,
    first_line: int = 0,
    lines: int | None = None,
) -> Strip:
    """Prefilter a strip from `first_line` on; gaps take their nearest neighbour first so that they do not ring."""
    image = np.asarray(counts, dtype=np.float32)
    lines = first_line + len(image) if lines is None else lines
    gaps = (quality & (NODATA | LOST)) != 0
    if gaps.all():
        return Strip(np.zeros_like(image), quality, order, first_line, lines)
    if gaps.any():
        nearest = ndimage.distance_transform_edt(gaps, return_distances=False, return_indices=True)
        image = image[tuple(nearest)]
    if order < 2:
        return Strip(image, quality, order, first_line, lines)
    coefficients = ndimage.spline_filter(image, order=order, output=np.float32, mode="mirror")
    return Strip(np.asarray(coefficients), quality, order, first_line, lines)


def ortho_image(grids: list[InverseGrid], strips: Mapping[int, Strip], heights: NDArray[np.float32]) -> TileImage:
    """Resample strips onto the tile; where two detectors see a pixel, the one that sees it farther inside wins.

    `heights` are metres above the ellipsoid of every pixel, shape (size, size).
    """
    shape = heights.shape
    image = TileImage(
        np.zeros(shape, dtype=np.float32),
        np.zeros(shape, dtype=np.uint8),
        np.full(shape, NODATA, dtype=np.uint8),
    )
    for row0 in range(0, shape[0], ROWS_AT_ONCE):
        _fill_rows(row0, min(row0 + ROWS_AT_ONCE, shape[0]), grids, strips, heights, image)
    return image


@dataclass(frozen=True, slots=True)
class _Candidate:
    """What a detector could give for a block of rows."""

    detector: int
    rows: slice
    cols: slice
    line: FloatArray
    col: FloatArray
    inside: FloatArray
    """Pixels from the nearer edge of the detector, negative where it does not see the ground point."""


def _candidates(
    row0: int, row1: int, grids: list[InverseGrid], strips: Mapping[int, Strip], heights: NDArray[np.float32]
) -> Iterator[_Candidate]:
    for grid in grids:
        first, last = max(row0, grid.window.row0), min(row1, grid.window.row1)
        if first >= last:
            continue
        cols = slice(grid.window.col0, grid.window.col1)
        line, col = grid.locate(first, last, heights[first:last, cols].astype(np.float64))
        strip = strips[grid.detector]
        inside = np.minimum(col + 0.5, strip.quality.shape[1] - 0.5 - col)
        inside[(line < -0.5) | (line > strip.lines - 0.5)] = -1.0
        yield _Candidate(grid.detector, slice(first, last), cols, line, col, inside)


def _fill_rows(
    row0: int,
    row1: int,
    grids: list[InverseGrid],
    strips: Mapping[int, Strip],
    heights: NDArray[np.float32],
    image: TileImage,
) -> None:
    candidates = list(_candidates(row0, row1, grids, strips, heights))
    best = np.zeros((row1 - row0, heights.shape[1]))
    chosen = image.detector[row0:row1]
    for item in candidates:
        rows = slice(item.rows.start - row0, item.rows.stop - row0)
        better = item.inside > best[rows, item.cols]
        best[rows, item.cols][better] = item.inside[better]
        chosen[rows, item.cols][better] = item.detector
    for item in candidates:
        strip = strips[item.detector]
        mine = image.detector[item.rows, item.cols] == item.detector
        if not mine.any():
            continue
        line, col = item.line[mine] - strip.first_line, item.col[mine]
        values = ndimage.map_coordinates(
            strip.coefficients, [line, col], order=strip.order, mode="mirror", prefilter=False, output=np.float32
        )
        image.counts[item.rows, item.cols][mine] = values
        image.quality[item.rows, item.cols][mine] = _nearest(strip.quality, line, col)


def _nearest(quality: NDArray[np.uint8], line: FloatArray, col: FloatArray) -> NDArray[np.uint8]:
    rows = np.clip(np.rint(line).astype(np.intp), 0, quality.shape[0] - 1)
    cols = np.clip(np.rint(col).astype(np.intp), 0, quality.shape[1] - 1)
    return np.asarray(quality[rows, cols])
