"""Clusters run in this process by the runner: inputs, outputs, exit codes, reuse."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest
from contract.clusters import Workbench

from ipf_adapters.runner.cluster import run_cluster
from ipf_adapters.runner.outputs import VerifyMode
from ipf_adapters.runner.stop import Stop
from s2ps.execution.local import LocalBackend
from s2ps.execution.request import ClusterRequest, InputRequest, OutputRequest
from s2ps.execution.result import ClusterResult, JobResult
from s2ps.formats.job_order import read_job_order
from s2ps.staging.location import open_store

TEXTS = OutputRequest(type="TEXTS")


@pytest.fixture
def bench(tmp_path: Path) -> Workbench:
    return Workbench(tmp_path)


def run(request: ClusterRequest, verify: VerifyMode = "quick") -> ClusterResult:
    return run_cluster(request, open_store(request.staging), stop=Stop(), write=lambda _line: None, verify=verify)


def run_one(bench: Workbench, **do: str) -> JobResult:
    return run(bench.request(bench.job("a", **do))).jobs[0]


@pytest.mark.parametrize(
    ("policy", "code", "state", "warning"),
    [
        ("idp_sc", 0, "done", False),
        ("idp_sc", 1, "done", True),
        ("idp_sc", 127, "done", True),
        ("idp_sc", 128, "failed", False),
        ("idp_sc", 255, "failed", False),
        ("strict", 0, "done", False),
        ("strict", 1, "failed", False),
    ],
)
def test_exit_codes_follow_the_policy(bench: Workbench, policy: str, code: int, state: str, warning: bool) -> None:
    result = run_one(bench, exit_policy=policy, EXIT=str(code))
    assert (result.state, result.exit_code, result.warning) == (state, code, warning)


def test_warning_is_still_known_when_the_job_is_reused(bench: Workbench) -> None:
    assert run_one(bench, exit_policy="idp_sc", EXIT="3").warning
    again = run_one(bench, exit_policy="idp_sc", EXIT="3")
    assert (again.state, again.warning) == ("reused", True)


def test_a_result_tells_whose_it_is_and_how_its_jobs_ended(bench: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("S2PS_ATTEMPT", "8c1f")
    request = bench.request(bench.job("a", EXIT="137"), bench.job("b", timeout_s="0.3", SLEEP="20"))
    result = run(request)
    assert result.attempt == ClusterResult.model_validate_json(result.dump()).attempt == "8c1f"
    assert [job.ending for job in result.jobs] == ["exit", "timeout"]


def test_signal_is_a_failure_for_every_policy(bench: Workbench) -> None:
    result = run_one(bench, exit_policy="idp_sc", SIGNAL="11")
    assert (result.state, result.exit_code) == ("failed", 139)
    assert "SIGSEGV" in (result.error or "")


def test_missing_and_empty_mandatory_outputs_are_named(bench: Workbench) -> None:
    outputs = (TEXTS, OutputRequest(type="FRAME", kind="Physical"), OutputRequest(type="EXTRA", mandatory=False))
    job = bench.job("a", outputs=outputs, OMIT="TEXTS,FRAME,EXTRA", exit_policy="idp_sc", EXIT="1")
    result = run(bench.request(job)).jobs[0]
    assert result.state == "failed"
    assert "TEXTS is empty, FRAME is missing" in (result.error or "")
    assert "EXTRA" not in (result.error or "")


def test_physical_files_and_auxiliary_files_reach_the_job(bench: Workbench) -> None:
    frame = OutputRequest(type="FRAME", kind="Physical")
    jobs = (
        bench.job("one", outputs=(frame,), TEXT="frame one"),
        bench.job(
            "two",
            inputs=(InputRequest(type="FRAME_FILE", source_type="FRAME", kind="Physical", jobs=("one",)),),
            auxiliary=(bench.auxiliary("viedir_B01.xml", "viewing directions"),),
        ),
    )
    assert run(bench.request(*jobs)).state == "success"
    assert bench.output("two") == "FRAME_FILE frame one\nGIP_VIEDIR viewing directions\ntwo\n"
    assert (bench.staging / "runs/dt/jobs/one/FRAME/frame.xml").read_text() == "frame one\n"


def test_inputs_may_be_keys_of_the_staging_and_jobs_of_another_run(bench: Workbench) -> None:
    assert run(bench.request(bench.job("early"))).state == "success"
    later = bench.job(
        "later",
        inputs=(
            InputRequest(type="A", source_type="TEXTS", run="dt", jobs=("early",)),
            InputRequest(type="B", kind="Physical", paths=("runs/dt/jobs/early/TEXTS/early.txt",)),
        ),
    )
    request = bench.request(later).model_copy(update={"datatake": "other"})
    assert run(request).state == "success"
    assert (bench.staging / "runs/other/jobs/later/TEXTS/later.txt").read_text() == "A early.txt\nB early\nlater\n"


def test_entries_of_one_type_become_one_input(bench: Workbench) -> None:
    assert run(bench.request(bench.job("early"))).state == "success"
    entries = (
        InputRequest(type="TEXTS", run="dt", jobs=("early",)),
        InputRequest(type="TEXTS", jobs=("mine",)),
    )
    request = bench.request(bench.job("mine"), bench.job("join", inputs=entries))
    assert run(request.model_copy(update={"datatake": "other"})).state == "success"
    assert (bench.staging / "runs/other/jobs/join/TEXTS/join.txt").read_text() == "TEXTS early.txt mine.txt\njoin\n"


def test_missing_producer_is_named(bench: Workbench) -> None:
    result = run(bench.request(bench.job("a", "elsewhere")))
    assert result.state == "failed"
    assert "input TEXTS of a: runs/dt/jobs/elsewhere is not a finished job" in (result.error or "")
    assert bench.runs() == []


def test_input_nobody_makes_is_refused(bench: Workbench) -> None:
    job = bench.job("b", inputs=(InputRequest(type="MASKS", jobs=("a",)),))
    result = run(bench.request(bench.job("a"), job))
    assert "job a does not make MASKS" in (result.error or "")


def test_optional_output_that_was_not_written_is_left_out_downstream(bench: Workbench) -> None:
    jobs = (
        bench.job("a", outputs=(OutputRequest(type="TEXTS", mandatory=False),), OMIT="TEXTS"),
        bench.job("b", "a"),
    )
    assert run(bench.request(*jobs)).state == "success"
    assert bench.output("b") == "b\n"


def test_same_name_from_two_producers_names_both(bench: Workbench) -> None:
    jobs = (bench.job("a", FILE="x.txt"), bench.job("b", FILE="x.txt"), bench.job("c", "a", "b"))
    result = run(bench.request(*jobs))
    assert "TEXTS/x.txt is written by job a and by job b" in (result.error or "")


def test_same_name_with_the_same_content_fuses(bench: Workbench) -> None:
    jobs = (
        bench.job("a", FILE="sub/x.txt", TEXT="same"),
        bench.job("b", FILE="sub/x.txt", TEXT="same"),
        bench.job("c", "a", "b"),
    )
    assert run(bench.request(*jobs)).state == "success"
    assert bench.output("c") == "TEXTS x.txt\nc\n"


def test_fused_directory_is_made_once_and_survives_a_move(bench: Workbench, tmp_path: Path) -> None:
    jobs = (bench.job("a"), bench.job("b"), bench.job("c", "a", "b"), bench.job("d", "a", "b"))
    assert run(bench.request(*jobs)).state == "success"
    (fused,) = (bench.staging / "runs/dt/fused").iterdir()
    moved = tmp_path / "moved"
    bench.staging.rename(moved)
    assert (moved / fused.relative_to(bench.staging) / "a.txt").read_text() == "a\n"


@pytest.mark.parametrize("verify", ["quick", "full"])
@pytest.mark.parametrize("damage", ["cut", "changed", "gone", "no record"])
def test_damaged_job_is_run_again_and_intact_ones_are_not(bench: Workbench, verify: VerifyMode, damage: str) -> None:
    request = bench.request(bench.job("a"), bench.job("b"), bench.job("c", "a", "b"))
    assert run(request).state == "success"
    folder = bench.staging / "runs/dt/jobs/a"
    text = folder / "TEXTS/a.txt"
    before = text.stat()
    if damage == "cut":
        text.write_text("")
    elif damage == "changed":
        text.write_text("b\n")
        os.utime(text, ns=(before.st_atime_ns, before.st_mtime_ns))
    elif damage == "gone":
        text.unlink()
    else:
        (folder / "job.json").write_text("{")
    states = {job.id: job.state for job in run(request, verify).jobs}
    assert states == {"a": "done", "b": "reused", "c": "reused"}
    assert text.read_text() == "a\n"


def test_another_key_runs_the_job_again(bench: Workbench) -> None:
    assert run_one(bench, key="one", TEXT="old").state == "done"
    assert run_one(bench, key="two", TEXT="new").state == "done"
    assert bench.output("a") == "new\n"
    assert run_one(bench, key="", TEXT="newest").state == "done"
    assert bench.output("a") == "newest\n"


def test_failed_job_leaves_its_log_and_no_folder(bench: Workbench) -> None:
    result = run_one(bench, EXIT="200", SAY="what went wrong")
    assert not (bench.staging / "runs/dt/jobs/a").exists()
    assert list((bench.staging / "runs/dt/jobs").iterdir()) == []
    assert "what went wrong" in (bench.staging / str(result.log)).read_text()
    assert read_job_order(bench.staging / "runs/dt/logs/a.JobOrder.xml").parameters["EXIT"] == "200"


def test_missing_executable_is_named(bench: Workbench) -> None:
    result = run_one(bench, executable="/no/such/WRITE.bash")
    assert result.state == "failed"
    assert "/no/such/WRITE.bash cannot be started: No such file" in (result.error or "")


def test_measures_are_those_of_the_process(bench: Workbench) -> None:
    """A started process is measured from its fork on, so the runner must be a small process, as in real life."""
    (result,) = LocalBackend().run(bench.request(bench.job("a", MEGABYTES="150", SLEEP="0.3"))).jobs
    assert 0.3 <= result.seconds < 10
    assert 150e6 < result.peak_rss_bytes < 400e6
    assert 0 < result.cpu_seconds < 5
    assert result.started is not None
    assert result.finished is not None
    assert result.started < result.finished


def test_job_order_says_what_was_requested(bench: Workbench) -> None:
    jobs = (bench.job("a"), bench.job("b", "a", PARALLEL_BAND_IDENT="B02"))
    request = bench.request(*jobs, acquisition_station="SGS_")
    assert run(request).state == "success"
    order = read_job_order(bench.staging / "runs/dt/jobs/b/JobOrder.xml")
    assert (order.chain, order.task, order.version) == ("L1", "WRITE", "01.00.00")
    assert order.acquisition_station == "SGS_"
    assert order.parameters["PARALLEL_BAND_IDENT"] == "B02"
    assert [(entry.type, entry.kind) for entry in order.inputs] == [("TEXTS", "Directory"), ("WORKING", "Directory")]
    assert order.inputs[0].paths == ((bench.staging / "runs/dt/jobs/a/TEXTS").resolve(),)
    assert not (bench.staging / "runs/dt/jobs/b/WORKING").exists()


def test_two_runners_at_once_do_the_work_without_harm(bench: Workbench) -> None:
    request = bench.request(bench.job("a", SLEEP="0.4"), bench.job("b", "a"))
    results: list[ClusterResult] = []
    threads = [threading.Thread(target=lambda: results.append(run(request))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [result.state for result in results] == ["success", "success"]
    states = sorted(result.jobs[0].state for result in results)
    assert states == ["done", "reused"]
    assert bench.runs().count("a") == 2
    assert sorted(path.name for path in (bench.staging / "runs/dt/jobs").iterdir()) == ["a", "b"]
    assert [job.state for job in run(request, "full").jobs] == ["reused", "reused"]


def test_staging_that_is_full_ends_in_a_result(bench: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_folder: Path, _record: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("ipf_adapters.runner.job.write_record", full)
    result = run(bench.request(bench.job("a"), bench.job("b", "a")))
    assert [job.state for job in result.jobs] == ["failed", "not_run"]
    assert "No space left" in (result.error or "")
    assert list((bench.staging / "runs/dt/jobs").iterdir()) == []
