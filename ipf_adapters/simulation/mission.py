"""What is simulated: scale, place, times and identifiers; everything else follows from these and the seed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import ceil
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from s2ps.model.bands import Band, lines_per_granule
from s2ps.model.errors import InputError
from s2ps.model.names import DatatakeName
from s2ps.model.timestamps import gps_seconds

LINE_PERIOD_MS = 1.565873622
"""Milliseconds per 10 m line at scale 1."""
ALTITUDE = 786_000.0
HEADING = 194.0
"""Degrees clockwise from north at the centre of the first datatake: descending."""
DATATAKE_INTERVAL = 60.0
"""Seconds between the starts of consecutive datatakes, unless they last too long for it."""
_GAP = 30.0
_CENTRE_FROM_ANCHOR = (-32_300.0, -4_700.0)
"""Metres at scale 1: the swath then meets four tile columns and two rows."""


class MissionSettings(BaseModel):
    """Parameters of a simulated mission, as `truth.json` keeps them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    scale: int = Field(default=10, ge=1, le=40)
    scenes: int = Field(default=4, ge=1, le=16)
    seed: int = Field(default=1, ge=0)
    unit: str = Field(default="S2B", pattern=r"^S2[A-Z]$")
    start: datetime = datetime(2026, 7, 1, 10, 15, 59, tzinfo=UTC)
    datatake_type: str = Field(default="INS-NOBS", pattern=r"^[A-Z0-9-]{3,20}$")
    datatakes: int = Field(default=1, ge=1, le=4)
    station: str = Field(default="S2PS", pattern=r"^[A-Z0-9_]{4}$")
    baseline: str = Field(default="05.00", pattern=r"^\d\d\.\d\d$")
    absolute_orbit: int = Field(default=48123, ge=1, le=999_999)
    relative_orbit: int = Field(default=22, ge=1, le=143)
    epsg: int = 32632
    anchor_easting: float = 600_000.0
    anchor_northing: float = 5_000_000.0

    @property
    def line_period(self) -> float:
        """Seconds per 10 m line."""
        return LINE_PERIOD_MS * 1e-3 * self.scale

    @property
    def ground_speed(self) -> float:
        """Metres per second along the ground track: 10 m per line."""
        return 10.0 / self.line_period

    @property
    def centre(self) -> tuple[float, float]:
        """Easting and northing in the middle of the first datatake."""
        east, north = _CENTRE_FROM_ANCHOR
        return self.anchor_easting + east / self.scale, self.anchor_northing + north / self.scale

    @property
    def session_id(self) -> str:
        """Identifier of the downlink session."""
        return f"{self.unit}_{self.start:%Y%m%d%H%M%S}{self.absolute_orbit:06d}"

    @property
    def orbit_offset(self) -> int:
        """Offset that makes relative = (absolute - offset) mod 143 + 1 true."""
        return (self.absolute_orbit - self.relative_orbit + 1) % 143

    def takes(self) -> tuple[Datatake, ...]:
        """Return the datatakes in order of time."""
        return tuple(Datatake(self, number) for number in range(self.datatakes))


@dataclass(frozen=True, slots=True)
class Datatake:
    """One datatake of the mission; `number` counts from 0."""

    mission: MissionSettings
    number: int

    @property
    def start(self) -> datetime:
        """UTC of the beginning of line 0 before the delays."""
        interval = max(DATATAKE_INTERVAL, float(ceil(self.seconds)) + _GAP)
        return self.mission.start + timedelta(seconds=interval * self.number)

    @property
    def start_gps(self) -> float:
        """GPS seconds of the same."""
        return gps_seconds(self.start)

    @property
    def seconds(self) -> float:
        """Duration of all lines, without the delays."""
        return self.lines(Band.B02) * self.mission.line_period

    @property
    def name(self) -> str:
        """Datatake identifier."""
        return str(DatatakeName(self.mission.unit, self.start, self.mission.absolute_orbit, self.mission.baseline))

    @property
    def middle(self) -> datetime:
        """UTC when the middle line is at nadir."""
        return self.start + timedelta(seconds=self.seconds / 2)

    def granule_lines(self, band: Band) -> int:
        """Lines of one granule of a band."""
        return lines_per_granule(self.mission.scale) * 10 // band.resolution

    def lines(self, band: Band) -> int:
        """Lines of the whole datatake."""
        return self.granule_lines(band) * self.mission.scenes


def load_settings(path: Path) -> MissionSettings:
    """Read `truth.json`; raises InputError."""
    try:
        return MissionSettings.model_validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        raise InputError(f"truth {path} cannot be read: {error}", next_step="simulate the mission again") from error
