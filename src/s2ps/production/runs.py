"""What a run of a session or datatake is, and what it has to remember between its phases."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from s2ps.model.mission import Level
from s2ps.model.timestamps import format_utc
from s2ps.staging import layout
from s2ps.staging.store import StagingStore


@dataclass(frozen=True, slots=True)
class RunKey:
    """What to run and how: a session (L0u) or a datatake (L0 to L2A)."""

    kind: Literal["session", "datatake"]
    id: str
    strategy: str
    from_level: Level | None = None
    """Make this level and the ones after it anew, with a new creation date; earlier results are used as they are."""
    baseline: str | None = None
    faults: tuple[str, ...] = ()
    """Faults to inject into reference processors, `TASK:data id:fault` each."""


@dataclass(frozen=True, slots=True)
class ClusterRef:
    """A planned cluster: node of the strategy, label for people, number of jobs."""

    id: str
    node: str
    label: str
    jobs: int


class RunState(BaseModel):
    """Document of a run: when each level was created, and where its granules and datastrip come from."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    creation: dict[Level, datetime] = Field(default_factory=dict)
    """Creation date of the products of each level; part of every job key, so a new one means new jobs."""

    @classmethod
    def load(cls, store: StagingStore, key: str) -> RunState:
        """Read the state of a run; an empty one when there is none yet."""
        path = layout.run_state(key)
        return cls.model_validate_json(store.read(path)) if store.exists(path) else cls()

    def save(self, store: StagingStore, key: str) -> None:
        """Write the state in one step."""
        store.write(layout.run_state(key), json.dumps(self.model_dump(mode="json"), indent=1).encode())

    def with_creation(self, levels: tuple[Level, ...], from_level: Level | None, now: datetime) -> RunState:
        """Return the state with a creation date for each level; levels from `from_level` on get a new one."""
        moment = now.astimezone(UTC).replace(microsecond=0)
        dates = dict(self.creation)
        for level in levels:
            renewed = from_level is not None and level.rank >= from_level.rank
            if renewed or level not in dates:
                dates[level] = moment
        return RunState(creation=dates)

    def fixed(self, levels: tuple[Level, ...], moment: datetime) -> RunState:
        """Return the state with one creation date, given from outside, for each level."""
        return RunState(creation={**self.creation, **dict.fromkeys(levels, moment)})

    def creation_text(self, level: Level) -> str:
        """Return the creation date of a level for job orders."""
        return format_utc(self.creation[level])
