"""Makes the DAG that polls one station."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.sdk import DAG, Asset, BaseOperator
from airflow.sdk.exceptions import AirflowSkipException

from s2ps_airflow import tasks, texts
from s2ps_airflow.dag_factory import PLAN_AND_PUBLISH
from s2ps_airflow.identity import SESSION_ASSET, STATION_DAG

POLLS_AT_A_TIME = 2
"""Tasks of one station: one fetches, the one beside it sees that and ends."""
RUNS_AT_A_TIME = 8
"""Runs of one station; killed ones keep their place for minutes."""
LONGEST_POLL = timedelta(hours=6)
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


class PollStationOperator(BaseOperator):
    """Polls a station once and announces sessions: one partition of the session asset each."""

    ui_color = "#e0f2fe"

    def __init__(self, *, station: str, **kwargs: Any) -> None:
        super().__init__(outlets=[Asset(SESSION_ASSET)], **kwargs)
        self.station = station

    def execute(self, context: Any) -> list[str]:
        """Return the sessions announced: all that are complete and not taken by a run, whoever has fetched them."""
        sessions = tasks.poll_station(self.station)
        if not sessions:
            raise AirflowSkipException(f"station {self.station}: no session to announce")
        context["outlet_events"][Asset(SESSION_ASSET)].add_partitions(sessions)
        return sessions


def build_station_dag(name: str, kind: str, seconds: float) -> DAG:
    """Make the DAG of a station: one short task every so many seconds; a long transfer does not keep the next away."""
    with DAG(
        f"{STATION_DAG}_{name}",
        schedule=timedelta(seconds=seconds),
        start_date=BEGIN,
        catchup=False,
        default_args={"owner": "s2ps"},
        max_active_runs=RUNS_AT_A_TIME,
        max_active_tasks=POLLS_AT_A_TIME,
        doc_md=texts.station_dag(name, kind, seconds),
        description=f"Polls the {kind} station {name}, announces sessions that are complete",
        tags=["s2ps", "ingestion"],
        is_paused_upon_creation=False,
    ) as dag:
        PollStationOperator(
            task_id="poll",
            station=name,
            retries=1,
            retry_delay=timedelta(seconds=10),
            execution_timeout=LONGEST_POLL,
            priority_weight=PLAN_AND_PUBLISH,
            doc_md="Lists, fetches what is new, announces what is complete. The next poll goes on.",
        )
    return dag
