"""One partition is one datatake: the timetable of the datatake DAG and its partition mapper.

Runs start from asset events that carry a datatake id as partition key. The same timetable lists the datatakes of
the inventory between two dates, which is what `airflow backfill create` asks for.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import pendulum
from airflow.exceptions import InvalidPartitionKeyError
from airflow.partition_mappers.base import PartitionMapper
from airflow.timetables.base import DagRunInfo
from airflow.timetables.simple import PartitionedAssetTimetable

from s2ps_airflow.identity import sensing_start


class DatatakeMapper(PartitionMapper):
    """Maps a datatake id to itself and dates it by its sensing start."""

    def to_downstream(self, key: str) -> str:
        """Return the datatake id unchanged; raise ValueError when it is none."""
        sensing_start(key)
        return key

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
