"""The command `python -m ipf_adapters.run`."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from contract.clusters import Workbench

from ipf_adapters.run import main
from s2ps.execution.request import ClusterRequest
from s2ps.execution.result import ClusterResult

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(autouse=True)
def _signals_as_before() -> object:
    kept = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield
    for number, action in kept.items():
        signal.signal(number, action)


@pytest.fixture
def bench(tmp_path: Path) -> Workbench:
    return Workbench(tmp_path)


def write(tmp_path: Path, request: ClusterRequest) -> str:
    path = tmp_path / "request.json"
    path.write_text(request.dump())
    return str(path)


def test_success_is_zero_with_a_line_per_job(
    bench: Workbench, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([write(tmp_path, bench.request(bench.job("a"), bench.job("b", "a")))]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "cluster c1: 2 jobs, up to 2 at a time"
    assert lines[1].startswith("[1/2] WRITE band=a ")
    assert lines[1].endswith(" MB")
    assert lines[3].startswith("cluster c1: success: 2 done, 0 reused, 0 failed, 0 not run in ")


def test_failure_is_one_and_the_reason_is_printed(
    bench: Workbench, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    request = bench.request(bench.job("a", EXIT="150", SAY="packet 17 is cut"), bench.job("b", "a"))
    assert main([write(tmp_path, request)]) == 1
    out = capsys.readouterr().out
    assert "[1/2] WRITE band=a FAILED: WRITE band=a ended with exit code 150" in out
    assert "[2/2] WRITE band=b NOT RUN: not started: it needs a, which failed" in out
    assert "packet 17 is cut" in out


def test_quiet_prints_only_reasons(bench: Workbench, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([write(tmp_path, bench.request(bench.job("a"))), "--quiet"]) == 0
    assert capsys.readouterr() == ("", "")
    assert main([write(tmp_path, bench.request(bench.job("b", EXIT="9"))), "--quiet"]) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "exit code 9" in printed.err


def test_staging_of_the_request_can_be_replaced(bench: Workbench, tmp_path: Path) -> None:
    other = tmp_path / "mounted here"
    assert main([write(tmp_path, bench.request(bench.job("a"))), "--staging", str(other), "--quiet"]) == 0
    assert ClusterResult.load(other / "runs/run/results/c1.json").state == "success"
    assert not bench.staging.exists()


@pytest.mark.parametrize("content", ["", "{", '{"schema_version": 2}', None])
def test_unusable_request_is_two(tmp_path: Path, capsys: pytest.CaptureFixture[str], content: str | None) -> None:
    path = tmp_path / "request.json"
    if content is not None:
        path.write_text(content)
    assert main([str(path)]) == 2
    assert str(path) in capsys.readouterr().err


def test_sigterm_kills_the_processors_and_leaves_a_result(bench: Workbench, tmp_path: Path) -> None:
    child = tmp_path / "grandchild.pid"
    path = write(tmp_path, bench.request(bench.job("a", CHILD=str(child), SLEEP="60")))
    runner = subprocess.Popen(
        [sys.executable, "-m", "ipf_adapters.run", path],
        env={"PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"},
        stdout=subprocess.DEVNULL,
    )
    begun = time.monotonic()
    while not child.exists() and time.monotonic() - begun < 20:
        time.sleep(0.02)
    runner.terminate()
    assert runner.wait(20) == 143
    result = ClusterResult.load(bench.staging / "runs/run/results/c1.json")
    assert result.state == "interrupted"
    time.sleep(0.1)
    stat = Path(f"/proc/{child.read_text()}/stat")
    assert not stat.exists() or stat.read_text().rsplit(")", 1)[1].split()[0] == "Z"
