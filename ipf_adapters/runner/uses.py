"""How long data are needed on this machine: until the last job of the cluster that reads them has ended."""

from __future__ import annotations

import threading
from collections import Counter

from s2ps.execution.request import ClusterRequest, JobRequest
from s2ps.staging import layout

Place = tuple[str | None, str]
"""URI of a store (None: the staging) and key of a job folder in it."""


class Uses:
    """Counts the jobs that still need a job folder: those that read it, and the one that makes it."""

    def __init__(self, request: ClusterRequest) -> None:
        self._request = request
        self._left = Counter(place for job in request.jobs for place in self._places(job))
        self._lock = threading.Lock()

    def ended(self, job: JobRequest) -> tuple[Place, ...]:
        """Note that a job has ended; return what nobody here needs any more."""
        places = self._places(job)
        with self._lock:
            self._left.subtract(places)
            return tuple(place for place in places if self._left[place] == 0)

    def _places(self, job: JobRequest) -> set[Place]:
        read = {
            (entry.store, layout.job(entry.run or self._request.datatake, name))
            for entry in job.inputs
            for name in entry.jobs
        }
        return {*read, (self._request.store, layout.job(self._request.datatake, job.id))}
