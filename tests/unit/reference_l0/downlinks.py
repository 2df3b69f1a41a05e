"""A tiny downlink: scale 40, two scenes, every detector and band, to be written as a session on two channels."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from ipf_adapters.science import codec
from ipf_adapters.science.packets import ImagePart, Kind
from ipf_adapters.simulation.downlink import Recorder, record_ancillary
from ipf_adapters.simulation.instrument import build_instrument
from ipf_adapters.simulation.mission import Datatake, MissionSettings
from s2ps.model.bands import BANDS, Band
from s2ps.model.mission import DETECTORS

Run = Callable[..., Path]


def mission(**changes: object) -> MissionSettings:
    values: dict[str, object] = {"scale": 40, "scenes": 2, "start": datetime(2026, 7, 1, 10, 15, 59, tzinfo=UTC)}
    return MissionSettings.model_validate({**values, **changes})


def counts_of(take: Datatake, detector: int, scene: int, band: Band) -> np.ndarray:
    """Return the counts of a granule: a ramp that tells datatake, detector, scene and band apart."""
    lines, columns = take.granule_lines(band), band.raw_width(take.mission.scale)
    base = 100 * detector + 30 * scene + 7 * band.index + 500 * take.number
    return (base + np.add.outer(np.arange(lines), np.arange(columns))).astype(np.uint16)


def record(settings: MissionSettings, skip: Callable[[ImagePart], bool] = lambda part: False) -> Recorder:
    """Record all datatakes of a mission, leaving out the packets that `skip` names."""
    recorder, instrument = Recorder(), build_instrument(settings)
    for take in settings.takes():
        record_ancillary(recorder, take, instrument)
        for detector in DETECTORS:
            for band in BANDS:
                for scene in range(1, settings.scenes + 1):
                    _record_granule(recorder, take, detector, scene, band, instrument.delays, skip)
    return recorder


def _record_granule(
    recorder: Recorder,
    take: Datatake,
    detector: int,
    scene: int,
    band: Band,
    delays: np.ndarray,
    skip: Callable[[ImagePart], bool],
) -> None:
    counts = counts_of(take, detector, scene, band)
    period = take.mission.line_period * band.resolution / 10
    begin = take.start_gps + float(delays[detector - 1, band.index])
    for number, first in enumerate(range(0, len(counts), band.lines_per_packet)):
        lines = counts[first : first + band.lines_per_packet]
        part = ImagePart(detector, band, scene, number, first, *lines.shape)
        if not skip(part):
            time = begin + ((scene - 1) * len(counts) + first) * period
            recorder.add(Kind.IMAGE, time, codec.compress(lines), part)
