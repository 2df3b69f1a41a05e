"""Records of what is seen at stations and on its way here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

FileState = Literal["listed", "downloading", "complete", "refused"]
ArrivalState = Literal["receiving", "complete", "abandoned", "expired"]
"""`abandoned`: given up, because nothing new came for too long; something new takes it up again. `expired`: complete,
everything was made of it, and its files are removed."""
CLOSED: tuple[ArrivalState, ...] = ("complete", "expired")
"""What a station publishes later changes nothing of them."""


@dataclass(frozen=True, slots=True)
class ArrivingFile:
    """One file of a session, as a station publishes it and as far as it is here."""

    session: str
    name: str
    station: str
    channel: int
    block: int | None
    """None for a DSIB."""
    size: int
    """Bytes, as published."""
    published: datetime
    address: str
    final: bool | None
    retransfer: bool
    version: str
    checksum: str
    state: FileState
    held: str
    """Edition that is here; empty: none."""
    problem: str
    """Why it is not here; empty when nothing is known."""
    seen_at: datetime


@dataclass(frozen=True, slots=True)
class Arrival:
    """One session, from the first look at it to its registration."""

    session: str
    station: str
    """Where it was seen first."""
    state: ArrivalState
    channels: int | None
    """As the station tells; None when it does not."""
    totals: tuple[str, ...]
    """`channel:chunks:volume` of QualityInfo."""
    start: datetime | None
    stop: datetime | None
    first_seen: datetime
    changed_at: datetime
    """When there was last news of it."""
    missing: tuple[str, ...]
    note: str
    t0: datetime | None
    """When its last file was published; set when it is complete."""
    folder: Path | None
    completed_at: datetime | None


@dataclass(frozen=True, slots=True)
class ArrivingProduct:
    """One auxiliary product a station has published."""

    station: str
    product: str
    """Identifier at the station."""
    name: str
    edition: str
    state: FileState
    problem: str
    seen_at: datetime
    """When it was tried last."""
    tries: int = 0
    """Attempts to fetch this edition that have failed."""


@dataclass(frozen=True, slots=True)
class StationWindow:
    """How far a station has been looked at."""

    newest: datetime | None
    """Latest publication seen, by the station's clock."""
    swept_at: datetime | None
    """When all it keeps was looked at last."""
