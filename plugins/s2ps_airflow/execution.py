"""Which operator runs clusters in this installation: on this machine, or on pods (S2PS_EXECUTION)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from s2ps_airflow import production
from s2ps_airflow.operators import ClusterOperator

GRACE = timedelta(minutes=5)
"""On top of a cluster's own limit, which ends its jobs first and says why."""


def cluster_operator() -> Any:
    """Return the operator class; Kubernetes is imported only where pods are used."""
    if production.settings().execution == "local":
        return ClusterOperator
    from s2ps_airflow.pods.operator import ClusterPodOperator

    return ClusterPodOperator


def cluster_arguments(time_s: float) -> dict[str, Any]:
    """Return the arguments of a cluster's task that depend on where it runs; `time_s` is its own limit, seconds."""
    limit = timedelta(seconds=time_s) + GRACE
    if production.settings().execution == "local":
        return {"execution_timeout": limit}
    from s2ps_airflow.pods.settings import PodSettings

    pods = PodSettings.load()
    return {
        "execution_timeout": limit + timedelta(seconds=pods.start_limit_s),
        "retries": pods.retries,
        "retry_delay": timedelta(seconds=pods.retry_delay_s),
    }
