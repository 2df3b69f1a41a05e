"""The stores of a cluster: the staging, and where outputs lie when the strategy wants them elsewhere."""

from __future__ import annotations

import threading

from s2ps.execution.request import ClusterRequest
from s2ps.staging.location import open_store
from s2ps.staging.store import StagingStore


class Stores:
    """Opens every store once."""

    def __init__(self, staging: StagingStore, request: ClusterRequest) -> None:
        self.staging = staging
        """Requests, results and logs."""
        self._open: dict[str, StagingStore] = {}
        self._lock = threading.Lock()
        self.outputs = self.of(request.store)
        """Outputs of the jobs of the cluster."""

    def of(self, uri: str | None) -> StagingStore:
        """Return the store of a URI; None: the staging."""
        if uri is None:
            return self.staging
        with self._lock:
            if uri not in self._open:
                self._open[uri] = open_store(uri)
            return self._open[uri]
