"""Plain lines that tell people how a cluster gets on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from s2ps.execution.request import ClusterRequest
from s2ps.execution.result import ClusterResult, JobResult

MEGABYTE = 1_000_000


class Progress:
    """Counts finished jobs and writes one line for each."""

    def __init__(self, total: int, write: Callable[[str], None]) -> None:
        self._total = total
        self._write = write
        self._count = 0

    def begun(self, request: ClusterRequest) -> None:
        """Write the first line, before any job has ended: what will be run."""
        jobs = "1 job" if self._total == 1 else f"{self._total} jobs, up to {request.slots} at a time"
        self._write(f"cluster {request.cluster_id}: {jobs}")

    def finished(self, result: JobResult) -> None:
        """Write the line of a finished job, for example `[ 3/12] DECOMP band=B03 1.2 s 140 MB`."""
        self._count += 1
        width = len(str(self._total))
        name = " ".join(part for part in (result.task, result.data_id) if part) or result.id
        self._write(f"[{self._count:>{width}}/{self._total}] {name} {_ending(result)}")

    def summary(self, result: ClusterResult, seconds: float) -> None:
        """Write the last line: how many jobs ended in which way."""
        states = Counter(job.state for job in result.jobs)
        counts = ", ".join(
            f"{states[state]} {state.replace('_', ' ')}" for state in ("done", "reused", "failed", "not_run")
        )
        self._write(f"cluster {result.cluster_id}: {result.state}: {counts} in {seconds:.1f} s")
        if result.error:
            self._write(result.error)


def _ending(result: JobResult) -> str:
    if result.state == "done":
        warning = f" warning (exit code {result.exit_code})" if result.warning else ""
        return f"{result.seconds:.1f} s {result.peak_rss_bytes / MEGABYTE:.0f} MB{warning}"
    if result.state == "reused":
        return "reused"
    first = (result.error or "").splitlines()[:1]
    return f"{'FAILED' if result.state == 'failed' else 'NOT RUN'}: {''.join(first)}"
