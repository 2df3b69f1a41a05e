"""A small satellite of its own: circular descending orbit, nadir pointing, straight detectors."""

from __future__ import annotations

import numpy as np

from ipf_adapters.science import earth_rotation, ellipsoid, rotation
from ipf_adapters.science.geometry import LineTiming, LookAngles, SensorModel
from ipf_adapters.science.trajectory import Attitude, Orbit
from s2ps.model.bands import BANDS
from s2ps.model.mission import DETECTORS

START = 1466936177.0
SPEED = 6700.0
UT1 = 0.1
ALTITUDE = 786000.0


def body_frame(position: np.ndarray, velocity_inertial: np.ndarray) -> np.ndarray:
    """Rows are the body axes: z to the geodetic nadir, x forward, y right."""
    lon, lat, _ = ellipsoid.to_geodetic(position)
    z = -ellipsoid.vertical(lon, lat)
    x = velocity_inertial - z * np.sum(velocity_inertial * z, axis=-1, keepdims=True)
    x /= np.linalg.norm(x, axis=-1, keepdims=True)
    return np.stack([x, np.cross(z, x), z], axis=-2)


def build_model(scale: int = 1) -> SensorModel:
    """Fly due south over 11 E, 46 N at 786 km; a scale shrinks ground speed and field of view."""
    time = START + np.arange(-5.0, 30.0, 1.0)
    lat = 46.0 - np.degrees((time - START) * SPEED / scale / 6.378e6)
    position = ellipsoid.to_earth_fixed(11.0, lat, ALTITUDE)
    velocity = np.gradient(position, time, axis=0, edge_order=2)
    fine = START + np.arange(-5.0, 29.0, 0.125)
    orbit = Orbit(time, position, velocity)
    forward = np.stack([np.interp(fine, time, velocity[:, axis]) for axis in range(3)], axis=-1)
    angle = earth_rotation.rotation_angle(fine, UT1)
    frame = body_frame(orbit.at(fine), forward)
    inertial = np.stack([earth_rotation.to_inertial(frame[:, row, :], angle) for row in range(3)], axis=1)
    looks, delays = {}, {}
    for detector in DETECTORS:
        centre = (detector - 6.5) * 0.032 / scale
        forward_look = 0.02 / scale * (-1) ** detector
        for band in BANDS:
            half = 0.0165 * band.width(scale) * band.resolution / 25920
            curve = 1e-4 / scale
            looks[detector, band] = LookAngles((forward_look, curve, -2 * curve), (centre - half, 2 * half, curve / 10))
            delays[detector, band] = 0.5 - forward_look * ALTITUDE * scale / SPEED
    timing = LineTiming(START, 1.5e-3 * scale, delays)
    attitude = Attitude(fine, rotation.from_matrix(inertial))
    return SensorModel(orbit, attitude, looks, timing, scale=scale, ut1_minus_utc=UT1)
