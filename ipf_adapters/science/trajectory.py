"""Orbit and attitude of the satellite as continuous functions of time relative to a reference time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ipf_adapters.science import rotation

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Orbit:
    """Samples of position (m) and velocity (m/s) in the Earth-fixed frame, shapes (n,), (n, 3), (n, 3), n >= 2."""

    time: Array
    """GPS seconds, ascending."""
    position: Array
    velocity: Array

    def at(self, time: Array) -> Array:
        """Interpolate positions (..., 3) by cubic Hermite pieces; straight lines beyond the samples."""
        inside = np.clip(time, self.time[0], self.time[-1])
        piece = np.clip(np.searchsorted(self.time, inside, side="right") - 1, 0, len(self.time) - 2)
        step = (self.time[piece + 1] - self.time[piece])[..., None]
        s = (inside - self.time[piece])[..., None] / step
        start, stop = self.position[piece], self.position[piece + 1]
        leave, arrive = self.velocity[piece] * step, self.velocity[piece + 1] * step
        cubic = (2 * start - 2 * stop + leave + arrive) * s**3
        square = (3 * stop - 3 * start - 2 * leave - arrive) * s**2
        beyond = (time - inside)[..., None] * np.where((time > inside)[..., None], self.velocity[-1], self.velocity[0])
        result: Array = cubic + square + leave * s + start + beyond
        return result


@dataclass(frozen=True, slots=True)
class Attitude:
    """Samples of the quaternions (n, 4), scalar last, that turn the inertial frame into the body frame, n >= 2."""

    time: Array
    """GPS seconds, ascending."""
    quaternion: Array

    def at(self, time: Array) -> Array:
        """Interpolate unit quaternions (..., 4) linearly between samples of one hemisphere; held beyond the samples."""
        inside = np.clip(time, self.time[0], self.time[-1])
        piece = np.clip(np.searchsorted(self.time, inside, side="right") - 1, 0, len(self.time) - 2)
        share = ((inside - self.time[piece]) / (self.time[piece + 1] - self.time[piece]))[..., None]
        first, second = self.quaternion[piece], self.quaternion[piece + 1]
        second = np.where(np.sum(first * second, axis=-1, keepdims=True) < 0.0, -second, second)
        mixed = first + share * (second - first)
        unit: Array = mixed / np.linalg.norm(mixed, axis=-1, keepdims=True)
        return unit


def relative(orbit: Orbit, attitude: Attitude, reference: float) -> tuple[Orbit, Attitude]:
    """Shift both series to seconds after a reference time, so that float64 resolves nanoseconds."""
    return (
        Orbit(orbit.time - reference, orbit.position, orbit.velocity),
        Attitude(attitude.time - reference, rotation.aligned(attitude.quaternion)),
    )
