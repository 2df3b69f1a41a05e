"""What a task remembers from try to try: memory of clusters that ran out of it, and what was retried once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

KEY = "s2ps_pods"


class Memory:
    """Kept by Airflow with the task instance, so that it survives every process; without Airflow: in this object."""

    def __init__(self, context: Mapping[str, Any]) -> None:
        self._store = context.get("task_state_store")
        kept = self._store.get(KEY) if self._store is not None else None
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
        if self._store is not None:
            self._store.set(KEY, self._kept)
