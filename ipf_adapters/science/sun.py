"""Position of the sun (Astronomical Almanac, low precision: 0.01 degree between 1950 and 2050)."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ipf_adapters.science import earth_rotation, ellipsoid

Array = NDArray[np.float64]

_J2000 = datetime(2000, 1, 1, 12, tzinfo=UTC)
_GPS_EPOCH = datetime(1980, 1, 6, tzinfo=UTC)


def sun_angles(utc: datetime, lon: ArrayLike, lat: ArrayLike) -> tuple[Array, Array]:
    """Return zenith and azimuth of the sun in degrees, azimuth clockwise from north, without refraction."""
    gps = (utc - _GPS_EPOCH).total_seconds() + earth_rotation.GPS_MINUS_UTC
    sidereal = earth_rotation.rotation_angle(gps) + np.radians(4612.156534 / 3600.0 * _days(utc) / 36525.0)
    direction = earth_rotation.to_earth_fixed(_direction(utc), sidereal)
    lons, lats = np.broadcast_arrays(np.asarray(lon, dtype=np.float64), np.asarray(lat, dtype=np.float64))
    return ellipsoid.zenith_azimuth(np.broadcast_to(direction, (*lons.shape, 3)), lons, lats)


def earth_sun_correction(utc: datetime) -> float:
    """Return U = 1 / d**2 with the distance d of the sun in astronomical units."""
    anomaly = np.radians(357.528 + 0.9856003 * _days(utc))
    distance = 1.00014 - 0.01671 * np.cos(anomaly) - 0.00014 * np.cos(2.0 * anomaly)
    return float(1.0 / distance**2)


def _direction(utc: datetime) -> Array:
    """Return the unit vector to the sun in the frame of the mean equator and equinox of date."""
    days = _days(utc)
    anomaly = np.radians(357.528 + 0.9856003 * days)
    mean = 280.460 + 0.9856474 * days
    longitude = np.radians(mean + 1.915 * np.sin(anomaly) + 0.020 * np.sin(2.0 * anomaly))
    obliquity = np.radians(23.439 - 4.0e-7 * days)
    cosine, sine = np.cos(longitude), np.sin(longitude)
    return np.array([cosine, np.cos(obliquity) * sine, np.sin(obliquity) * sine])


def _days(utc: datetime) -> float:
    return (utc - _J2000).total_seconds() / 86400.0
