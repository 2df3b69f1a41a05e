"""Which operator runs clusters in this installation: on this machine, or on pods (S2PS_EXECUTION)."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from datetime import timedelta
from functools import lru_cache
from typing import Any

from s2ps_airflow import production
from s2ps_airflow.operators import ClusterOperator

GRACE = timedelta(minutes=5)
"""On top of a cluster's own limit, which ends its jobs first and says why."""


def cluster_operator() -> Any:
    """Return the operator class of tasks that run clusters."""
    return _chosen(_variables()).operator


def cluster_arguments(time_s: float) -> dict[str, Any]:
    """Return the arguments of a cluster's task that depend on where it runs; `time_s` is its own limit, seconds."""
    chosen = _chosen(_variables())
    return {"execution_timeout": timedelta(seconds=time_s) + GRACE + chosen.start_limit, **chosen.retries}


@dataclass(frozen=True, slots=True)
class _Execution:
    operator: Any
    start_limit: timedelta = timedelta()
    retries: dict[str, Any] = field(default_factory=dict)


def _variables() -> tuple[tuple[str, str], ...]:
    return tuple(sorted((name, value) for name, value in os.environ.items() if name.startswith("S2PS_")))


@lru_cache(maxsize=8)
def _chosen(_environment: tuple[tuple[str, str], ...]) -> _Execution:
    """Read the settings once per environment, as DAG files ask for every node; Kubernetes only where it is used."""
    if production.settings().execution == "local":
        return _Execution(ClusterOperator)
    from s2ps_airflow.pods.operator import ClusterPodOperator
    from s2ps_airflow.pods.settings import PodSettings

    pods = PodSettings.load()
    return _Execution(
        ClusterPodOperator,
        timedelta(seconds=pods.start_limit_s),
        {"retries": pods.retries, "retry_delay": timedelta(seconds=pods.retry_delay_s)},
    )
