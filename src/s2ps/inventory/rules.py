"""Rules that choose among files by their validity.

All work on a closed window [start, stop] and closed validities; the names are those of the task table schema.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

CLIMATOLOGY = "CLIM"
"""File class of climatologies: no rule takes them, only a fallback does."""


@dataclass(frozen=True, slots=True)
class AuxiliaryFile:
    """One auxiliary file (or folder) as its name describes it."""

    path: Path
    type: str
    unit: str
    """ "S2A" ..., or "S2_" when it holds for all satellites."""
    creation: datetime
    start: datetime
    stop: datetime
    band: str | None = None
    """ "01" ... "12", "8A"; None when the name has no band or says 00."""
    file_class: str = "OPER"


@dataclass(frozen=True, slots=True)
class Window:
    """The time to be covered."""

    start: datetime
    stop: datetime

    @property
    def middle(self) -> datetime:
        """Return the centre of the window."""
        return self.start + (self.stop - self.start) / 2

    def covered_by(self, file: AuxiliaryFile) -> bool:
        """Return True when the file is valid during the whole window."""
        return file.start <= self.start and self.stop <= file.stop

    def meets(self, file: AuxiliaryFile) -> bool:
        """Return True when the file is valid at some moment of the window."""
        return file.start <= self.stop and self.start <= file.stop

    def overlap(self, file: AuxiliaryFile) -> timedelta:
        """Return how long the file is valid inside the window; negative when they are apart."""
        return min(self.stop, file.stop) - max(self.start, file.start)


class Rule(StrEnum):
    """Retrieval modes of the task table schema."""

    VAL_COVER = "ValCover"
    LATEST_VAL_COVER = "LatestValCover"
    VAL_INTERSECT = "ValIntersect"
    LATEST_VAL_INTERSECT = "LatestValIntersect"
    LATEST_VALIDITY_CLOSEST = "LatestValidityClosest"
    BEST_CENTERED_COVER = "BestCenteredCover"
    LATEST_VAL_COVER_CLOSEST = "LatestValCoverClosest"
    LARGEST_OVERLAP = "LargestOverlap"
    LARGEST_OVERLAP_85 = "LargestOverlap85"
    LATEST_VALIDITY = "LatestValidity"
    LATEST_VAL_COVER_NEWEST_VALIDITY = "LatestValCoverNewestValidity"


Files = Sequence[AuxiliaryFile]
MEANINGS: dict[Rule, str] = {
    Rule.VAL_COVER: "valid during the whole window",
    Rule.LATEST_VAL_COVER: "latest creation of those valid during the whole window",
    Rule.VAL_INTERSECT: "valid at some moment of the window",
    Rule.LATEST_VAL_INTERSECT: "latest creation of those valid at some moment of the window",
    Rule.LATEST_VALIDITY_CLOSEST: "validity starts nearest to the middle of the window",
    Rule.BEST_CENTERED_COVER: "best centred of those valid during the whole window",
    Rule.LATEST_VAL_COVER_CLOSEST: "covers the whole window and starts nearest to it",
    Rule.LARGEST_OVERLAP: "valid for the largest part of the window",
    Rule.LARGEST_OVERLAP_85: "valid for the largest part of the window, at least 85 %",
    Rule.LATEST_VALIDITY: "latest start of validity",
    Rule.LATEST_VAL_COVER_NEWEST_VALIDITY: "latest start of validity of those valid during the whole window",
}
SHARE_85 = 0.85


def choose(rule: Rule, files: Files, start: datetime, stop: datetime) -> tuple[AuxiliaryFile, ...]:
    """Return the files a rule takes, by name; empty when none fits.

    ValCover and ValIntersect may take several files, all other rules take one. Files that are equal under the rule
    are told apart by creation, then by name: the later one is taken.
    """
    window = Window(start, stop)
    covering = [file for file in files if window.covered_by(file)]
    meeting = [file for file in files if window.meets(file)]
    if rule is Rule.VAL_COVER:
        return tuple(sorted(covering, key=_name))
    if rule is Rule.VAL_INTERSECT:
        return tuple(sorted(meeting, key=_name))
    candidates, score = _CRITERIA[rule]
    chosen = candidates(files, covering, meeting, window)
    best = max(chosen, key=lambda file: (score(file, window), file.creation, _name(file)), default=None)
    return () if best is None else (best,)


class Fallback(BaseModel):
    """What may stand in for a file of a type that did not come in time; the product is degraded then."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["older", "climatology"]
    """`older`: the file whose validity ended last; `climatology`: a file of class CLIM that is valid."""
    hours: float = Field(default=0, ge=0)
    """How long before the end of the window the validity of an older file may have ended."""

    @property
    def meaning(self) -> str:
        """Return what it takes, for people."""
        if self.kind == "climatology":
            return "climatology"
        return f"older file, out of validity for {self.hours:g} h at most"


