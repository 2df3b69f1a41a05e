"""Meteorology as GRIB 2 on a regular grid of 0.25 degree, north to south."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ipf_adapters.simulation.atmosphere import Weather
from ipf_adapters.simulation.mission import MissionSettings

Array = NDArray[np.float64]

DOBSON_KG_M2 = 2.1415e-5
"""Ozone mass per Dobson unit."""
_STEP = 0.25
_REACH = 2.0
_PRESSURE = 101_400.0


def write_ecmwf(path: Path, mission: MissionSettings, weather: Weather) -> None:
    """Write total column ozone and water vapour, and the pressure at mean sea level."""
    lon, lat = _grid(weather)
    lons, lats = np.meshgrid(lon, lat)
    fields = {
        "tco3": weather.field("ozone", lons, lats) * DOBSON_KG_M2,
        "tcwv": weather.field("water", lons, lats),
        "msl": np.full(lons.shape, _PRESSURE),
    }
    _write(path, mission, lon, lat, fields)


def write_cams(path: Path, mission: MissionSettings, weather: Weather) -> None:
    """Write the aerosol optical depth at 550 nm."""
    lon, lat = _grid(weather)
    _write(path, mission, lon, lat, {"aod550": weather.field("aot", *np.meshgrid(lon, lat))})


def _grid(weather: Weather) -> tuple[Array, Array]:
    count = int(2 * _REACH / _STEP) + 1
    west = np.floor((weather.lon - _REACH) / _STEP) * _STEP
    north = np.ceil((weather.lat + _REACH) / _STEP) * _STEP
    return west + _STEP * np.arange(count), north - _STEP * np.arange(count)


def _write(path: Path, mission: MissionSettings, lon: Array, lat: Array, fields: dict[str, Array]) -> None:
    from s2ps.formats.grib import eccodes

    keys = {
        "Ni": len(lon), "Nj": len(lat), "iDirectionIncrementInDegrees": _STEP, "jDirectionIncrementInDegrees": _STEP,
        "longitudeOfFirstGridPointInDegrees": lon[0], "longitudeOfLastGridPointInDegrees": lon[-1],
        "latitudeOfFirstGridPointInDegrees": lat[0], "latitudeOfLastGridPointInDegrees": lat[-1],
        "dataDate": int(f"{mission.start:%Y%m%d}"), "dataTime": 0, "stepRange": int(mission.start.hour),
    }  # fmt: skip
    with path.open("wb") as file:
        for name, values in fields.items():
            message = eccodes.codes_grib_new_from_samples("regular_ll_sfc_grib2")
            for key, value in keys.items():
                eccodes.codes_set(message, key, value)
            eccodes.codes_set(message, "shortName", name)
            eccodes.codes_set(message, "bitsPerValue", 24)
            eccodes.codes_set_values(message, values.ravel())
            eccodes.codes_write(message, file)
            eccodes.codes_release(message)
