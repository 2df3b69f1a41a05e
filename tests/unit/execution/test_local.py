"""The local backend where it differs from others: processes of this machine."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from contract.clusters import Workbench

from s2ps.execution.local import LocalBackend
from s2ps.execution.result import ClusterResult
from s2ps.model.errors import ConfigurationError, ProcessorFailure

ROOT = Path(__file__).resolve().parents[3]


def _interpreter(tmp_path: Path, body: str) -> Path:
    path = tmp_path / "python"
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return path


def test_missing_interpreter_is_named(tmp_path: Path) -> None:
    bench = Workbench(tmp_path)
    with pytest.raises(ConfigurationError, match="no/such/python"):
        LocalBackend(python=Path("/no/such/python")).run(bench.request(bench.job("a")))


def test_unusable_request_is_a_matter_of_configuration(tmp_path: Path) -> None:
    bench = Workbench(tmp_path)
    python = _interpreter(tmp_path, "echo the staging is not mounted; exit 2")
    with pytest.raises(ConfigurationError, match="the staging is not mounted"):
        LocalBackend(python=python).run(bench.request(bench.job("a")))


def test_runner_that_dies_is_not_mistaken_for_an_old_result(tmp_path: Path) -> None:
    bench = Workbench(tmp_path)
    request = bench.request(bench.job("a"))
    assert LocalBackend(python=Path(sys.executable)).run(request).state == "success"
    with pytest.raises(ProcessorFailure, match="out of memory"):
        LocalBackend(python=_interpreter(tmp_path, "echo out of memory; kill -9 $$")).run(request)


CALLER = """
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from s2ps.execution.local import LocalBackend
from s2ps.execution.request import ClusterRequest
LocalBackend().run(ClusterRequest.load(Path(sys.argv[1])))
"""


def test_cluster_is_stopped_when_its_caller_is_killed(tmp_path: Path) -> None:
    bench = Workbench(tmp_path)
    path = tmp_path / "request.json"
    path.write_text(bench.request(bench.job("a", SLEEP="60")).dump())
    caller = subprocess.Popen([sys.executable, "-c", CALLER, str(path)], env={"PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"})
    _wait_for(lambda: bench.runs() == ["a"])
    caller.kill()
    caller.wait()
    result = tmp_path / "staging" / "runs" / "run" / "results" / "c1.json"
    _wait_for(result.exists)
    found = ClusterResult.load(result)
    assert (found.state, [job.state for job in found.jobs]) == ("interrupted", ["failed"])
    assert "the process that started the cluster is gone" in (found.error or "")


def _wait_for(condition: Callable[[], bool]) -> None:
    begun = time.monotonic()
    while not condition():
        assert time.monotonic() - begun < 20
        time.sleep(0.02)


def test_cluster_is_stopped_when_the_caller_breaks_off(tmp_path: Path) -> None:
    bench = Workbench(tmp_path)
    request = bench.request(bench.job("a"), bench.job("b", "a", SLEEP="60"), slots=1)

    def give_up(_line: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        LocalBackend().run(request, give_up)
    result = tmp_path / "staging" / "runs" / "run" / "results" / "c1.json"
    assert '"interrupted"' in result.read_text()
