"""A store that is away for a while: the runner waits, then says that it may be tried again, and nothing is lost."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from contract.clusters import Workbench
from contract.conftest import ObjectStore
from contract.object_store import SLOW_DOWN, Proxy

from s2ps.execution.result import ClusterResult
from s2ps.staging import layout
from s2ps.staging.location import open_store
from s2ps.staging.store import StagingStore

ROOT = Path(__file__).resolve().parents[2]
SOURCES = {"PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}"}
KEY = layout.request("run", "c1")


def prepared(object_store: ObjectStore, bench: Workbench, *names: str) -> StagingStore:
    """Put the request of a chain of jobs into the store, past the proxy."""
    jobs = [bench.job(name, *names[max(0, place - 1) : place], TEXT="x" * 1000) for place, name in enumerate(names)]
    store = open_store(str(object_store.location()))
    store.write(KEY, bench.request(*jobs).dump().encode())
    return store


def run(address: str, object_store: ObjectStore, patience_s: float) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "ipf_adapters.run", KEY, "--staging", str(object_store.location(address))]
    more = {**SOURCES, "S2PS_STAGING_PATIENCE_S": str(patience_s)}
    return subprocess.run(command, env={**os.environ, **more}, capture_output=True, text=True, check=False, timeout=180)


@pytest.mark.parametrize("where", ["at the start", "at the commit", "at the result"])
def test_a_store_that_stays_away_is_temporary_and_a_later_run_goes_on(
    where: str, object_store: ObjectStore, proxy: Proxy, tmp_path: Path
) -> None:
    bench = Workbench(tmp_path)
    store = prepared(object_store, bench, "a", "b")
    part = {"at the start": "", "at the commit": "/trees/", "at the result": "/results/"}[where]
    proxy.before = lambda method, path: (503, SLOW_DOWN) if part in path and (not part or method == "PUT") else None
    ended = run(proxy.address, object_store, 0)
    assert ended.returncode == 75, ended.stdout + ended.stderr
    assert "(HTTP 503" in ended.stdout + ended.stderr
    proxy.before = lambda _method, _path: None
    ended = run(proxy.address, object_store, 0)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    result = ClusterResult.model_validate_json(store.read(layout.result("run", "c1")))
    states = [job.state for job in result.jobs]
    assert states == (["reused", "reused"] if where == "at the result" else ["done", "done"])


def test_an_interruption_by_the_store_is_no_failure_of_a_job(
    object_store: ObjectStore, proxy: Proxy, tmp_path: Path
) -> None:
    bench = Workbench(tmp_path)
    store = prepared(object_store, bench, "a", "b")
    proxy.before = lambda method, path: (503, SLOW_DOWN) if method == "PUT" and "/trees/" in path else None
    assert run(proxy.address, object_store, 0).returncode == 75
    result = ClusterResult.model_validate_json(store.read(layout.result("run", "c1")))
    assert result.state == "interrupted"
    assert "SlowDown" in (result.error or "")


def test_a_wrong_bucket_is_not_temporary(object_store: ObjectStore, tmp_path: Path) -> None:
    location = object_store.location()
    command = [sys.executable, "-m", "ipf_adapters.run", KEY, "--staging", str(location).replace("staging-", "none-")]
    ended = subprocess.run(command, env={**os.environ, **SOURCES}, capture_output=True, text=True, check=False)
    assert ended.returncode == 2
    assert "NoSuchBucket" in ended.stderr


def test_a_run_survives_20_seconds_of_refusals_and_slow_answers(
    object_store: ObjectStore, proxy: Proxy, tmp_path: Path
) -> None:
    bench = Workbench(tmp_path)
    store = prepared(object_store, bench, "a", "b", "c")
    window: list[float] = []

    def misbehave(method: str, path: str) -> tuple[int, bytes] | None:
        """From the first upload of a tree on refuse everything for 20 s; then answer some requests late."""
        if method == "PUT" and "/trees/" in path and not window:
            window.append(time.monotonic() + 20)
        if window and time.monotonic() < window[0]:
            return 503, SLOW_DOWN
        if window and method == "PUT" and "/commits/" in path:
            time.sleep(2)
        return None

    proxy.before = misbehave
    began = time.monotonic()
    ended = run(proxy.address, object_store, 120)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert time.monotonic() - began > 20
    assert bench.runs() == ["a", "b", "c"], "every processor ran once"
    assert [key for key in store.children(layout.jobs("dt"))] == ["a", "b", "c"]
    assert store.read(f"{layout.output('dt', 'c', 'TEXTS')}/c.txt").endswith(b"x\n")
