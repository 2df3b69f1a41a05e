"""Which auxiliary files a session or datatake would get now, level by level, and until when others are waited for."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from s2ps.inventory.auxiliary_types import Stage, auxiliary_types
from s2ps.inventory.explanation import Explanation, explain
from s2ps.inventory.store import Inventory
from s2ps.model.errors import ConfigurationError, InputError
from s2ps.model.mission import Level
from s2ps.production.auxiliary import AuxiliaryChooser
from s2ps.settings import Settings

STAGES: tuple[Stage, ...] = ("L0U", "L0", "L1", "L2")
_LEVELS: dict[Stage, Level] = {"L0U": Level.L0U, "L0": Level.L0, "L1": Level.L1C, "L2": Level.L2A}


@dataclass(frozen=True, slots=True)
class StageExplanation:
    """What one level gets; `late`: its latest useful time has passed, so fallbacks are allowed."""

    level: str
    latest_useful: datetime
    late: bool
    types: tuple[Explanation, ...]

    @property
    def complete(self) -> bool:
        """Return True when nothing mandatory is missing."""
        return all(item.state != "missing" for item in self.types)

    @property
    def degraded(self) -> bool:
        """Return True when a fallback stands in."""
        return any(item.state == "fallback" for item in self.types)


@dataclass(frozen=True, slots=True)
class Explained:
    """What a session or datatake gets at some moment."""

    name: str
    unit: str
    start: datetime
    stop: datetime
    t0: datetime
    now: datetime
    stages: tuple[StageExplanation, ...]


def explain_auxiliary(
    settings: Settings, inventory: Inventory, name: str, levels: Iterable[str], now: datetime
) -> Explained:
    """Explain the selection for a session or datatake; without levels: for all of its own.

    Raises InputError for a name the inventory does not know, ConfigurationError for another level.
    """
    unit, start, stop, t0, own = _subject(inventory, name)
    chooser = AuxiliaryChooser(settings, inventory)
    stages = []
    for level in tuple(levels) or own:
        stage = _stage(level)
        types = [name for name, kind in auxiliary_types().items() if stage in kind.levels]
        until = chooser.latest_useful(t0, [_LEVELS[stage]])
        late = now >= until
        slots = chooser.index(types).slots(types, unit, start, stop, fallback=late)
        records = chooser.files.all(types)
        found = tuple(explain(slot, records, unit, start, stop) for slot in slots)
        stages.append(StageExplanation(stage, until, late, found))
    return Explained(name, unit, start, stop, t0, now, tuple(stages))


def _stage(level: str) -> Stage:
    for stage in STAGES:
        if level.upper() == stage or (len(stage) == 2 and level.upper().startswith(stage) and level.upper() != "L0U"):
            return stage
    raise ConfigurationError(f"there is no level {level}", expected=f"one of {', '.join(STAGES)}")


def _subject(inventory: Inventory, name: str) -> tuple[str, datetime, datetime, datetime, tuple[str, ...]]:
    with suppress(InputError):
        session = inventory.session(name)
        return session.unit, session.start or session.t0, session.stop or session.t0, session.t0, ("L0U",)
    try:
        record = inventory.datatake(name)
    except InputError as error:
        raise InputError(
            f"{name} is neither a datatake nor a session of the inventory",
            next_step="run or register its session first",
        ) from error
    stages = dict.fromkeys(_stage(level) for level in ("L0U", *record.levels))
    return record.unit, record.start, record.stop, record.t0, tuple(stages)
