"""Earth rotation angle of UT1 and the turn between the inertial and the Earth-fixed frame."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]

GPS_MINUS_UTC = 18.0
"""Seconds, since 2017-01-01."""
ROTATION_RATE = 2.0 * np.pi * 1.00273781191135448 / 86400.0
"""Rate of the Earth rotation angle in rad per UT1 second (IERS Conventions 2010, eq. 5.15)."""

_J2000_MINUS_GPS_EPOCH_DAYS = 7300.5


def rotation_angle(gps_seconds: ArrayLike, ut1_minus_utc: float = 0.0) -> Array:
    """Return the Earth rotation angle in radians, 0..2 pi, at GPS seconds since 1980-01-06 (IERS Conventions 2010)."""
    seconds = np.asarray(gps_seconds, dtype=np.float64) - GPS_MINUS_UTC + ut1_minus_utc
    days = seconds / 86400.0 - _J2000_MINUS_GPS_EPOCH_DAYS
    turns = 0.7790572732640 + 0.00273781191135448 * days + np.mod(days, 1.0)
    angle: Array = 2.0 * np.pi * np.mod(turns, 1.0)
    return angle


def to_earth_fixed(vector: Array, angle: ArrayLike) -> Array:
    """Turn inertial vectors (..., 3) into the Earth-fixed frame by rotation angles (rad) of the leading shape."""
    return _about_z(vector, np.asarray(angle, dtype=np.float64))


def to_inertial(vector: Array, angle: ArrayLike) -> Array:
    """Turn Earth-fixed vectors (..., 3) into the inertial frame by rotation angles (rad) of the leading shape."""
    return _about_z(vector, -np.asarray(angle, dtype=np.float64))


def _about_z(vector: Array, angle: Array) -> Array:
    cosine, sine = np.cos(angle), np.sin(angle)
    x = cosine * vector[..., 0] + sine * vector[..., 1]
    y = cosine * vector[..., 1] - sine * vector[..., 0]
    return np.stack([x, y, np.broadcast_to(vector[..., 2], x.shape)], axis=-1)
