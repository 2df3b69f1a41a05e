"""WGS 84 ellipsoid: geodetic and Earth-fixed coordinates, intersection of rays with a surface of constant height."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]

SEMI_MAJOR = 6378137.0
FLATTENING = 1.0 / 298.257223563
SEMI_MINOR = SEMI_MAJOR * (1.0 - FLATTENING)
ECCENTRICITY_SQUARED = FLATTENING * (2.0 - FLATTENING)
_SECOND_ECCENTRICITY_SQUARED = ECCENTRICITY_SQUARED / (1.0 - ECCENTRICITY_SQUARED)


def to_earth_fixed(lon: ArrayLike, lat: ArrayLike, height: ArrayLike = 0.0) -> Array:
    """Convert degrees and metres above the ellipsoid into ECEF metres (..., 3)."""
    lam, phi, h = np.broadcast_arrays(np.radians(lon), np.radians(lat), np.asarray(height, dtype=np.float64))
    normal = SEMI_MAJOR / np.sqrt(1.0 - ECCENTRICITY_SQUARED * np.sin(phi) ** 2)
    across = (normal + h) * np.cos(phi)
    up = (normal * (1.0 - ECCENTRICITY_SQUARED) + h) * np.sin(phi)
    return np.stack([across * np.cos(lam), across * np.sin(lam), up], axis=-1)


def to_geodetic(position: Array) -> tuple[Array, Array, Array]:
    """Convert ECEF metres (..., 3) into (lon, lat, height); better than 1e-9 degree below 1,000 km (Bowring)."""
    x, y, z = position[..., 0], position[..., 1], position[..., 2]
    radius = np.hypot(x, y)
    reduced = np.arctan2(z * SEMI_MAJOR, radius * SEMI_MINOR)
    phi = np.arctan2(
        z + _SECOND_ECCENTRICITY_SQUARED * SEMI_MINOR * np.sin(reduced) ** 3,
        radius - ECCENTRICITY_SQUARED * SEMI_MAJOR * np.cos(reduced) ** 3,
    )
    normal = SEMI_MAJOR / np.sqrt(1.0 - ECCENTRICITY_SQUARED * np.sin(phi) ** 2)
    height = radius * np.cos(phi) + z * np.sin(phi) - SEMI_MAJOR**2 / normal
    return np.degrees(np.arctan2(y, x)), np.degrees(phi), height


def vertical(lon: ArrayLike, lat: ArrayLike) -> Array:
    """Return the upward unit normals (..., 3) of the ellipsoid at degrees."""
    lam, phi = np.broadcast_arrays(np.radians(lon), np.radians(lat))
    return np.stack([np.cos(phi) * np.cos(lam), np.cos(phi) * np.sin(lam), np.sin(phi)], axis=-1)


def zenith_azimuth(direction: Array, lon: ArrayLike, lat: ArrayLike) -> tuple[Array, Array]:
    """Return zenith angle and azimuth clockwise from north, degrees, of ECEF unit vectors seen from a ground point."""
    lam, _ = np.broadcast_arrays(np.radians(lon), np.radians(lat))
    east = np.stack([-np.sin(lam), np.cos(lam), np.zeros_like(lam)], axis=-1)
    up = vertical(lon, lat)
    north = np.cross(up, east)
    e, n, u = (np.sum(direction * axis, axis=-1) for axis in (east, north, up))
    zenith: Array = np.degrees(np.arctan2(np.hypot(e, n), u))
    azimuth: Array = np.mod(np.degrees(np.arctan2(e, n)), 360.0)
    return zenith, azimuth


def intersect(origin: Array, direction: Array, height: ArrayLike) -> tuple[Array, Array, Array]:
    """Cut rays (unit directions) with the surface at a height above the ellipsoid.

    Returns (ECEF points (..., 3), lon, lat); the height of a point is met within 1 mm. A ray that misses the Earth
    gives its point nearest to the surface.
    """
    h = np.asarray(height, dtype=np.float64)
    stretch = np.stack(np.broadcast_arrays(SEMI_MAJOR + h, SEMI_MAJOR + h, SEMI_MINOR + h), axis=-1)
    o, d = origin / stretch, direction / stretch
    a, b, c = np.sum(d * d, axis=-1), np.sum(o * d, axis=-1), np.sum(o * o, axis=-1) - 1.0
    distance = (-b - np.sqrt(np.maximum(b * b - a * c, 0.0))) / a
    for _ in range(2):
        lon, lat, reached = to_geodetic(origin + distance[..., None] * direction)
        descent = -np.sum(direction * vertical(lon, lat), axis=-1)
        distance = distance + (reached - h) / np.maximum(descent, 0.05)
    point = origin + distance[..., None] * direction
    lon, lat, _ = to_geodetic(point)
    return point, lon, lat
