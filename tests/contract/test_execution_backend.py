"""What every execution backend must do, tried with a tiny real processor."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from contract.clusters import Workbench

from s2ps.execution.backend import ExecutionBackend
from s2ps.execution.factory import BackendSettings, make_backend
from s2ps.execution.result import ClusterResult
from s2ps.staging import layout
from s2ps.staging.location import open_store

ROOT = Path(__file__).resolve().parents[2]
BACKENDS: dict[str, Callable[[], ExecutionBackend]] = {
    "local": lambda: make_backend(
        BackendSettings(kind="local", environment={"PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}"})
    )
}


@pytest.fixture(params=sorted(BACKENDS))
def backend(request: pytest.FixtureRequest) -> ExecutionBackend:
    return BACKENDS[request.param]()


@pytest.fixture
def bench(tmp_path: Path) -> Workbench:
    return Workbench(tmp_path)


def test_cluster_runs_in_the_order_of_its_data(backend: ExecutionBackend, bench: Workbench) -> None:
    jobs = (bench.job("join", "left", "right"), bench.job("left"), bench.job("right"))
    lines: list[str] = []
    result = backend.run(bench.request(*jobs), lines.append)
    assert result.state == "success"
    assert [(job.id, job.state, job.exit_code) for job in result.jobs] == [
        ("join", "done", 0),
        ("left", "done", 0),
        ("right", "done", 0),
    ]
    assert bench.runs()[-1] == "join"
    assert bench.output("join") == "TEXTS left.txt right.txt\njoin\n"
    assert len([line for line in lines if line.startswith("[")]) == 3
    assert lines[3].startswith("[3/3] WRITE band=join ")


def test_request_and_result_stay_in_the_staging(backend: ExecutionBackend, bench: Workbench) -> None:
    request = bench.request(bench.job("a"))
    result = backend.run(request)
    store = open_store(request.staging)
    assert store.exists(layout.request("run", "c1"))
    assert ClusterResult.model_validate_json(store.read(layout.result("run", "c1"))) == result
    (output,) = result.jobs[0].outputs
    assert store.checksum(f"{layout.job('dt', 'a')}/{output.path}") == output.sha256
    assert result.jobs[0].log == "runs/dt/logs/a.log"


def test_second_run_reuses_everything(backend: ExecutionBackend, bench: Workbench) -> None:
    request = bench.request(bench.job("a"), bench.job("b", "a"))
    first, second = backend.run(request), backend.run(request)
    assert [job.state for job in second.jobs] == ["reused", "reused"]
    assert [job.outputs for job in second.jobs] == [job.outputs for job in first.jobs]
    assert bench.runs() == ["a", "b"]


def test_failure_says_why_and_stops_only_what_depends_on_it(backend: ExecutionBackend, bench: Workbench) -> None:
    jobs = (
        bench.job("bad", EXIT="150", SAY="line 1|the reason is this"),
        bench.job("after", "bad"),
        bench.job("later", "after"),
        bench.job("other"),
    )
    result = backend.run(bench.request(*jobs))
    assert result.state == "failed"
    assert {job.id: job.state for job in result.jobs} == {
        "bad": "failed",
        "after": "not_run",
        "later": "not_run",
        "other": "done",
    }
    assert result.error is not None
    assert "exit code 150" in result.error
    assert "the reason is this" in result.error
    assert "it needs after" in (result.jobs[2].error or "") or "it needs bad" in (result.jobs[2].error or "")


def test_cancelled_cluster_is_interrupted(backend: ExecutionBackend, bench: Workbench) -> None:
    request = bench.request(bench.job("long", SLEEP="60"), bench.job("never", "long"))
    results: list[ClusterResult] = []
    thread = threading.Thread(target=lambda: results.append(backend.run(request)))
    begun = time.monotonic()
    thread.start()
    while not bench.runs() and time.monotonic() - begun < 20:
        time.sleep(0.02)
    backend.cancel()
    thread.join(30)
    assert time.monotonic() - begun < 30
    assert results[0].state == "interrupted"
    assert [job.state for job in results[0].jobs] == ["failed", "not_run"]
    assert "SIGTERM" in (results[0].error or "")


def test_several_clusters_at_once(backend: ExecutionBackend, bench: Workbench) -> None:
    requests = [bench.request(bench.job(name), cluster_id=name) for name in ("a", "b")]
    results: dict[str, ClusterResult] = {}

    def run(index: int) -> None:
        results[requests[index].cluster_id] = backend.run(requests[index])

    threads = [threading.Thread(target=run, args=(index,)) for index in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {name: result.state for name, result in results.items()} == {"a": "success", "b": "success"}
