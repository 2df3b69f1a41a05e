"""Orbit and attitude of the simulated satellite, and the bias its ancillary data do not tell."""

from __future__ import annotations

from datetime import datetime

import numpy as np
from numpy.typing import NDArray
from pyproj import Geod, Transformer

from ipf_adapters.science import earth_rotation, ellipsoid, rotation
from ipf_adapters.science.geometry import LineTiming, LookAngles, SensorModel
from ipf_adapters.science.trajectory import Attitude, Orbit
from ipf_adapters.simulation.instrument import Instrument
from ipf_adapters.simulation.mission import ALTITUDE, HEADING, Datatake, MissionSettings
from s2ps.formats.iers import Bulletin, modified_julian_day
from s2ps.model.bands import BANDS
from s2ps.model.mission import DETECTORS

Array = NDArray[np.float64]

MARGIN = 10.0
"""Seconds of ancillary data before and after the lines."""
ORBIT_RATE = 1.0
ATTITUDE_RATE = 8.0
_JITTER = 1.5e-6
"""Radians: largest jitter about each axis, which the ancillary data tell."""


def bulletin(mission: MissionSettings) -> Bulletin:
    """Return Earth orientation around the day of the mission."""
    first = float(modified_julian_day(mission.start) // 1 - 7)
    days = np.array([first + day for day in range(60)])
    return Bulletin(days, np.array([0.0421 - 0.0003 * day for day in range(60)]), 37)


def bias(mission: MissionSettings) -> tuple[float, float, float]:
    """Return the unknown body-frame correction (roll, pitch, yaw) in radians."""
    rng = np.random.default_rng([mission.seed, 21])
    signs = rng.choice([-1.0, 1.0], 3)
    roll, pitch, yaw = signs * rng.uniform([2e-5, 2e-5, 2e-5], [4e-5, 3e-5, 6e-5])
    return float(roll), float(pitch), float(yaw)


def ground_track(mission: MissionSettings, gps: Array) -> tuple[Array, Array]:
    """Return (lon, lat) of the nadir at GPS seconds: a geodesic through the centre of the first datatake."""
    easting, northing = mission.centre
    lon, lat = Transformer.from_crs(mission.epsg, 4326, always_xy=True).transform(easting, northing)
    first = mission.takes()[0]
    distance = (gps - (first.start_gps + first.seconds / 2)) * mission.ground_speed
    same = np.ones_like(distance)
    lons, lats, _ = Geod(ellps="WGS84").fwd(lon * same, lat * same, HEADING * same, distance)
    return np.asarray(lons), np.asarray(lats)


def sample_orbit(mission: MissionSettings, gps: Array) -> Orbit:
    """Return position and velocity at GPS seconds."""
    ends = [ellipsoid.to_earth_fixed(*ground_track(mission, gps + half), ALTITUDE) for half in (-0.05, 0.0, 0.05)]
    return Orbit(gps, ends[1], (ends[2] - ends[0]) / 0.1)


def sample_attitude(mission: MissionSettings, gps: Array, ut1_minus_utc: float) -> Attitude:
    """Return the attitude the ancillary data tell: geodetic nadir, yaw along the ground track, and a slow jitter."""
    lon, lat = ground_track(mission, gps)
    orbit = sample_orbit(mission, gps)
    down = -ellipsoid.vertical(lon, lat)
    along = orbit.velocity - np.sum(orbit.velocity * down, axis=-1, keepdims=True) * down
    forward = along / np.linalg.norm(along, axis=-1, keepdims=True)
    body = np.stack([forward, np.cross(down, forward), down], axis=-2)
    angle = earth_rotation.rotation_angle(gps, ut1_minus_utc)
    columns = [earth_rotation.to_earth_fixed(np.broadcast_to(axis, forward.shape), angle) for axis in np.eye(3)]
    matrix = body @ np.stack(columns, axis=-1)
    jitter = np.stack([rotation.from_body_angles(*turn) for turn in _jitter(mission, gps)])
    return Attitude(gps, rotation.aligned(rotation.multiply(jitter, rotation.from_matrix(matrix))))


def _jitter(mission: MissionSettings, gps: Array) -> Array:
    rng = np.random.default_rng([mission.seed, 22])
    phase, rate = rng.uniform(0.0, 2.0 * np.pi, (3, 2)), rng.uniform(0.05, 0.25, (3, 2))
    seconds = gps - mission.takes()[0].start_gps
    waves = np.sin(2.0 * np.pi * rate * seconds[:, None, None] + phase)
    turns: Array = _JITTER * waves.mean(axis=-1)
    return turns


def sample_times(take: Datatake, instrument: Instrument, rate: float) -> Array:
    """Return the GPS seconds at which ancillary data are sampled for a datatake."""
    first = take.start_gps - MARGIN
    count = int(np.ceil((take.seconds + float(instrument.delays.max()) + 2 * MARGIN) * rate)) + 1
    return first + np.arange(count) / rate


def true_model(take: Datatake, instrument: Instrument) -> SensorModel:
    """Return the sensor model of the real attitude: ancillary data and bias."""
    return _model(take, instrument).with_bias(*bias(take.mission))


def _model(take: Datatake, instrument: Instrument) -> SensorModel:
    mission = take.mission
    offset = ut1_minus_utc(mission, take.start)
    looks = {
        (detector, band): LookAngles(tuple(instrument.psi_x[band][row]), tuple(instrument.psi_y[band][row]))
        for row, detector in enumerate(DETECTORS)
        for band in BANDS
    }
    delays = {(d, b): float(instrument.delays[row, b.index]) for row, d in enumerate(DETECTORS) for b in BANDS}
    return SensorModel(
        sample_orbit(mission, sample_times(take, instrument, ORBIT_RATE)),
        sample_attitude(mission, sample_times(take, instrument, ATTITUDE_RATE), offset),
        looks,
        LineTiming(take.start_gps, mission.line_period, delays),
        scale=mission.scale,
        ut1_minus_utc=offset,
    )


def ut1_minus_utc(mission: MissionSettings, moment: datetime) -> float:
    """Return UT1-UTC in seconds."""
    return bulletin(mission).ut1_minus_utc_at(moment)
