"""Time limits after t0, the moment the last input of a datatake was published at the pick-up point."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk.definitions.deadline import BaseDeadlineReference

from s2ps_airflow.identity import parse_time

if TYPE_CHECKING:
    from sqlalchemy.orm import Session


@dataclass(frozen=True, slots=True)
class TimeLimits:
    """Time from t0 to the last product of a level."""

    l1c: timedelta
    l2a: timedelta


class InputAvailability(BaseDeadlineReference):
    """The t0 of the run: `t0` of its configuration, else of the asset event that started it.

    Backfills and manual runs without a `t0` re-make old data, so no clock runs for them.
    """

    required_kwargs = frozenset({"dag_id", "run_id"})

    def _evaluate_with(self, *, session: Session, dag_id: str, run_id: str, **_: Any) -> datetime | None:
        from airflow.models.dagrun import DagRun
        from sqlalchemy import select

        run = session.scalar(select(DagRun).where(DagRun.dag_id == dag_id, DagRun.run_id == run_id))
        if run is None or str(run.run_type) == "backfill":
            return None
        given = parse_time((run.conf or {}).get("t0"))
        if given is not None or str(run.run_type) != "asset_triggered" or not run.partition_key:
            return given
        return self._announced(session, run.partition_key)

    @staticmethod
    def _announced(session: Session, partition_key: str) -> datetime | None:
        from airflow.models.asset import AssetEvent
        from sqlalchemy import select

        event = session.scalar(
            select(AssetEvent)
            .where(AssetEvent.partition_key == partition_key)
            .order_by(AssetEvent.timestamp.desc())
            .limit(1)
        )
        if event is None:
            return None
        return parse_time(announced_t0(event.extra, partition_key)) or event.timestamp


def announced_t0(extra: Any, partition_key: str) -> str | None:
    """Return the t0 an announcement gives to a datatake: its own under `datatakes`, else the common `t0`."""
    if not isinstance(extra, dict):
        return None
    own = extra.get("datatakes")
    if isinstance(own, dict) and isinstance(own.get(partition_key), dict) and own[partition_key].get("t0"):
        return str(own[partition_key]["t0"])
    return str(extra["t0"]) if extra.get("t0") else None
