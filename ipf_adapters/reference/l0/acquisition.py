"""What the configuration packets of a downlink tell about its datatakes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from ipf_adapters.reference.errors import InvalidInput
from ipf_adapters.science.ancillary_packets import read_configuration
from ipf_adapters.science.packets import Packet
from s2ps.model.bands import Band
from s2ps.model.timestamps import from_gps_seconds, gps_seconds


@dataclass(frozen=True, slots=True)
class Acquisition:
    """One datatake as the instrument was configured for it."""

    unit: str
    datatake_id: str
    datatake_type: str
    start: datetime
    scenes: int
    scale: int
    line_period_ms: float
    lines_per_granule: int
    absolute_orbit: int
    relative_orbit: int
    station: str

    @property
    def seconds(self) -> float:
        """Duration of all lines without the delays of detectors and bands."""
        return self.scenes * self.lines_per_granule * self.line_period_ms / 1000.0

    @property
    def stop(self) -> datetime:
        """UTC of the end of the last line before the delays."""
        return self.start + timedelta(seconds=self.seconds)

    def scene_start(self, index: int) -> datetime:
        """Return UTC of line 0 of a scene (1-based) before the delays."""
        return self.start + timedelta(milliseconds=(index - 1) * self.lines_per_granule * self.line_period_ms)

    def packets_per_granule(self, band: Band) -> int:
        """Return how many packets one granule of a band has."""
        lines = self.lines_per_granule * 10 // band.resolution
        return -(-lines // band.lines_per_packet)

    def distance(self, time: float) -> float:
        """Return by how many seconds a GPS time lies outside the datatake, 0 inside."""
        first = gps_seconds(self.start)
        return max(first - time, time - first - self.seconds, 0.0)


def acquisitions_of(packets: Iterable[Packet]) -> list[Acquisition]:
    """Return the datatakes that configuration packets describe, in order of time, each once."""
    found: dict[str, Acquisition] = {}
    for packet in packets:
        acquisition = _acquisition(read_configuration(packet))
        found.setdefault(acquisition.datatake_id, acquisition)
    return sorted(found.values(), key=lambda item: item.start)


def nearest(acquisitions: Sequence[Acquisition], time: float) -> int:
    """Return the place in the list of the datatake that a GPS time belongs to."""
    if len(acquisitions) == 1:
        return 0
    return min(range(len(acquisitions)), key=lambda place: acquisitions[place].distance(time))


def _acquisition(values: dict[str, Any]) -> Acquisition:
    try:
        return Acquisition(
            unit=str(values["unit"]),
            datatake_id=str(values["datatake_id"]),
            datatake_type=str(values["datatake_type"]),
            start=from_gps_seconds(float(values["start_gps"])),
            scenes=int(values["scenes"]),
            scale=int(values["scale"]),
            line_period_ms=float(values["line_period_ms"]),
            lines_per_granule=int(values["lines_per_granule"]),
            absolute_orbit=int(values["absolute_orbit"]),
            relative_orbit=int(values["relative_orbit"]),
            station=str(values["station"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise InvalidInput(f"configuration packet of the instrument: {type(error).__name__} {error}") from error
