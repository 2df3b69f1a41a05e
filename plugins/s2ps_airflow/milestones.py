"""The timeliness of a run: t0, when the last product of a level came, and whether that was in time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from s2ps_airflow.deadlines import announced_t0
from s2ps_airflow.identity import parse_time


@dataclass(frozen=True, slots=True)
class Milestone:
    """What became of one time limit."""

    name: str
    t0: datetime | None
    last: datetime | None
    limit: timedelta
    planned: int
    """Tiles that are due."""
    published: int
    """Tiles that are published."""
    now: datetime

    @property
    def missed(self) -> bool:
        """Return True only if a tile came after t0 + limit, or is still out then; without a t0 no clock runs."""
        if self.t0 is None or not self.planned:
            return False
        reached = self.last if self.last is not None and self.published >= self.planned else self.now
        return reached > self.t0 + self.limit

    @property
    def text(self) -> str:
        """Return one line for people."""
        if not self.planned:
            return f"{self.name}: no tile is due"
        count = f"{self.name}: {self.published} of {self.planned} tiles published"
        if self.last is None:
            return count + (", MISSED" if self.missed else "")
        if self.t0 is None:
            return f"{count}, the last at {self.last.isoformat()}; no clock (backfill or manual run)"
        used = (self.last - self.t0).total_seconds() / 60
        allowed = self.limit.total_seconds() / 60
        verdict = "MISSED" if self.missed else "in time" if self.published >= self.planned else "not complete"
        return f"{count}, {verdict}: {used:.1f} of {allowed:.0f} minutes after t0 {self.t0.isoformat()}"

    def as_dict(self) -> dict[str, Any]:
        """Return the milestone for XCom."""
        return {
            "milestone": self.name,
            "missed": self.missed,
            "t0": self.t0.isoformat() if self.t0 else None,
            "last_published": self.last.isoformat() if self.last else None,
            "planned": self.planned,
            "published": self.published,
            "limit_minutes": self.limit.total_seconds() / 60,
        }


def t0_of(context: Mapping[str, Any]) -> datetime | None:
    """Return the t0 of a run: from its configuration, else from the announcement that started it, else None."""
    run = context["dag_run"]
    given = parse_time((getattr(run, "conf", None) or {}).get("t0"))
    if given is not None:
        return given
    key = getattr(run, "partition_key", None)
    if not key:
        return None
    for events in _event_lists(context.get("triggering_asset_events")):
        for event in reversed(events):
            found = parse_time(announced_t0(getattr(event, "extra", None), key))
            if found is not None:
                return found
    return None


def last_published(records: Iterable[Any]) -> datetime | None:
    """Return the latest publication time among the results of publish tasks; skipped ones have none."""
    times = [parse_time(record["published"]) for record in records if isinstance(record, Mapping)]
    return max((moment for moment in times if moment is not None), default=None)


def _event_lists(events: Any) -> list[list[Any]]:
    if not events:
        return []
    return [list(events[asset]) for asset in events]
