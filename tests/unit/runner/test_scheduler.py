"""Order of jobs: edges, slots, failures."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest
from contract.clusters import Workbench

from ipf_adapters.runner.scheduler import Scheduler, chain_lengths, edges_of
from ipf_adapters.runner.stop import Stop
from s2ps.execution.request import ClusterRequest, InputRequest, JobRequest
from s2ps.execution.result import JobResult
from s2ps.model.errors import PlanError


class Recorder:
    """Runs nothing, but notes what was started and how much at once."""

    def __init__(self, *failing: str, pause: float = 0.0) -> None:
        self.failing = failing
        self.pause = pause
        self.order: list[str] = []
        self.told: list[str] = []
        self.most = 0
        self._now = 0
        self._lock = threading.Lock()

    def run(self, job: JobRequest) -> JobResult:
        """Note a start."""
        with self._lock:
            self.order.append(job.id)
            self._now += 1
            self.most = max(self.most, self._now)
        time.sleep(self.pause)
        with self._lock:
            self._now -= 1
        return JobResult(id=job.id, state="failed" if job.id in self.failing else "done")

    def schedule(self, request: ClusterRequest) -> tuple[JobResult, ...]:
        """Run a request."""
        return Scheduler(request, self.run, lambda result: self.told.append(result.id), Stop()).run()


@pytest.fixture
def bench(tmp_path: Path) -> Workbench:
    return Workbench(tmp_path)


def test_edges_are_those_inside_the_cluster(bench: Workbench) -> None:
    other_run = InputRequest(type="X", run="elsewhere", jobs=("a",))
    request = bench.request(bench.job("a"), bench.job("b", "a", "outside"), bench.job("c", inputs=(other_run,)))
    assert edges_of(request) == {"a": set(), "b": {"a"}, "c": set()}


def test_chain_lengths_count_what_follows() -> None:
    edges = {"a": set(), "b": {"a"}, "c": {"b"}, "d": {"a"}, "e": set()}
    assert chain_lengths(edges) == {"a": 2, "b": 1, "c": 0, "d": 0, "e": 0}


def test_cycle_is_named() -> None:
    with pytest.raises(PlanError, match="a, b wait for each other"):
        chain_lengths({"a": {"b"}, "b": {"a"}, "c": set()})


def test_longest_chain_starts_first(bench: Workbench) -> None:
    jobs = (bench.job("short"), bench.job("head"), bench.job("middle", "head"), bench.job("tail", "middle"))
    recorder = Recorder()
    recorder.schedule(bench.request(*jobs, slots=1))
    assert recorder.order == ["head", "middle", "short", "tail"]


def test_slots_are_filled_and_not_exceeded(bench: Workbench) -> None:
    recorder = Recorder(pause=0.05)
    recorder.schedule(bench.request(*(bench.job(f"j{number}") for number in range(9)), slots=3))
    assert recorder.most == 3
    assert len(recorder.order) == 9


def test_no_barrier_between_levels(bench: Workbench) -> None:
    """A chain goes on while a slow job of its first level is still running."""
    done = threading.Event()
    seen: dict[str, bool] = {}

    def run_job(job: JobRequest) -> JobResult:
        if job.id == "slow":
            seen["chain went on"] = done.wait(10)
        if job.id == "b":
            done.set()
        return JobResult(id=job.id, state="done")

    request = bench.request(bench.job("slow"), bench.job("a"), bench.job("b", "a"))
    Scheduler(request, run_job, lambda _result: None, Stop()).run()
    assert seen == {"chain went on": True}


def test_every_job_is_told_once_and_kept_in_order(bench: Workbench) -> None:
    jobs = (bench.job("d", "b", "c"), bench.job("c", "a"), bench.job("b", "a"), bench.job("a"), bench.job("e"))
    recorder = Recorder("a")
    results = recorder.schedule(bench.request(*jobs))
    assert [(result.id, result.state) for result in results] == [
        ("d", "not_run"),
        ("c", "not_run"),
        ("b", "not_run"),
        ("a", "failed"),
        ("e", "done"),
    ]
    assert sorted(recorder.told) == ["a", "b", "c", "d", "e"]
    assert sorted(recorder.order) == ["a", "e"]
