"""The timeline of a station: when each file appears, how large, where, and in which disorder."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, Self

import yaml
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from s2ps.model.errors import ConfigurationError
from s2ps.stations.files import StationFile, virtual_files

Area = Literal["NOMINAL", "RETRANSFER"]
NOMINAL: Area = "NOMINAL"
RETRANSFER: Area = "RETRANSFER"
_Share = Field(default=0.0, ge=0.0, le=1.0)


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Event(_Part):
    """One thing that happens: files appear, grow, change or go."""

    at: float = Field(ge=0)
    """Seconds of the timeline."""
    dated: float | None = None
    """Second of the timeline that the date of publication tells; None: that of `at`. Earlier: it is listed late."""
    file: str
    """Name, or pattern (`*_ch2_DSDB_*`), of the files."""
    area: Area = "NOMINAL"
    size: int | None = Field(default=None, ge=0)
    """Bytes to be seen from now on; None: all of them."""
    variant: int = Field(default=0, ge=0)
    """Other numbers give other bytes of the same length."""
    withdrawn: bool = False
    """The file is no longer listed."""


class Disorder(_Part):
    """Shares (0 to 1) of the DSDB files to which something happens; the seed decides which."""

    seed: int = 1
    shuffle: int = Field(default=0, ge=0)
    """Blocks by which a file may come too early or too late."""
    late: float = _Share
    """Come `late_by` seconds after all others."""
    late_by: float = Field(default=60.0, ge=0)
    growing: float = _Share
    """Are seen with a third and two thirds of their size first."""
    empty: float = _Share
    """Are seen with 0 bytes first."""
    republished: float = _Share
    """Get a newer date later, with the same bytes."""
    replaced: float = _Share
    """Are first published with wrong bytes of the right size, and later with the right ones."""
    retransferred: float = _Share
    """Never come in the nominal area, only in the area of retransfers, after all others."""


class VirtualSession(_Part):
    """A session without files: its bytes are made from a seed."""

    session: str = Field(pattern=r"^S2[A-Z]_\d{20}$")
    station_unit: str = Field(default="05", pattern=r"^\d{2}$")
    channels: int = Field(default=2, ge=1, le=4)
    chunks: int = Field(default=83, ge=1, le=99_999)
    """DSDB files of each channel."""
    chunk_bytes: int = Field(default=314_571_600, ge=1)
    seed: int = 1
    start: AwareDatetime = datetime(2026, 7, 1, 10, 18, tzinfo=UTC)
    """Begin of the downlink."""

    def files(self) -> tuple[StationFile, ...]:
        """Return its DSDBs and DSIBs."""
        return virtual_files(
            self.session, self.station_unit, self.channels, self.chunks, self.chunk_bytes, self.seed, self.start
        )


class Timeline(_Part):
    """What a station does as time goes by. Without any: everything is there from the start."""

    start: AwareDatetime | None = None
    """Date of publication at second 0. Default: the dates are those at which the files really appear."""
    speed: float = Field(default=1.0, gt=0)
    """Seconds of the timeline that pass in one second."""
    manual: bool = False
    """Time stands still until `Station.advance` is called."""
    seconds: float | None = Field(default=None, ge=0)
    """The files come one after the other within this time, channels side by side, the DSIBs last. Default: all at 0."""
    disorder: Disorder | None = None
    virtual: tuple[VirtualSession, ...] = ()
    events: tuple[Event, ...] = ()
    """A file named here follows its events only, not `seconds` and `disorder`."""

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a timeline of YAML or JSON; raises ConfigurationError naming the file and the entry."""
        try:
            return cls.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")) or {})
        except yaml.YAMLError as error:
            raise ConfigurationError(f"timeline {path} is no YAML: {error}", next_step="correct the file") from error
        except ValidationError as error:
            wrong = "; ".join(f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors())
            raise ConfigurationError(f"timeline {path}: {wrong}", next_step="correct the file") from error
