"""What is left of a failed job, and what a full disk looks like."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from contract.clusters import Workbench

from ipf_adapters.run import main
from s2ps.execution.request import JobRequest
from s2ps.execution.result import ClusterResult
from s2ps.staging.posix import PosixStore

pytestmark = pytest.mark.unit
SCRIPT = """#!/bin/bash
set -u
folder=$(dirname "$1")
{body}
"""


@pytest.fixture
def bench(tmp_path: Path) -> Workbench:
    return Workbench(tmp_path)


def scripted(bench: Workbench, name: str, body: str, **more: object) -> JobRequest:
    """Return a job whose processor is a shell script; it writes into its work folder."""
    path = bench.folder / f"{name}.bash"
    path.write_text(SCRIPT.format(body=body))
    path.chmod(0o755)
    return bench.job(name, executable=str(path)).model_copy(update=more)


def ran(bench: Workbench, *jobs: JobRequest) -> tuple[int, ClusterResult]:
    path = bench.folder / "request.json"
    path.write_text(bench.request(*jobs).dump())
    code = main([str(path), "--quiet"])
    return code, ClusterResult.load(bench.staging / "runs/run/results/c1.json")


WRITES = (
    'echo half > "$folder/TEXTS/half.txt"; echo scratch > WORKING.tmp; ln -s /nowhere "$folder/TEXTS/link"; exit 133'
)


def test_the_work_folder_of_a_failed_job_is_kept_and_named(bench: Workbench) -> None:
    code, result = ran(bench, scripted(bench, "a", WRITES))
    assert code == 1
    assert "its work folder is kept in the staging: runs/dt/failed/a" in (result.error or "")
    folder = bench.staging / "runs/dt/failed/a"
    assert (folder / "TEXTS/half.txt").read_text() == "half\n"
    assert (folder / "WORKING/WORKING.tmp").is_file()
    assert (folder / "JobOrder.xml").is_file()
    assert not list(bench.staging.rglob("*.partial-*"))


def test_the_next_attempt_takes_its_place_and_success_removes_it(bench: Workbench) -> None:
    ran(bench, scripted(bench, "a", WRITES))
    ran(bench, scripted(bench, "a", 'echo other > "$folder/TEXTS/other.txt"; exit 133'))
    folder = bench.staging / "runs/dt/failed/a"
    assert [path.name for path in (folder / "TEXTS").iterdir()] == ["other.txt"]
    code, _ = ran(bench, scripted(bench, "a", 'echo whole > "$folder/TEXTS/a.txt"'))
    assert code == 0
    assert PosixStore(bench.staging).children("runs/dt/failed") == ()


def test_no_more_is_kept_than_the_bound(bench: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("S2PS_KEEP_FAILED_MB", "1")
    ran(bench, scripted(bench, "a", 'head -c 2000000 /dev/zero > "$folder/TEXTS/big"; echo small > small; exit 255'))
    folder = bench.staging / "runs/dt/failed/a"
    assert (folder / "NOT_KEPT.txt").read_text() == "TEXTS/big 2000000 bytes\n"
    assert (folder / "WORKING/small").is_file()
    assert not (folder / "TEXTS/big").exists()


def test_nothing_is_kept_when_the_bound_is_zero(bench: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("S2PS_KEEP_FAILED_MB", "0")
    _, result = ran(bench, scripted(bench, "a", WRITES))
    assert "is not kept: S2PS_KEEP_FAILED_MB is 0" in (result.error or "")
    assert not (bench.staging / "runs/dt/failed").exists()
    monkeypatch.setenv("S2PS_KEEP_FAILED_MB", "many")
    assert "S2PS_KEEP_FAILED_MB='many' is no number" in (ran(bench, scripted(bench, "a", WRITES))[1].error or "")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 4 MB."""
    place = tmp_path / "staging"
    place.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(place)], check=False)
    if mounted.returncode != 0:
        pytest.skip("this place does not allow mounts")
    yield place
    subprocess.run(["umount", str(place)], check=True)


def full(place: Path, error: str) -> None:
    assert f"the disk of {place} is full (No space left on device): " in error
    assert " of 4 MB are free; expected: room for the inputs, outputs and temporary files of a whole cluster" in error
    assert "next: make room there, or raise disk_gb of the cluster in the strategy" in error


@pytest.mark.skipif(os.getuid() != 0, reason="only root can mount")
def test_a_processor_that_fills_the_disk_may_be_tried_again_elsewhere(bench: Workbench, small_disk: Path) -> None:
    body = 'cat /dev/zero > "$folder/TEXTS/big" || exit 255'
    code, result = ran(bench, scripted(bench, "a", body), bench.job("b"))
    assert code == 75
    assert result.state == "interrupted"
    full(small_disk, result.error or "")
    assert not (small_disk / "runs/dt/failed").exists()


@pytest.mark.skipif(os.getuid() != 0, reason="only root can mount")
def test_a_disk_that_was_full_before_is_named_too(
    bench: Workbench, small_disk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (small_disk / "other").write_bytes(b"x" * 3_900_000)
    path = bench.folder / "request.json"
    path.write_text(bench.request(bench.job("a", TEXT="x" * 600_000)).dump())
    assert main([str(path), "--quiet"]) == 75
    full(small_disk, capsys.readouterr().err)


def test_a_processor_that_fails_for_another_reason_is_no_full_disk(bench: Workbench) -> None:
    code, result = ran(bench, scripted(bench, "a", "echo disk is fine; exit 255"))
    assert (code, result.state) == (1, "failed")
