"""Processes: time limits, stops, and that nothing survives."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import pytest
from contract.clusters import Workbench

from ipf_adapters.runner import command
from ipf_adapters.runner.cluster import run_cluster
from ipf_adapters.runner.command import Outcome, run_command
from ipf_adapters.runner.stop import Stop
from s2ps.execution.request import ClusterRequest
from s2ps.execution.result import ClusterResult
from s2ps.staging.location import open_store


@pytest.fixture(autouse=True)
def _short_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "GRACE_S", 0.3)


def shell(tmp_path: Path, script: str, timeout_s: float = 20, stop: Stop | None = None) -> Outcome:
    with (tmp_path / "log").open("w+b") as log:
        return run_command(
            ["/bin/sh", "-c", script],
            cwd=tmp_path,
            environment={"PATH": os.environ["PATH"]},
            log=log,
            timeout_s=timeout_s,
            stop=stop or Stop(),
        )


def run(request: ClusterRequest, stop: Stop | None = None) -> ClusterResult:
    return run_cluster(request, open_store(request.staging), stop=stop or Stop(), write=lambda _line: None)


def dead(pid: int) -> bool:
    """Return True when a process is gone, or is a zombie that only waits for its parent."""
    begun = time.monotonic()
    while time.monotonic() - begun < 5:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            return True
        if state == "Z":
            return True
        time.sleep(0.02)
    return False


def test_output_of_both_streams_is_in_the_log(tmp_path: Path) -> None:
    outcome = shell(tmp_path, "echo out; echo err >&2; exit 7")
    assert (outcome.ending, outcome.exit_code, outcome.signal) == ("exit", 7, None)
    assert (tmp_path / "log").read_text() == "out\nerr\n"


def test_time_limit_kills_a_process_that_ignores_sigterm(tmp_path: Path) -> None:
    outcome = shell(tmp_path, "trap '' TERM; while :; do sleep 0.1; done", timeout_s=0.3)
    assert (outcome.ending, outcome.exit_code, outcome.signal) == ("timeout", 137, "SIGKILL")
    assert 0.6 <= outcome.seconds < 3


def test_process_may_end_by_itself_after_sigterm(tmp_path: Path) -> None:
    outcome = shell(tmp_path, "trap 'echo closing; exit 9' TERM; sleep 30 & wait", timeout_s=0.3)
    assert (outcome.ending, outcome.exit_code) == ("timeout", 9)
    assert (tmp_path / "log").read_text() == "closing\n"


def test_descendants_left_behind_are_killed_at_a_normal_end(tmp_path: Path) -> None:
    outcome = shell(tmp_path, "sleep 60 & echo $! > child; exit 0")
    assert outcome.exit_code == 0
    assert dead(int((tmp_path / "child").read_text()))


def test_cpu_time_of_children_counts(tmp_path: Path) -> None:
    outcome = shell(tmp_path, "sh -c 'i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done'")
    assert 0.02 < outcome.cpu_seconds <= outcome.seconds + 0.1


def test_stop_asked_for_before_the_start_counts(tmp_path: Path) -> None:
    stop = Stop()
    stop.request("interrupted early")
    assert shell(tmp_path, "sleep 30", stop=stop).ending == "interrupted"


def test_grandchildren_die_with_the_time_limit_of_their_job(tmp_path: Path) -> None:
    bench = Workbench(tmp_path)
    child = tmp_path / "grandchild.pid"
    job = bench.job("a", CHILD=str(child), SLEEP="60").model_copy(update={"timeout_s": 1.5})
    result = run(bench.request(job, bench.job("b")))
    assert [entry.state for entry in result.jobs] == ["failed", "done"]
    assert "its limit is 1.5 s" in (result.error or "")
    assert dead(int(child.read_text()))


def test_time_limit_of_the_cluster_stops_all_its_jobs(tmp_path: Path) -> None:
    bench = Workbench(tmp_path)
    jobs = (bench.job("a", SLEEP="60"), bench.job("b", SLEEP="60"), bench.job("c", "a"))
    result = run(bench.request(*jobs, timeout_s=0.6))
    assert result.state == "failed"
    assert [entry.state for entry in result.jobs] == ["failed", "failed", "not_run"]
    assert "cluster c1 is over its limit of 0.6 s" in (result.error or "")


def test_interrupted_cluster_continues_where_it_stopped(tmp_path: Path) -> None:
    bench = Workbench(tmp_path)
    jobs = (bench.job("a"), bench.job("b", "a", SLEEP="1"))
    request = bench.request(*jobs)
    stop = Stop()
    waiter = threading.Thread(target=lambda: _stop_when_started(bench, "b", stop))
    waiter.start()
    first = run(request, stop)
    waiter.join()
    assert first.state == "interrupted"
    assert [entry.state for entry in first.jobs] == ["done", "failed"]
    assert [entry.state for entry in run(request).jobs] == ["reused", "done"]


def _stop_when_started(bench: Workbench, name: str, stop: Stop) -> None:
    begun = time.monotonic()
    while name not in bench.runs() and time.monotonic() - begun < 10:
        time.sleep(0.01)
    stop.request("interrupted by the test")
