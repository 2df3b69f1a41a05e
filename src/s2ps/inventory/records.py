"""The records the inventory keeps."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

SubjectKind = Literal["session", "datatake"]
RunState = Literal["running", "success", "failed"]


@dataclass(frozen=True, slots=True)
class SessionRecord:
    """A complete downlink session."""

    id: str
    folder: Path
    t0: datetime
    """When its last input was published at the pick-up point."""
    station: str
    files: int
    """DSDB files of all channels."""
    unit: str = ""
    start: datetime | None = None
    stop: datetime | None = None


@dataclass(frozen=True, slots=True)
class DatatakeRecord:
    """The part of a datatake received in one session."""

    id: str
    unit: str
    type: str
    start: datetime
    """Sensing start."""
    stop: datetime
    absolute_orbit: int
    relative_orbit: int
    t0: datetime
    session_id: str
    granules: int
    datastrips: tuple[str, ...] = ()
    levels: tuple[str, ...] = ()
    station: str = ""
    """Reception station as the datastrip metadata name it; empty when they do not tell, or in older inventories."""


@dataclass(frozen=True, slots=True)
class ProductRecord:
    """A published product."""

    name: str
    level: str
    type: str
    path: Path
    datatake: str
    run: str
    published_at: datetime
    size: int
    """Bytes."""
    tile: str = ""
    unit: str = ""
    baseline: str = ""
    start: datetime | None = None
    """Sensing time of the first and the last line in it."""
    stop: datetime | None = None
    t0: datetime | None = None
    """When the last input of its session was published."""
    degraded: bool = False
    """True when a fallback stands in for an auxiliary file that did not come in time."""
    footprint: BaseGeometry | None = None


@dataclass(frozen=True, slots=True)
class SessionFileRecord:
    """A file of a session: a DSIB (no block) or a DSDB raw file."""

    session_id: str
    name: str
    path: Path
    channel: int
    block: int | None
    size: int
    """Bytes."""
    published_at: datetime


@dataclass(frozen=True, slots=True)
class DatastripRecord:
    """The part of a datatake received in one session."""

    id: str
    datatake: str
    session_id: str
    unit: str
    baseline: str
    start: datetime
    stop: datetime
    granules: int
    t0: datetime
    station: str = ""
    footprint: BaseGeometry | None = None


@dataclass(frozen=True, slots=True)
class Claim:
    """The run that produces a datatake: one at a time may."""

    dag_id: str
    run_id: str


@dataclass(frozen=True, slots=True)
class RunRecord:
    """One run of a strategy over a session or datatake."""

    key: str
    kind: SubjectKind
    subject: str
    strategy: str
    from_level: str
    state: RunState
    created_at: datetime
    updated_at: datetime
