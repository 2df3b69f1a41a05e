"""Build the viewing model of a datastrip from its working data and the auxiliary files."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from ipf_adapters.science import working
from ipf_adapters.science.geometry import Key, LineTiming, LookAngles, SensorModel
from ipf_adapters.science.trajectory import Attitude, Orbit
from s2ps.formats.gipp import DatationTiming, ViewingDirections, read_band_gipps, read_gipp
from s2ps.formats.iers import read_bulletin
from s2ps.model.bands import BANDS
from s2ps.model.mission import DETECTORS
from s2ps.model.timestamps import gps_seconds


def load_model(
    pdi_ds_dir: Path, viedir_files: Iterable[Path], datati_file: Path | None, iers_file: Path | None
) -> SensorModel:
    """Read everything `SensorModel.load` needs."""
    info = working.read_datastrip(pdi_ds_dir)
    samples = working.read_ancillary(pdi_ds_dir)
    refining = working.read_refining(pdi_ds_dir)
    delays = read_delays(datati_file) if datati_file else working.read_datation(pdi_ds_dir).delays
    offset = _ut1_minus_utc(iers_file, info.start) if iers_file else working.read_datation(pdi_ds_dir).ut1_minus_utc
    timing = LineTiming(
        gps_seconds(info.start),
        info.line_period_ms / 1000.0,
        {(detector, band): delays[detector - 1][band.index] for detector in DETECTORS for band in BANDS},
    )
    return SensorModel(
        Orbit(samples.orbit_time, samples.position, samples.velocity),
        Attitude(samples.attitude_time, samples.quaternion),
        load_looks(viedir_files),
        timing,
        scale=info.scale,
        ut1_minus_utc=offset,
        bias=(0.0, 0.0, 0.0) if refining is None else refining.bias,
    )


def keep_datation(pdi_ds_dir: Path, start: datetime, datati_file: Path, iers_file: Path) -> None:
    """Write the line timing and UT1-UTC of a datastrip into its directory."""
    datation = working.Datation(ut1_minus_utc=_ut1_minus_utc(iers_file, start), delays=read_delays(datati_file))
    working.write_datation(pdi_ds_dir, datation)


def load_looks(viedir_files: Iterable[Path]) -> dict[Key, LookAngles]:
    """Read the look angles of every detector of the bands whose files are given."""
    looks: dict[Key, LookAngles] = {}
    for band, directions in read_band_gipps(viedir_files, ViewingDirections).items():
        for detector in DETECTORS:
            psi_x, psi_y = directions.psi_x[detector - 1], directions.psi_y[detector - 1]
            looks[detector, band] = LookAngles(tuple(map(float, psi_x)), tuple(map(float, psi_y)))
    return looks


def read_delays(datati_file: Path) -> tuple[tuple[float, ...], ...]:
    """Read the delays (s) of 12 detectors by 13 bands from GIP_DATATI."""
    return tuple(tuple(map(float, row)) for row in read_gipp(datati_file, DatationTiming).delays)


def _ut1_minus_utc(iers_file: Path, moment: datetime) -> float:
    return read_bulletin(iers_file).ut1_minus_utc_at(moment)
