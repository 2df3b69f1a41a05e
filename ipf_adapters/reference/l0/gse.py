"""GSE: correct the satellite ancillary data (SAD) of a raw datastrip; the files as received are kept beside.

Quaternions are brought to unit length and one hemisphere, short gaps of orbit and attitude are filled by interpolation.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ipf_adapters.reference.l0.packet_files import split_packets
from ipf_adapters.reference.l0.source import raw_datastrip, sad_file
from ipf_adapters.reference.pdi import Pdi, new_pdi
from ipf_adapters.science.ancillary_packets import attitude_payload, collect, orbit_payload
from ipf_adapters.science.packets import Kind, Packet, SequenceCounter, pack
from ipf_adapters.science.rotation import aligned
from ipf_adapters.science.trajectory import Attitude, Orbit
from s2ps.formats.pdi_metadata import metadata_file

if TYPE_CHECKING:
    from ipf_adapters.reference.context import JobContext

Array = NDArray[np.float64]
LONGEST_GAP = 8
"""Samples missing in a row up to which a gap is filled."""


def run(ctx: JobContext) -> None:
    """Write the datastrip with corrected ancillary data to PDI_L0U and the data as received to BACKUP_DIR."""
    item, name = raw_datastrip(ctx, "PDI_L0U")
    source = sad_file(item / "ANC_DATA")
    received = source.read_bytes()
    corrected = corrected_packets(received, source.name, ctx)
    prefix = ctx.parameter("SAD_BACKUP_EXTENSION", "original")
    pdi = new_pdi(ctx.output_dir("PDI_L0U") / item.parent.parent.name / "DS", name)
    _write(pdi, source.name, corrected, f"{prefix}_{source.name}", received)
    document = metadata_file(item)
    pdi.take(document, document.name)
    pdi.finish()
    (ctx.output_dir("BACKUP_DIR") / f"{prefix}_{source.name}").write_bytes(received)


def _write(pdi: Pdi, name: str, corrected: bytes, backup: str, received: bytes) -> None:
    folder = pdi.folder("ANC_DATA")
    (folder / name).write_bytes(corrected)
    (folder / backup).write_bytes(received)


def corrected_packets(data: bytes, source: str, ctx: JobContext) -> bytes:
    """Return ancillary packets with unit quaternions and short gaps filled; other packets stay as they are."""
    packets = list(split_packets(data, source))
    ancillary = collect(packet for packet, _ in packets)
    lengths = np.linalg.norm(ancillary.quaternion, axis=1)
    quaternion = aligned(ancillary.quaternion / lengths[:, None])
    turned = int(np.sum(np.abs(lengths - 1.0) > 1e-9))
    origin = float(ancillary.attitude_time[0])
    attitude = Attitude(ancillary.attitude_time - origin, quaternion)
    orbit = Orbit(ancillary.orbit_time - origin, ancillary.position, ancillary.velocity)
    attitude_gaps, orbit_gaps = missing_times(attitude.time), missing_times(orbit.time)
    made = [
        (Kind.ATTITUDE, time + origin, attitude_payload(value))
        for time, value in _filled(attitude.time, quaternion, attitude_gaps, attitude.at)
    ]
    state = np.hstack([orbit.position, orbit.velocity])
    made += [
        (Kind.ORBIT_STATE, time + origin, orbit_payload(value[:3], value[3:]))
        for time, value in _filled(orbit.time, state, orbit_gaps, lambda times: _state(orbit, times))
    ]
    ctx.log.info(
        f"{source}: {turned} quaternions brought to unit length, {len(attitude_gaps)} attitudes and {len(orbit_gaps)} "
        "orbit states filled in"
    )
    counter = SequenceCounter()
    kept = [part for packet, part in packets if packet.kind not in (Kind.ATTITUDE, Kind.ORBIT_STATE)]
    written = [pack(Packet(kind, counter.take(kind.value), time, body)) for kind, time, body in made]
    return b"".join([*kept, *written])


def missing_times(time: Array) -> Array:
    """Return the times of samples that are missing in short gaps of a regular series."""
    steps = np.diff(time)
    step = float(np.median(steps))
    filled: list[float] = []
    for place, width in enumerate(steps):
        count = round(float(width) / step) - 1
        if 1 <= count <= LONGEST_GAP:
            filled += [float(time[place] + width * part / (count + 1)) for part in range(1, count + 1)]
    return np.array(filled)


def _filled(time: Array, value: Array, gaps: Array, at: Callable[[Array], Array]) -> list[tuple[float, Array]]:
    pairs = list(zip(time, value, strict=True))
    if len(gaps):
        pairs += list(zip(gaps, at(gaps), strict=True))
    return sorted(((float(moment), values) for moment, values in pairs), key=lambda pair: pair[0])


def _state(orbit: Orbit, times: Array) -> Array:
    half = 0.05
    velocity = (orbit.at(times + half) - orbit.at(times - half)) / (2 * half)
    return np.hstack([orbit.at(times), velocity])
