"""Digital numbers at coarser and finer resolutions."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ipf_adapters.reference.l2a.layout import ADD_OFFSET, NO_DATA, QUANTIFICATION, SATURATED

Numbers = NDArray[np.uint16]


def coarser(numbers: Numbers, factor: int) -> Numbers:
    """Average blocks of factor x factor pixels; a block with any pixel without data, or saturated, is so as a whole."""
    if factor == 1:
        return numbers
    rows, cols = numbers.shape[0] // factor, numbers.shape[1] // factor
    blocks = numbers[: rows * factor, : cols * factor].reshape(rows, factor, cols, factor)
    total = np.zeros((rows, cols), dtype=np.uint32)
    least = np.full((rows, cols), SATURATED, dtype=np.uint16)
    most = np.zeros((rows, cols), dtype=np.uint16)
    for row in range(factor):
        for col in range(factor):
            part = blocks[:, row, :, col]
            total += part
            np.minimum(least, part, out=least)
            np.maximum(most, part, out=most)
    result = ((total + factor * factor // 2) // (factor * factor)).astype(np.uint16)
    result[most == SATURATED] = SATURATED
    result[least == NO_DATA] = NO_DATA
    return result


def finer(numbers: Numbers, factor: int) -> Numbers:
    """Repeat every pixel factor x factor times."""
    return np.repeat(np.repeat(numbers, factor, axis=0), factor, axis=1)


def reflectance(numbers: Numbers) -> NDArray[np.float32]:
    """Return reflectance of digital numbers."""
    result = numbers.astype(np.float32)
    result -= np.float32(ADD_OFFSET)
    result *= np.float32(1.0 / QUANTIFICATION)
    return result
