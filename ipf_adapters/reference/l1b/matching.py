"""Normalised cross-correlation of windows with a sub-pixel peak, many windows at once by FFT."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.float32]
Array = NDArray[np.float64]

_WINDOWS_AT_ONCE = 256
_FEWEST = 4


@dataclass(frozen=True, slots=True)
class Matches:
    """Points of an image and where the reference shows the same; arrays (n,), pixels."""

    line: Array
    col: Array
    line_shift: Array
    """Reference line minus image line."""
    col_shift: Array
    score: Array
    """Correlation at the peak, -1..1."""


def match(image: Image, reference: Image, window: int, radius: int, step: int, minimum_score: float) -> Matches:
    """Compare windows every `step` pixels within `radius`; windows with unknown (NaN) pixels are left out.

    `window` is odd. A match needs its score, and a peak inside the search range.
    """
    half = window // 2
    reach = half + radius
    line, col = (axis.ravel() for axis in np.meshgrid(*(_places(n, reach, step) for n in image.shape), indexing="ij"))
    parts = [
        _match_some(image, reference, line[i : i + _WINDOWS_AT_ONCE], col[i : i + _WINDOWS_AT_ONCE], half, radius)
        for i in range(0, line.size, _WINDOWS_AT_ONCE)
    ]
    if not parts:
        return Matches(*(np.zeros(0) for _ in range(5)))
    found = np.concatenate(parts, axis=1)
    return Matches(*found[:, found[4] >= minimum_score])


def _places(size: int, reach: int, step: int) -> NDArray[np.intp]:
    """Return window centres about every `step` pixels; a small image gets some nevertheless, and closer together."""
    room = size - 1 - 2 * reach
    if room < 0:
        return np.zeros(0, dtype=np.intp)
    number = max(room // step + 1, _FEWEST)
    return np.unique(np.rint(np.linspace(reach, reach + room, number)).astype(np.intp))


def _match_some(
    image: Image, reference: Image, line: NDArray[np.intp], col: NDArray[np.intp], half: int, radius: int
) -> Array:
    """Return (5, n) rows of `Matches` of the windows that can be compared."""
    templates = _cut(image, line, col, half)
    searches = _cut(reference, line, col, half + radius)
    known = ~(np.isnan(templates).any(axis=(1, 2)) | np.isnan(searches).any(axis=(1, 2)))
    known &= templates.std(axis=(1, 2)) > 0
    if not known.any():
        return np.zeros((5, 0))
    surface = correlate(templates[known], searches[known])
    shift_line, shift_col, score, inside = peaks(surface)
    rows = np.stack([line[known], col[known], shift_line - radius, shift_col - radius, score])
    result: Array = rows[:, inside]
    return result


def _cut(image: Image, line: NDArray[np.intp], col: NDArray[np.intp], half: int) -> Array:
    offset = np.arange(-half, half + 1)
    cut: Array = image[line[:, None, None] + offset[:, None], col[:, None, None] + offset].astype(np.float64)
    return cut


def correlate(templates: Array, searches: Array) -> Array:
    """Return the normalised correlation of templates (n, w, w) at every place in searches (n, s, s)."""
    from scipy import fft

    size, side = templates.shape[1], searches.shape[1]
    centred = templates - templates.mean(axis=(1, 2), keepdims=True)
    moved = searches - searches.mean(axis=(1, 2), keepdims=True)
    shape = (fft.next_fast_len(side, real=True),) * 2
    spectrum = fft.rfft2(moved, shape) * np.conj(fft.rfft2(centred, shape))
    places = side - size + 1
    product = fft.irfft2(spectrum, shape)[:, :places, :places]
    count = size * size
    mean, square = _box(moved, size) / count, _box(moved**2, size)
    spread = np.sqrt(np.maximum(square - count * mean**2, 1e-12) * np.sum(centred**2, axis=(1, 2))[:, None, None])
    result: Array = product / spread
    return result


def peaks(surface: Array) -> tuple[Array, Array, Array, NDArray[np.bool_]]:
    """Return (row, column, height) of the sub-pixel maxima of surfaces (n, p, p) and whether they lie inside."""
    number, side = surface.shape[0], surface.shape[1]
    row, col = np.divmod(surface.reshape(number, -1).argmax(axis=1), side)
    inside = (row > 0) & (row < side - 1) & (col > 0) & (col < side - 1)
    r, c = np.clip(row, 1, side - 2), np.clip(col, 1, side - 2)
    n = np.arange(number)
    middle = surface[n, r, c]
    down = _vertex(surface[n, r - 1, c], middle, surface[n, r + 1, c])
    across = _vertex(surface[n, r, c - 1], middle, surface[n, r, c + 1])
    return row + down, col + across, surface[n, row, col], inside


def _vertex(before: Array, middle: Array, after: Array) -> Array:
    bend = before - 2.0 * middle + after
    return np.where(bend < 0, np.clip(0.5 * (before - after) / np.minimum(bend, -1e-12), -0.5, 0.5), 0.0)


def _box(values: Array, size: int) -> Array:
    total = np.pad(values.cumsum(axis=1).cumsum(axis=2), ((0, 0), (1, 0), (1, 0)))
    result: Array = (
        total[:, size:, size:] - total[:, :-size, size:] - total[:, size:, :-size] + total[:, :-size, :-size]
    )
    return result
