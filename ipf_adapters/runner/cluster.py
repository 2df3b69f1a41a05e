"""A whole cluster: run its jobs, write its result."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime

from ipf_adapters.runner.disk import full_by_error, written_places
from ipf_adapters.runner.job import JobRunner
from ipf_adapters.runner.outputs import VerifyMode
from ipf_adapters.runner.progress import Progress
from ipf_adapters.runner.scheduler import Scheduler
from ipf_adapters.runner.stop import INTERRUPTED, Stop
from s2ps.execution.request import ClusterRequest
from s2ps.execution.result import ClusterResult, ClusterState, JobResult
from s2ps.model.errors import S2psError, is_temporary
from s2ps.staging import layout
from s2ps.staging.store import StagingStore

ATTEMPT_VARIABLE = "S2PS_ATTEMPT"


def run_cluster(
    request: ClusterRequest,
    store: StagingStore,
    *,
    stop: Stop,
    write: Callable[[str], None],
    verify: VerifyMode = "quick",
) -> ClusterResult:
    """Run a cluster and return its result, which is in the staging by then, whatever has happened."""
    started = datetime.now(UTC)
    begun = time.monotonic()
    progress = Progress(len(request.jobs), write)
    progress.begun(request)
    limit = _limit(request, stop)
    result = _result(request, started, (), None, "the runner itself has failed: see its own output")
    try:
        with closing(JobRunner(store, request, stop, verify)) as jobs:
            results = Scheduler(request, jobs.run, progress.finished, stop).run()
        result = _result(request, started, results, stop.reason)
    except (S2psError, OSError) as error:
        plain = full_by_error(error, written_places(store)) or error
        if is_temporary(plain):
            stop.give_up(plain)
        result = _result(request, started, (), stop.reason, str(plain))
    finally:
        limit.cancel()
        store.write(layout.result(request.run_id, request.cluster_id), result.dump().encode())
    progress.summary(result, time.monotonic() - begun)
    return result


def _limit(request: ClusterRequest, stop: Stop) -> threading.Timer:
    reason = f"cluster {request.cluster_id} is over its limit of {request.timeout_s or 0:g} s"
    timer = threading.Timer(request.timeout_s or 0, stop.request, [reason])
    timer.daemon = True
    if request.timeout_s is not None:
        timer.start()
    return timer


def _result(
    request: ClusterRequest,
    started: datetime,
    jobs: tuple[JobResult, ...],
    stop_reason: str | None,
    error: str | None = None,
) -> ClusterResult:
    failed = next((job.error for job in jobs if job.state == "failed"), None)
    fine = bool(jobs) and all(job.ok for job in jobs)
    state: ClusterState = "success" if fine else "failed"
    if not fine and stop_reason is not None and stop_reason.startswith(INTERRUPTED):
        state = "interrupted"
    return ClusterResult(
        cluster_id=request.cluster_id,
        run_id=request.run_id,
        plan_hash=request.plan_hash,
        attempt=os.environ.get(ATTEMPT_VARIABLE, ""),
        state=state,
        started=started,
        finished=datetime.now(UTC),
        jobs=jobs,
        error=None if fine else error or failed or stop_reason,
    )
