"""One partition is one session, or one datatake: the timetables of their DAGs and the partition mappers.

Runs start from asset events that carry the id as partition key. The timetable of datatakes also lists those of
the inventory between two dates, which is what `airflow backfill create` asks for.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import pendulum
from airflow.exceptions import InvalidPartitionKeyError
from airflow.timetables.base import DagRunInfo
from airflow.timetables.simple import PartitionedAssetTimetable

from s2ps_airflow.identity import DATATAKE_DAG, SESSION_DAG, downlink_start, sensing_start
from s2ps_airflow.once import OnceMapper


class SessionMapper(OnceMapper):
    """Maps a session id to itself, once, and dates it by the time in it."""

    dag_id = SESSION_DAG

    def check(self, key: str) -> None:
        """Raise ValueError when a text is no session id."""
        downlink_start(key)

    def to_partition_date(self, downstream_key: str) -> datetime:
        """Return the time in a session id."""
        return downlink_start(downstream_key)


class SessionTimetable(PartitionedAssetTimetable):
    """Starts one run per session that ingestion has announced."""

    description = "one run per session that has arrived from a station"

    @property
    def summary(self) -> str:
        """Return the short text shown in lists of DAGs."""
        return "Session"


class DatatakeMapper(OnceMapper):
    """Maps a datatake id to itself, once, and dates it by its sensing start."""

    dag_id = DATATAKE_DAG

    def check(self, key: str) -> None:
        """Raise ValueError when a text is no datatake id."""
        sensing_start(key)

    def to_partition_date(self, downstream_key: str) -> datetime:
        """Return the sensing start of a datatake."""
        return sensing_start(downstream_key)


class DatatakeTimetable(PartitionedAssetTimetable):
    """Starts one run per announced datatake and lists the datatakes of a time range for backfills."""

    periodic = True
    description = "one run per datatake announced by a session; backfill by sensing time"

    @property
    def summary(self) -> str:
        """Return the short text shown in lists of DAGs."""
        return "Datatake"

    def next_dagrun_info_v2(self, **_: Any) -> DagRunInfo | None:
        """Return None: time alone starts nothing."""
        return None

    def iter_partition_dagrun_infos(self, *, earliest: datetime, latest: datetime) -> Iterable[DagRunInfo]:
        """Yield the datatakes sensed from `earliest` to `latest` (both included); reads the inventory."""
        from s2ps_airflow.production import datatakes_between

        for datatake in datatakes_between(earliest.astimezone(UTC), latest.astimezone(UTC)):
            start = pendulum.instance(sensing_start(datatake))
            yield DagRunInfo(run_after=start, data_interval=None, partition_date=start, partition_key=datatake)

    def generate_run_id(
        self,
        *,
        run_type: Any,
        run_after: Any,
        data_interval: Any = None,
        partition_key: str | None = None,
        **extra: Any,
    ) -> str:
        """Return a run id that shows the datatake where it is known; a datatake may be backfilled many times."""
        text = super().generate_run_id(run_type=run_type, run_after=run_after, data_interval=data_interval, **extra)
        return f"{text}__{partition_key}__{secrets.token_hex(3)}" if partition_key else text

    def _decode_partition_date(self, partition_key: str) -> datetime:
        try:
            return sensing_start(partition_key)
        except ValueError as error:
            raise InvalidPartitionKeyError(str(error)) from error
