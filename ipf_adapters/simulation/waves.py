"""Smooth random functions of the plane that cost little on grids, and hashes of integer pairs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Waves:
    """A sum of products sin(p x + a) sin(q y + b), scaled to unit variance."""

    p: Array
    q: Array
    a: Array
    b: Array

    @classmethod
    def random(cls, seed: list[int], wavelengths: tuple[float, float], count: int) -> Waves:
        """Draw waves between two lengths in metres."""
        rng = np.random.default_rng(seed)
        p, q = 2.0 * np.pi / rng.uniform(*wavelengths, (2, count))
        return cls(p, q, *rng.uniform(0.0, 2.0 * np.pi, (2, count)))

    def on_grid(self, x: Array, y: Array) -> Array:
        """Return values (len(y), len(x)); a value does not depend on the rest of the grid."""
        total = np.zeros((len(y), len(x)))
        for p, q, a, b in zip(self.p, self.q, self.a, self.b, strict=True):
            total += np.sin(q * y + b)[:, None] * np.sin(p * x + a)[None, :]
        values: Array = total * (2.0 / np.sqrt(len(self.p)))
        return values

    def at(self, x: Array, y: Array) -> Array:
        """Return values at points."""
        total = np.zeros(np.broadcast_shapes(np.shape(x), np.shape(y)))
        for p, q, a, b in zip(self.p, self.q, self.a, self.b, strict=True):
            total = total + np.sin(q * y + b) * np.sin(p * x + a)
        values: Array = total * (2.0 / np.sqrt(len(self.p)))
        return values


def hashed(seed: int, stream: int, i: ArrayLike, j: ArrayLike) -> Array:
    """Return numbers 0..1 that depend on the seed, a stream and two integers only (SplitMix64)."""
    state = np.asarray(i).astype(np.int64).astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    state ^= np.asarray(j).astype(np.int64).astype(np.uint64) * np.uint64(0xC2B2AE3D27D4EB4F)
    state += np.uint64((seed * 1_000_003 + stream) * 0x165667B19E3779F9 & 0xFFFFFFFFFFFFFFFF)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        state = (state ^ (state >> np.uint64(shift))) * np.uint64(factor)
    state ^= state >> np.uint64(31)
    return (state >> np.uint64(11)).astype(np.float64) / float(1 << 53)
