"""What a backend can do: run one cluster somewhere and bring its result."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from s2ps.execution.request import ClusterRequest
from s2ps.execution.result import ClusterResult

ProgressSink = Callable[[str], None]
"""Takes one plain line without its end, for example `[ 3/12] DECOMP band=B03 1.2 s 140 MB`."""


class ExecutionBackend(Protocol):
    """Runs clusters; one object may run several at once from several threads."""

    def run(self, request: ClusterRequest, on_progress: ProgressSink | None = None) -> ClusterResult:
        """Run a cluster to its end and return its result, whether its jobs are fine or not.

        The request and the result are documents in the staging afterwards. When the waiting is broken off by an
        exception, the cluster is stopped first. Raises ConfigurationError when the cluster cannot be started and
        ProcessorFailure when it ends without a result.
        """

    def cancel(self) -> None:
        """Stop every cluster this object runs; their `run` returns a result in the state "interrupted"."""
