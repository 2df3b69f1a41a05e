"""The DAGs of this installation: one `datatake` DAG, one more per strategy of another shape, one per station."""

from __future__ import annotations

from airflow.sdk import DAG

from s2ps_airflow.dag_factory import build_datatake_dag
from s2ps_airflow.housekeeping_dag import build_housekeeping_dag
from s2ps_airflow.identity import DATATAKE_DAG
from s2ps_airflow.nodes import nodes_of
from s2ps_airflow.production import baselines, default_strategy, stations, strategies, time_limits
from s2ps_airflow.session_dag import build_session_dag
from s2ps_airflow.station_dag import build_station_dag


def session_dag() -> DAG:
    """Make the ingestion DAG."""
    return build_session_dag(nodes_of(default_strategy()))


def housekeeping_dag() -> DAG:
    """Make the DAG that removes products whose time is over."""
    return build_housekeeping_dag()


def station_dags() -> list[DAG]:
    """Make the DAGs that poll the stations, one for each."""
    return [build_station_dag(station.name, station.kind, station.poll_s) for station in stations()]


def datatake_dags() -> list[DAG]:
    """Make the scheduled DAG of the default strategy, and an unscheduled one per group of strategies of other shape."""
    first = default_strategy()
    names = [first, *(name for name in strategies() if name != first)]
    shapes: dict[object, list[str]] = {}
    for name in names:
        shapes.setdefault(nodes_of(name).shape(), []).append(name)
    return [
        build_datatake_dag(
            nodes_of(group[0]),
            cut=frozenset().union(*(nodes_of(name).cut() for name in group)),
            strategies=group,
            baselines=baselines(),
            limits=time_limits(),
            dag_id=DATATAKE_DAG if group[0] == first else f"{DATATAKE_DAG}_{group[0]}",
            scheduled=group[0] == first,
        )
        for group in shapes.values()
    ]
