"""The downlink: source packets, frames on two channels, and the files of a session."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np

from ipf_adapters.science import ancillary_packets, codec
from ipf_adapters.science.packets import OVERHEAD, ImagePart, Kind, Packet, SequenceCounter, pack
from ipf_adapters.simulation.instrument import Instrument
from ipf_adapters.simulation.mission import Datatake, MissionSettings
from ipf_adapters.simulation.orbit import (
    ATTITUDE_RATE,
    ORBIT_RATE,
    sample_attitude,
    sample_orbit,
    sample_times,
    ut1_minus_utc,
)
from ipf_adapters.simulation.radiometry import Counts, Exposure
from s2ps.formats.cadu import CADU_SIZE, DATA_SIZE, Framer
from s2ps.formats.dsib import Dsib, write_dsib
from s2ps.model.bands import lines_per_granule
from s2ps.model.mission import DETECTORS
from s2ps.model.names import SessionFileName

CHANNELS = (1, 2)
STATION_UNIT = "05"
DSDB_FRAMES = 1000
"""Frames in one DSDB file."""
_SPACECRAFT = 42


@dataclass(slots=True)
class Recorder:
    """The mass memory: packets with their times, for each channel."""

    counter: SequenceCounter = field(default_factory=SequenceCounter)
    packets: dict[int, list[tuple[float, bytes]]] = field(default_factory=lambda: {channel: [] for channel in CHANNELS})

    def add(self, kind: Kind, time: float, payload: bytes, image: ImagePart | None = None) -> None:
        """Record a packet: images of detectors 1-6 on channel 1, of 7-12 on channel 2, the others on both."""
        sequence = self.counter.take(Packet(kind, 0, time, payload, image).apid)
        data = pack(Packet(kind, sequence, time, payload, image))
        channels = CHANNELS if image is None else (channel_of(image.detector),)
        for channel in channels:
            self.packets[channel].append((time, data))


def channel_of(detector: int) -> int:
    """Return the channel a detector is sent on."""
    return 1 if detector <= len(DETECTORS) // 2 else 2


def record_ancillary(recorder: Recorder, take: Datatake, instrument: Instrument) -> None:
    """Record the configuration, the orbit states, the attitudes and the telemetry of a datatake."""
    mission = take.mission
    orbit_times = sample_times(take, instrument, ORBIT_RATE)
    attitude_times = sample_times(take, instrument, ATTITUDE_RATE)
    recorder.add(
        Kind.CONFIGURATION, float(orbit_times[0]), ancillary_packets.configuration_payload(configuration(take))
    )
    orbit = sample_orbit(mission, orbit_times)
    attitude = sample_attitude(mission, attitude_times, ut1_minus_utc(mission, take.start))
    for time, position, velocity in zip(orbit.time, orbit.position, orbit.velocity, strict=True):
        recorder.add(Kind.ORBIT_STATE, float(time), ancillary_packets.orbit_payload(position, velocity))
        recorder.add(Kind.TELEMETRY, float(time), b"MSI NOMINAL 20.0 C".ljust(64))
    for time, quaternion in zip(attitude.time, attitude.quaternion, strict=True):
        recorder.add(Kind.ATTITUDE, float(time), ancillary_packets.attitude_payload(quaternion))


def configuration(take: Datatake) -> dict[str, str | int | float]:
    """Return what the configuration packet at the head of a datatake tells."""
    mission = take.mission
    return {
        "datatake_id": take.name, "datatake_type": mission.datatake_type, "unit": mission.unit,
        "scale": mission.scale, "scenes": mission.scenes, "start_gps": take.start_gps,
        "lines_per_granule": lines_per_granule(mission.scale), "line_period_ms": mission.line_period * 1e3,
        "absolute_orbit": mission.absolute_orbit, "relative_orbit": mission.relative_orbit, "station": mission.station,
    }  # fmt: skip


def record_images(
    recorder: Recorder, take: Datatake, instrument: Instrument, exposure: Exposure, progress: Callable[[], None]
) -> None:
    """Record the images of a datatake; `progress` is called after each detector."""
    for detector in DETECTORS:
        for granule, band, counts in exposure.detector(detector):
            delay = float(instrument.delays[detector - 1, band.index])
            _record_granule(recorder, take, ImagePart(detector, band, granule, 0, 0, 0, 0), counts, delay)
        progress()


def _record_granule(recorder: Recorder, take: Datatake, part: ImagePart, counts: Counts, delay: float) -> None:
    band, total = part.band, take.granule_lines(part.band)
    period = take.mission.line_period * band.resolution / 10
    for number, first in enumerate(range(0, total, band.lines_per_packet)):
        lines = counts[first : first + band.lines_per_packet]
        time = take.start_gps + delay + ((part.granule - 1) * total + first) * period
        image = ImagePart(part.detector, band, part.granule, number, first, lines.shape[0], lines.shape[1])
        recorder.add(Kind.IMAGE, time, codec.compress(lines), image)


def write_session(folder: Path, mission: MissionSettings, recorder: Recorder) -> Path:
    """Write the DSIB and DSDB files of all channels and return the session's folder, which appears when it is whole."""
    session, root = folder / mission.session_id, folder.with_name(f".{mission.session_id}.part")
    for old in (root, session):
        if old.exists():
            shutil.rmtree(old)
    for channel in CHANNELS:
        target = root / f"ch_{channel}"
        target.mkdir(parents=True, exist_ok=True)
        packets = sorted(recorder.packets[channel], key=lambda item: item[0])
        names, size = [], 0
        for number, data in enumerate(_blocks(packets, channel), 1):
            name = str(SessionFileName(STATION_UNIT, mission.session_id, channel, number))
            (target / name).write_bytes(data)
            names.append(name)
            size += len(data)
        start = mission.start + timedelta(seconds=120)
        dsib = _dsib(mission, start, size, tuple(names))
        write_dsib(target / str(SessionFileName(STATION_UNIT, mission.session_id, channel)), dsib)
    folder.mkdir(parents=True, exist_ok=True)
    root.rename(session)
    return session


def _dsib(mission: MissionSettings, start: datetime, size: int, names: tuple[str, ...]) -> Dsib:
    stop = start + timedelta(seconds=max(30.0, size / 32e6))
    return Dsib(mission.session_id, start, stop, start, stop + timedelta(seconds=2), size, names)


def _blocks(packets: list[tuple[float, bytes]], channel: int) -> Iterator[bytes]:
    """Yield the contents of the DSDB files: whole frames, the last one filled by an idle packet."""
    framer, pending = Framer(_SPACECRAFT, channel), bytearray()
    last = packets[-1][0] if packets else 0.0
    for _, data in packets:
        pending += framer.add(data)
        while len(pending) >= DSDB_FRAMES * CADU_SIZE:
            yield bytes(pending[: DSDB_FRAMES * CADU_SIZE])
            del pending[: DSDB_FRAMES * CADU_SIZE]
    fill = -framer.open_bytes % DATA_SIZE
    if fill:
        size = fill if fill >= OVERHEAD else fill + DATA_SIZE
        pending += framer.add(pack(Packet(Kind.IDLE, 0, last, bytes(np.zeros(size - OVERHEAD, dtype=np.uint8)))))
    if pending:
        yield bytes(pending)
