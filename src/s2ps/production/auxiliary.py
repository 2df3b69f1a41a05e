"""Auxiliary files of a run: the right ones, waited for as long as it makes sense, or what may stand in for them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from s2ps.inventory.auxiliary import AuxiliaryIndex, Selection
from s2ps.inventory.auxiliary_files import AuxiliaryFiles
from s2ps.inventory.auxiliary_types import canonical_name
from s2ps.inventory.store import Inventory
from s2ps.model.errors import AuxiliaryMissing, InputError
from s2ps.model.mission import Level
from s2ps.model.timestamps import format_utc
from s2ps.settings import Settings


@dataclass(frozen=True, slots=True)
class StandIns:
    """What stands in for auxiliary files that did not come in time, by type: why, and the paths."""

    reasons: Mapping[str, str] = field(default_factory=dict)
    paths: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def still_there(self, types: Iterable[str]) -> StandIns:
        """Return those of some types whose files are there."""
        kept = [name for name in types if name in self.paths and all(Path(path).exists() for path in self.paths[name])]
        return StandIns({name: self.reasons[name] for name in kept}, {name: self.paths[name] for name in kept})

    def with_those_of(self, selection: Selection) -> StandIns:
        """Return these and those a selection has taken."""
        taken = [choice for choice in selection.choices if choice.fallback]
        reasons = {choice.type: choice.fallback for choice in taken}
        paths = {choice.type: [str(path) for path in choice.paths] for choice in taken}
        return StandIns({**self.reasons, **reasons}, {**self.paths, **paths})


class AuxiliaryChooser:
    """Chooses among the auxiliary files of the inventory, which the auxiliary folder feeds."""

    def __init__(self, settings: Settings, inventory: Inventory) -> None:
        self._settings = settings
        self.files = AuxiliaryFiles(inventory)

    def index(self, types: Iterable[str]) -> AuxiliaryIndex:
        """Return the files of some types that may be chosen, after a look into the folder."""
        folder = self._settings.place("auxiliary")
        self.files.feed(folder)
        known = self.files.all({canonical_name(name) for name in types})
        return AuxiliaryIndex((folder,), tuple(record.file for record in known if record.state == "available"))

    def latest_useful(self, t0: datetime, levels: Iterable[Level]) -> datetime:
        """Return until when files that some levels need are waited for: what is left of the time limit after t0."""
        early = any(level is not Level.L2A for level in levels)
        limit = self._settings.timeliness_l1c_minutes if early else self._settings.timeliness_l2a_minutes
        return t0 + timedelta(minutes=max(0, limit - self._settings.processing_reserve_minutes))

    def choose(
        self,
        wanted: Mapping[str, Iterable[Level]],
        unit: str,
        start: datetime,
        stop: datetime,
        t0: datetime | None,
        now: datetime | None = None,
    ) -> Selection:
        """Return the files of every type for a satellite and time; `wanted` names the levels that need each.

        Raises AuxiliaryMissing while files that are missing can come in time. After that the fallbacks of their types
        stand in, and InputError names the types that have none. Without t0 nothing is waited for.
        """
        moment = now or datetime.now(UTC)
        index = self.index(wanted)
        until = {name: self.latest_useful(t0, levels) if t0 else moment for name, levels in wanted.items()}
        late = [name for name in wanted if until[name] <= moment]
        waited = [name for name in wanted if until[name] > moment]
        try:
            first = index.select(waited, unit, start, stop)
        except InputError as error:
            limit = min(until[name] for name in waited)
            raise AuxiliaryMissing(
                error.message,
                expected=error.expected,
                next_step=f"add the files and plan again; they are waited for until {format_utc(limit, digits=0)}",
                until=limit,
            ) from error
        then = index.select(late, unit, start, stop, fallback=True)
        return Selection((*first.choices, *then.choices), (*first.absent, *then.absent))
