"""What a task remembers from try to try: memory of clusters that ran out of it, and what was retried once."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from typing import Any

from airflow.sdk.exceptions import AirflowRuntimeError

log = logging.getLogger(__name__)
KEY = "s2ps_pods"
TRIES = 4
PAUSE_S = 2.0


class Memory:
    """Kept by Airflow with the task instance, so that it survives every process; without Airflow: in this object."""

    def __init__(self, context: Mapping[str, Any]) -> None:
        store = context.get("task_state_store")
        self._store = store
        kept = _patiently("read", lambda: store.get(KEY)) if store is not None else None
        self._kept: dict[str, dict[str, Any]] = dict(kept) if isinstance(kept, dict) else {}

    def memory_gb(self, cluster: str, least: float) -> float:
        """Return the memory a cluster gets, at least that of its strategy."""
        return max(least, float(self._of(cluster).get("memory_gb", 0.0)))

    def raise_memory(self, cluster: str, had_gb: float, factor: float, ceiling_gb: float) -> float:
        """Remember that a cluster needs more memory; return how much it gets."""
        wanted = min(had_gb * factor, ceiling_gb)
        self._keep(cluster, memory_gb=wanted)
        return wanted

    def tried(self, cluster: str) -> frozenset[str]:
        """Return the rows of the failure table that had their one retry."""
        return frozenset(self._of(cluster).get("tried", ()))

    def note(self, cluster: str, row: str) -> None:
        """Remember that a row had its retry."""
        self._keep(cluster, tried=sorted({*self.tried(cluster), row}))

    def _of(self, cluster: str) -> dict[str, Any]:
        return self._kept.get(cluster, {})

    def _keep(self, cluster: str, **news: Any) -> None:
        self._kept = {**self._kept, cluster: {**self._of(cluster), **news}}
        store, kept = self._store, self._kept
        if store is not None:
            _patiently("kept", lambda: store.set(KEY, kept))


def _patiently(what: str, call: Callable[[], Any]) -> Any:
    """Ask Airflow several times; a try that knows nothing of the ones before is better than none."""
    for attempt in range(1, TRIES + 1):
        try:
            return call()
        except AirflowRuntimeError as error:
            log.warning("what earlier tries have learnt cannot be %s (%d of %d): %s", what, attempt, TRIES, error)
            time.sleep(PAUSE_S)
    return None
