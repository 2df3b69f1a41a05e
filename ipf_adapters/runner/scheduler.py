"""Order of the jobs of a cluster: by their data edges, in as many slots as allowed."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

from ipf_adapters.runner.stop import Stop
from s2ps.execution.request import ClusterRequest, JobRequest
from s2ps.execution.result import JobResult
from s2ps.model.errors import PlanError

LOOK_UP_S = 0.5
"""The main thread wakes this often: a signal that comes just before it starts to wait would not wake it."""


def edges_of(request: ClusterRequest) -> dict[str, set[str]]:
    """Return for every job the jobs of the same cluster it takes data from."""
    own = {job.id for job in request.jobs}
    return {
        job.id: {name for entry in job.inputs if entry.run in (None, request.datatake) for name in entry.jobs} & own
        for job in request.jobs
    }


def chain_lengths(edges: Mapping[str, set[str]]) -> dict[str, int]:
    """Return for every job how many jobs follow it in the longest chain; raise PlanError naming a cycle."""
    consumers: dict[str, list[str]] = {name: [] for name in edges}
    open_consumers = dict.fromkeys(edges, 0)
    for consumer, producers in edges.items():
        for producer in producers:
            consumers[producer].append(consumer)
            open_consumers[producer] += 1
    lengths = dict.fromkeys(edges, 0)
    ends = [name for name, count in open_consumers.items() if count == 0]
    settled = 0
    while ends:
        name = ends.pop()
        settled += 1
        for producer in edges[name]:
            lengths[producer] = max(lengths[producer], lengths[name] + 1)
            open_consumers[producer] -= 1
            if open_consumers[producer] == 0:
                ends.append(producer)
    if settled < len(edges):
        looped = sorted(name for name, count in open_consumers.items() if count > 0)
        raise PlanError(
            f"jobs {', '.join(looped[:5])} wait for each other",
            expected="data edges without a cycle",
            next_step="plan the cluster again",
        )
    return lengths


class Scheduler:
    """Runs every job once all its producers are there; starts the job with the longest chain behind it first.

    After a failure the jobs that depend on it are not run, all others are.
    """

    def __init__(
        self,
        request: ClusterRequest,
        run_job: Callable[[JobRequest], JobResult],
        on_finished: Callable[[JobResult], None],
        stop: Stop,
    ) -> None:
        self._request = request
        self._run_job = run_job
        self._on_finished = on_finished
        self._stop = stop
        self._edges = edges_of(request)
        self._jobs = {job.id: job for job in request.jobs}
        lengths = chain_lengths(self._edges)
        self._rank = {job.id: (-lengths[job.id], place) for place, job in enumerate(request.jobs)}
        self._waiting = {name: len(producers) for name, producers in self._edges.items()}
        self._consumers: dict[str, list[str]] = {name: [] for name in self._edges}
        for consumer, producers in self._edges.items():
            for producer in producers:
                self._consumers[producer].append(consumer)
        self._results: dict[str, JobResult] = {}

    def run(self) -> tuple[JobResult, ...]:
        """Run all jobs and return their results in the order of the request."""
        ready = [(self._rank[name], name) for name, count in self._waiting.items() if count == 0]
        heapq.heapify(ready)
        running: set[Future[JobResult]] = set()
        with ThreadPoolExecutor(self._request.slots, thread_name_prefix="job") as pool:
            while running or ready:
                while ready and len(running) < self._request.slots and self._stop.reason is None:
                    running.add(pool.submit(self._run_job, self._jobs[heapq.heappop(ready)[1]]))
                if not running:
                    break
                ended, running = wait(running, LOOK_UP_S, return_when=FIRST_COMPLETED)
                for future in ended:
                    for name in self._finish(future.result()):
                        heapq.heappush(ready, (self._rank[name], name))
        for job in self._request.jobs:
            if job.id not in self._results:
                self._keep(_not_run(job, f"not started: {self._stop.reason}"))
        return tuple(self._results[job.id] for job in self._request.jobs)

    def _finish(self, result: JobResult) -> list[str]:
        """Keep a result and return the jobs that can start now."""
        self._keep(result)
        startable = []
        for name in self._consumers[result.id]:
            if not result.ok:
                self._skip(name, result.id)
                continue
            self._waiting[name] -= 1
            if self._waiting[name] == 0 and name not in self._results:
                startable.append(name)
        return startable

    def _skip(self, name: str, failed: str) -> None:
        pending = [name]
        while pending:
            current = pending.pop()
            if current not in self._results:
                self._keep(_not_run(self._jobs[current], f"not started: it needs {failed}, which failed"))
                pending += self._consumers[current]

    def _keep(self, result: JobResult) -> None:
        self._results[result.id] = result
        self._on_finished(result)


def _not_run(job: JobRequest, reason: str) -> JobResult:
    return JobResult(id=job.id, task=job.task, data_id=job.data_id, state="not_run", error=reason)
