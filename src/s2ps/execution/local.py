"""Clusters as processes of this machine."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Mapping
from pathlib import Path

from s2ps.execution.backend import ProgressSink
from s2ps.execution.request import ClusterRequest
from s2ps.execution.result import ClusterResult
from s2ps.model.errors import ConfigurationError, ProcessorFailure, S2psError, StagingUnavailable
from s2ps.staging import layout
from s2ps.staging.location import open_store

RUNNER_MODULE = "ipf_adapters.run"
STOP_S = 20.0
"""Time the runner gets to kill its processors and to write its result; they get 5 s themselves."""
EXIT_UNUSABLE = 2
EXIT_TEMPORARY = 75
TAIL_LINES = 20
_KINDS: dict[int, type[S2psError]] = {EXIT_UNUSABLE: ConfigurationError, EXIT_TEMPORARY: StagingUnavailable}


class LocalBackend:
    """Starts `python -m ipf_adapters.run` for every cluster; the runner stops when this process is gone."""

    def __init__(
        self, *, python: Path | None = None, environment: Mapping[str, str] | None = None, verify: str = "quick"
    ) -> None:
        self._python = str(python or sys.executable)
        self._environment = dict(environment or {})
        self._verify = verify
        self._running: set[subprocess.Popen[str]] = set()
        self._lock = threading.Lock()

    def run(self, request: ClusterRequest, on_progress: ProgressSink | None = None) -> ClusterResult:
        """Run a cluster in a process and return its result."""
        store = open_store(request.staging)
        key = layout.request(request.run_id, request.cluster_id)
        outcome = layout.result(request.run_id, request.cluster_id)
        store.write(key, request.dump().encode())
        store.delete(outcome)
        process = self._start(store.open_local(key))
        last: deque[str] = deque(maxlen=TAIL_LINES)
        try:
            _follow(process, last, on_progress)
            code = process.wait()
        finally:
            _stop(process)
            with self._lock:
                self._running.discard(process)
        if store.exists(outcome):
            return ClusterResult.model_validate_json(store.read(outcome))
        raise _no_result(request, code, last)

    def cancel(self) -> None:
        """Ask every running cluster to stop."""
        with self._lock:
            for process in self._running:
                process.terminate()

    def _start(self, request_file: Path) -> subprocess.Popen[str]:
        try:
            process = subprocess.Popen(
                [self._python, "-m", RUNNER_MODULE, str(request_file), "--verify", self._verify, "--attended"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                encoding="utf-8",
                errors="replace",
                env={**os.environ, **self._environment},
                start_new_session=True,
            )
        except OSError as error:
            raise ConfigurationError(
                f"{self._python} cannot be started: {error.strerror}",
                expected="a Python interpreter that has ipf_adapters installed",
                next_step="correct the interpreter of the local backend",
            ) from error
        with self._lock:
            self._running.add(process)
        return process


def _follow(process: subprocess.Popen[str], last: deque[str], on_progress: ProgressSink | None) -> None:
    for line in process.stdout or ():
        last.append(line.rstrip("\n"))
        if on_progress is not None:
            on_progress(line.rstrip("\n"))


def _stop(process: subprocess.Popen[str]) -> None:
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            stream.close()


def _no_result(request: ClusterRequest, code: int, last: deque[str]) -> S2psError:
    said = "\n".join(last) or "it said nothing"
    kind = _KINDS.get(code, ProcessorFailure)
    return kind(
        f"cluster {request.cluster_id} ended with exit code {code} and without a result:\n{said}",
        expected=f"a result at {layout.result(request.run_id, request.cluster_id)}",
        next_step="read the lines above; check that the staging can be written and that ipf_adapters is installed",
    )