def choose_fallback(fallback: Fallback, files: Files, start: datetime, stop: datetime) -> tuple[AuxiliaryFile, ...]:
    """Return the file a fallback takes for a window; empty when none fits."""
    if fallback.kind == "climatology":
        known = [file for file in files if file.file_class == CLIMATOLOGY]
        return choose(Rule.LATEST_VAL_COVER, known, start, stop)
    oldest = stop - timedelta(hours=fallback.hours)
    ended = [file for file in files if file.file_class != CLIMATOLOGY and file.start <= start and file.stop >= oldest]
    best = max(ended, key=lambda file: (file.stop, file.creation, _name(file)), default=None)
    return () if best is None else (best,)


def _name(file: AuxiliaryFile) -> str:
    return file.path.name


Candidates = Callable[[Files, Files, Files, Window], Files]
Score = Callable[[AuxiliaryFile, Window], timedelta]
_ZERO = timedelta(0)


def _any(files: Files, _covering: Files, _meeting: Files, _window: Window) -> Files:
    return files


def _covering(_files: Files, covering: Files, _meeting: Files, _window: Window) -> Files:
    return covering


def _meeting(_files: Files, _covering: Files, meeting: Files, _window: Window) -> Files:
    return meeting


def _mostly_covering(_files: Files, _covering: Files, meeting: Files, window: Window) -> Files:
    needed = (window.stop - window.start) * SHARE_85
    return [file for file in meeting if window.overlap(file) >= needed]


def _same(_file: AuxiliaryFile, _window: Window) -> timedelta:
    return _ZERO


def _start_to_middle(file: AuxiliaryFile, window: Window) -> timedelta:
    return -abs(file.start - window.middle)


def _start_to_start(file: AuxiliaryFile, window: Window) -> timedelta:
    return -abs(file.start - window.start)


def _centre_to_centre(file: AuxiliaryFile, window: Window) -> timedelta:
    return -abs(file.start + (file.stop - file.start) / 2 - window.middle)


def _overlap(file: AuxiliaryFile, window: Window) -> timedelta:
    return window.overlap(file)


def _newest(file: AuxiliaryFile, window: Window) -> timedelta:
    return file.start - window.start


_CRITERIA: dict[Rule, tuple[Candidates, Score]] = {
    Rule.LATEST_VAL_COVER: (_covering, _same),
    Rule.LATEST_VAL_INTERSECT: (_meeting, _same),
    Rule.LATEST_VALIDITY_CLOSEST: (_any, _start_to_middle),
    Rule.BEST_CENTERED_COVER: (_covering, _centre_to_centre),
    Rule.LATEST_VAL_COVER_CLOSEST: (_covering, _start_to_start),
    Rule.LARGEST_OVERLAP: (_meeting, _overlap),
    Rule.LARGEST_OVERLAP_85: (_mostly_covering, _overlap),
    Rule.LATEST_VALIDITY: (_any, _newest),
    Rule.LATEST_VAL_COVER_NEWEST_VALIDITY: (_covering, _newest),
}
