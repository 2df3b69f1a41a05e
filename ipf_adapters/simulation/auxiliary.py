"""Auxiliary files of the simulated mission: every GIPP, the IERS bulletin and the meteorology."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from ipf_adapters.simulation import meteorology
from ipf_adapters.simulation.atmosphere import COEFFICIENTS, Weather
from ipf_adapters.simulation.instrument import Instrument, overlap
from ipf_adapters.simulation.mission import ALTITUDE, MissionSettings
from ipf_adapters.simulation.orbit import ATTITUDE_RATE, ORBIT_RATE, bulletin
from ipf_adapters.simulation.processing import olqc_parameters, processor_versions
from s2ps.formats import gipp
from s2ps.formats.eof_header import EofHeader
from s2ps.formats.iers import write_bulletin
from s2ps.model.bands import BANDS, QL_BANDS
from s2ps.model.timestamps import compact

CREATION = datetime(2026, 6, 1, 12, 0, 0, tzinfo=UTC)
VALIDITY_START = datetime(2026, 1, 1, tzinfo=UTC)
WITHOUT_EFFECT_PER_BAND = ("R2DECT", "R2DEFI", "R2DENT", "R2L2NC", "R2MACO", "R2WAFI")
SNOW = gipp.SnowThresholds(0.42, 0.25, 0.15)
ALL_UNITS = ("GIP_EARMOD", "GIP_L2ACAC", "GIP_L2ACSC", "GIP_L2ACFG", "GIP_PROBA2")
"""Types that hold for every satellite."""


def write_auxiliary(mission: MissionSettings, instrument: Instrument, weather: Weather, folder: Path) -> None:
    """Write all auxiliary files into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    contents: list[tuple[str, str, gipp.GippContent]] = [
        (content.TYPE, "00", content)
        for content in (*_instrument_contents(mission, instrument), *_processing_contents(mission))
    ]
    contents += [(name, "00", content) for name, content in _settings()]
    contents += _band_contents(instrument)
    for name, band, content in contents:
        unit = "S2_" if name in ALL_UNITS else mission.unit
        header = EofHeader(unit, name, CREATION, VALIDITY_START, band=band)
        extension = ".zip" if name == "GIP_OLQCPA" else ".xml"
        gipp.write_gipp(folder / (header.name + extension), header, content)
    first = mission.start.replace(hour=0, minute=0, second=0, microsecond=0)
    write_bulletin(folder / f"{_name('UT1UTC', 'PDMC', first - timedelta(days=6), 50)}.txt", bulletin(mission))
    meteorology.write_ecmwf(folder / _name("ECMWFD", "ADG_", first, 2), mission, weather)
    meteorology.write_cams(folder / _name("CAMSFO", "ADG_", first, 2), mission, weather)


def _name(kind: str, site: str, start: datetime, days: int) -> str:
    stop = start + timedelta(days=days)
    return f"S2__OPER_AUX_{kind}_{site}_{compact(start)}_V{compact(start)}_{compact(stop)}"


def _instrument_contents(mission: MissionSettings, instrument: Instrument) -> Iterator[gipp.GippContent]:
    yield gipp.DatationTiming(mission.line_period * 1e3, -19, mission.scale, instrument.delays)
    yield gipp.SpacecraftModel(ALTITUDE, mission.ground_speed, 0.6, ATTITUDE_RATE, ORBIT_RATE)
    yield gipp.SadParameters(mission.orbit_offset, 143)
    yield gipp.ImageIngestion(40)
    yield gipp.AbsoluteCalibration(instrument.gain, instrument.irradiance, instrument.gain.mean(axis=0))
    yield gipp.DefectivePixels(instrument.defective)
    yield gipp.CrosstalkCorrection(np.zeros((len(BANDS), len(BANDS))))
    yield gipp.BlindPixels(0, 0.0)
    yield gipp.Binning(3, tuple(band.name for band in BANDS if band.resolution == 60))
    yield gipp.RadiometricParameters(4095, -1000, 10000, 0, 65535)
    yield gipp.DecompressionParameters("CCSDS 121.0", 12, 0)
    yield gipp.InterDetectorParameters(overlap(mission.scale), 0.7)


def _processing_contents(mission: MissionSettings) -> Iterator[gipp.GippContent]:
    yield gipp.CoarseCloudThresholds(0.35, 0.25, 0.012)
    yield gipp.QuicklookExtraction(max(1, round(32 / mission.scale)), tuple(band.name for band in QL_BANDS))
    yield gipp.LocationParameters(20, 0.001, 12)
    yield gipp.DirectLocationParameters(0.01, 12, 20.0, 5, 2)
    yield gipp.TileGridParameters(mission.epsg, mission.anchor_easting, mission.anchor_northing, mission.scale)
    yield gipp.CoarseResolution(max(1, 32 // mission.scale))
    yield gipp.GeometricParameters(20, 3.0, 2.0, 1e-4)
    yield gipp.EarthModel(6378137.0, 1.0 / 298.257223563)
    yield gipp.MatchingParameters(33, 8, 0.75, 40)
    yield gipp.RefiningParameters(0.75, 0.6, 10)
    yield gipp.ResamplingParameters("cubic-spline", 16, 32)
    yield gipp.MaskParameters(0.35, 0.25, 0.012, 1, SNOW)
    yield gipp.CloudParameters(1, 95.0)
    yield gipp.Jp2Parameters(True, 1024, 5)
    yield gipp.MeteorologyParameters(("tco3", "tcwv", "msl"), ("aod550",))
    yield COEFFICIENTS
    yield gipp.SceneClassification(0.35, 0.25, 0.012, 0.40, 0.06, 0.15, 0.85, SNOW)
    yield olqc_parameters()
    first, second = processor_versions()
    yield gipp.ProcessingBaseline(mission.baseline, first)
    yield gipp.ProcessingBaselineL2(mission.baseline, second)


def _settings() -> Iterator[tuple[str, gipp.Settings]]:
    for name in ("R2NOMO", "R2SWIR"):
        yield f"GIP_{name}", _named(enabled="false")
    yield "GIP_CONVER", _named(radiance="W/m2/sr/um", wavelength="nm", angle="deg", length="m")
    yield "GIP_L2ACFG", _named(ozone="ECMWF", water_vapour="ECMWF", aot="CAMS", terrain_correction="false")


def _named(**values: str) -> gipp.Settings:
    return gipp.Settings(tuple(gipp.Setting(name, value) for name, value in values.items()))


def _band_contents(instrument: Instrument) -> list[tuple[str, str, gipp.GippContent]]:
    found: list[tuple[str, str, gipp.GippContent]] = []
    for band in BANDS:
        token = band.name[1:]
        contents = (
            gipp.ViewingDirections(instrument.psi_x[band], instrument.psi_y[band]),
            gipp.RelativeResponse(instrument.response[band]),
            gipp.DarkSignal(instrument.dark[band]),
        )
        found += [(content.TYPE, token, content) for content in contents]
        found += [(f"GIP_{name}", token, _named(enabled="false")) for name in WITHOUT_EFFECT_PER_BAND]
    return found
