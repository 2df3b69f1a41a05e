"""Forward model of the atmosphere: from surface reflectance to the top; the formula is in docs/auxiliary-data.md."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from ipf_adapters.science.sun import sun_angles
from ipf_adapters.simulation.mission import ALTITUDE, HEADING, MissionSettings
from s2ps.formats.gipp import AtmosphericCoefficients
from s2ps.model.bands import Band

Array = NDArray[np.float64]

COEFFICIENTS = AtmosphericCoefficients(
    ozone=np.array([0.003, 0.020, 0.104, 0.051, 0.020, 0.012, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]),
    water=np.array([0.0, 0.0, 0.0005, 0.0035, 0.008, 0.009, 0.001, 0.015, 0.001, 0.32, 3.0, 0.004, 0.018]),
    water_power=np.array([1.0, 1.0, 1.0, 0.8, 0.7, 0.7, 0.8, 0.7, 0.8, 0.55, 0.5, 0.6, 0.6]),
    path_0=np.array([0.095, 0.065, 0.038, 0.019, 0.015, 0.012, 0.010, 0.008, 0.007, 0.005, 0.0, 0.0008, 0.0003]),
    path_1=np.array([0.060, 0.055, 0.047, 0.037, 0.034, 0.031, 0.028, 0.025, 0.023, 0.019, 0.0, 0.007, 0.003]),
    depth_0=np.array([0.105, 0.070, 0.042, 0.022, 0.018, 0.015, 0.012, 0.010, 0.009, 0.006, 0.0, 0.001, 0.0005]),
    depth_1=np.array([0.140, 0.125, 0.108, 0.086, 0.079, 0.073, 0.067, 0.061, 0.057, 0.049, 0.0, 0.020, 0.011]),
    spherical_0=np.array([0.17, 0.125, 0.080, 0.045, 0.037, 0.030, 0.025, 0.020, 0.017, 0.012, 0.0, 0.002, 0.001]),
    spherical_1=np.array([0.130, 0.120, 0.105, 0.085, 0.080, 0.074, 0.068, 0.062, 0.058, 0.050, 0.0, 0.022, 0.012]),
)


@dataclass(frozen=True, slots=True)
class Weather:
    """State of the air: values at a reference point and their slopes per degree east and north."""

    lon: float
    lat: float
    ozone: tuple[float, float, float] = (330.0, 0.5, 2.0)
    """Dobson units."""
    water: tuple[float, float, float] = (19.0, 0.8, -1.2)
    """kg/m2."""
    aot: tuple[float, float, float] = (0.14, 0.01, -0.015)
    """At 550 nm."""

    def field(self, name: str, lon: Array, lat: Array) -> Array:
        """Return ozone, water or aot at degrees."""
        value, east, north = getattr(self, name)
        result: Array = value + east * (lon - self.lon) + north * (lat - self.lat)
        return result


@dataclass(frozen=True, slots=True)
class Transfer:
    """rho_toa = path + gain * rho_s / (1 - spherical * rho_s), with the gases in path and gain."""

    path: Array
    gain: Array
    spherical: Array


def view_zenith(mission: MissionSettings, easting: Array, northing: Array) -> Array:
    """Return the zenith angle (degrees) at which the satellite sees UTM points: their distance from the track."""
    centre = mission.centre
    heading = np.radians(HEADING)
    across = (easting - centre[0]) * np.cos(heading) - (northing - centre[1]) * np.sin(heading)
    angle: Array = np.degrees(np.arctan(np.abs(across) / ALTITUDE))
    return angle


def transfer(band: Band, weather: Weather, sun_zenith: Array, view: Array, lon: Array, lat: Array) -> Transfer:
    """Return the terms of the model for a band; angles in degrees."""
    c, k = COEFFICIENTS, band.index
    mass = 1.0 / np.cos(np.radians(sun_zenith)) + 1.0 / np.cos(np.radians(view))
    aot = weather.field("aot", lon, lat)
    gas = np.exp(
        -c.ozone[k] * weather.field("ozone", lon, lat) / 1000.0 * mass
        - c.water[k] * (weather.field("water", lon, lat) / 10.0 * mass) ** c.water_power[k]
    )
    seen = 0.0 if band is Band.B10 else 1.0
    return Transfer(
        gas * (c.path_0[k] + c.path_1[k] * aot) * seen,
        gas * np.exp(-(c.depth_0[k] + c.depth_1[k] * aot) * mass) * seen,
        c.spherical_0[k] + c.spherical_1[k] * aot,
    )


def sun_zenith(moment: datetime, lon: Array, lat: Array) -> Array:
    """Return the zenith angle of the sun in degrees."""
    return sun_angles(moment, lon, lat)[0]
