"""Lossless coding of 12-bit image lines, as the instrument's packets carry them (CCSDS 121.0)."""

from __future__ import annotations

import imagecodecs
import numpy as np
from numpy.typing import NDArray

from s2ps.model.errors import InputError

BITS = 12
MAXIMUM = (1 << BITS) - 1

_BLOCK = 16
_REFERENCE_INTERVAL = 32


def compress(lines: NDArray[np.uint16]) -> bytes:
    """Code lines (n, columns) of values 0..4095; raises InputError on larger values."""
    if lines.size and int(lines.max()) > MAXIMUM:
        raise InputError(f"image lines with the value {int(lines.max())}", expected=f"12 bits, 0 to {MAXIMUM}")
    data = np.ascontiguousarray(lines, dtype=np.uint16)
    coded = imagecodecs.aec_encode(data, bitspersample=BITS, blocksize=_BLOCK, rsi=_REFERENCE_INTERVAL)
    return bytes(coded)


def decompress(data: bytes, lines: int, cols: int, bits: int = BITS) -> NDArray[np.uint16]:
    """Decode what `compress` wrote into an array (lines, cols); raises InputError when the data do not fill it."""
    expected = f"{lines} lines of {cols} pixels"
    try:
        decoded = imagecodecs.aec_decode(data, bitspersample=bits, blocksize=_BLOCK, rsi=_REFERENCE_INTERVAL)
    except (imagecodecs.AecError, ValueError) as error:
        raise InputError(f"compressed image lines of {len(data)} bytes: {error}", expected=expected) from error
    pixels = len(decoded) // 2
    if not lines * cols <= pixels < lines * cols + _BLOCK:
        raise InputError(f"compressed image lines of {len(data)} bytes hold {pixels} pixels", expected=expected)
    return np.frombuffer(decoded, dtype=np.uint16, count=lines * cols).reshape(lines, cols)
