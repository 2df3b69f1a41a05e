"""Outputs that only their own cluster reads stay on the machine, and jobs in several stores find each other."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from contract.clusters import Workbench

from ipf_adapters.run import main
from s2ps.execution.request import ClusterRequest, InputRequest, JobRequest, OutputRequest
from s2ps.execution.result import ClusterResult
from s2ps.staging.posix import PosixStore

pytestmark = pytest.mark.unit
HERE = (OutputRequest(type="TEXTS", scratch=True),)


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workbench:
    (tmp_path / "tmp").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    monkeypatch.setattr(tempfile, "tempdir", None)
    return Workbench(tmp_path)


def ran(bench: Workbench, request: ClusterRequest) -> ClusterResult:
    path = bench.folder / "request.json"
    path.write_text(request.dump())
    main([str(path), "--quiet"])
    return ClusterResult.load(bench.staging / f"runs/run/results/{request.cluster_id}.json")


def chain(bench: Workbench) -> tuple[JobRequest, ...]:
    """a and b stay here, c joins them, d leaves the cluster."""
    return (
        bench.job("a", outputs=HERE),
        bench.job("b", outputs=HERE),
        bench.job("c", "a", "b", outputs=HERE),
        bench.job("d", "c"),
    )


def jobs_in(staging: Path) -> tuple[str, ...]:
    return PosixStore(staging).children("runs/dt/jobs")


def test_only_what_leaves_the_cluster_is_in_the_staging(bench: Workbench) -> None:
    result = ran(bench, bench.request(*chain(bench)))
    assert [job.state for job in result.jobs] == ["done"] * 4, result.error
    assert jobs_in(bench.staging) == ("d",)
    assert bench.output("d") == "TEXTS c.txt\nd\n"
    assert result.jobs[0].outputs[0].path == "TEXTS/a.txt"
    assert list((bench.folder / "tmp").iterdir()) == [], "scratch goes with the cluster"
    assert not list(bench.staging.rglob("*.partial-*"))
    assert not (bench.staging / "runs/dt/fused").exists()


def test_finished_clusters_run_nothing_again(bench: Workbench) -> None:
    ran(bench, bench.request(*chain(bench)))
    before = bench.runs()
    result = ran(bench, bench.request(*chain(bench)))
    assert [job.state for job in result.jobs] == ["reused"] * 4
    assert bench.runs() == before


def test_after_a_loss_only_what_somebody_needs_is_made_again(bench: Workbench) -> None:
    """a feeds the exported d1, b feeds the exported d2; d2 is lost with its cluster."""
    jobs = (bench.job("a", outputs=HERE), bench.job("b", outputs=HERE), bench.job("d1", "a"), bench.job("d2", "b"))
    ran(bench, bench.request(*jobs))
    PosixStore(bench.staging).delete("runs/dt/jobs/d2")
    before = len(bench.runs())
    result = ran(bench, bench.request(*jobs))
    assert [job.state for job in result.jobs] == ["reused", "done", "reused", "done"]
    assert sorted(bench.runs()[before:]) == ["b", "d2"]


def test_a_finished_job_runs_again_when_its_scratch_is_needed(bench: Workbench) -> None:
    both = (OutputRequest(type="TEXTS", scratch=True), OutputRequest(type="VECTOR"))
    jobs = (bench.job("a", outputs=both), bench.job("d", "a"))
    ran(bench, bench.request(*jobs))
    store = PosixStore(bench.staging)
    assert store.children("runs/dt/jobs/a") == ("JobOrder.xml", "VECTOR", "job.json")
    store.delete("runs/dt/jobs/d")
    before = len(bench.runs())
    result = ran(bench, bench.request(*jobs))
    assert result.state == "success", result.error
    assert bench.runs()[before:] == ["a", "d"]
    assert store.children("runs/dt/jobs") == ("a", "d")


def test_a_type_that_was_scratch_and_is_wanted_now_is_made_again(bench: Workbench) -> None:
    ran(bench, bench.request(*chain(bench)))
    wanted = [job.model_copy(update={"outputs": (OutputRequest(type="TEXTS"),)}) for job in chain(bench)]
    result = ran(bench, bench.request(*wanted))
    assert [job.state for job in result.jobs] == ["done", "done", "done", "reused"]
    assert jobs_in(bench.staging) == ("a", "b", "c", "d")


def test_a_failed_job_hands_over_its_scratch(bench: Workbench) -> None:
    result = ran(bench, bench.request(bench.job("a", outputs=HERE, EXIT="133"), bench.job("d", "a")))
    assert result.state == "failed"
    assert (bench.staging / "runs/dt/failed/a/TEXTS/a.txt").read_text() == "a\n"


def test_consumers_find_producers_in_other_stores(bench: Workbench) -> None:
    other = (bench.folder / "other").as_uri()
    first = ran(bench, bench.request(bench.job("a"), cluster_id="c1", store=other))
    second = ran(bench, bench.request(bench.job("b"), cluster_id="c2"))
    inputs = (InputRequest(type="TEXTS", jobs=("a",), store=other), InputRequest(type="TEXTS", jobs=("b",)))
    third = ran(bench, bench.request(bench.job("c", inputs=inputs), cluster_id="c3"))
    assert [result.state for result in (first, second, third)] == ["success"] * 3, third.error
    assert jobs_in(bench.folder / "other") == ("a",)
    assert jobs_in(bench.staging) == ("b", "c")
    assert bench.output("c") == "TEXTS a.txt b.txt\nc\n"
    assert (bench.staging / "runs/dt/logs/a.log").is_file()
    assert not (bench.folder / "other" / "runs/dt/logs").exists()
