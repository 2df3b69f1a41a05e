"""A cluster of real processes whose staging lies in a real S3 store."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from contract.clusters import Workbench
from contract.conftest import ObjectStore
from contract.object_store import names

from s2ps.execution.local import LocalBackend
from s2ps.execution.request import AuxiliaryRequest, ClusterRequest, InputRequest, OutputRequest
from s2ps.execution.result import ClusterResult
from s2ps.staging import layout
from s2ps.staging.location import open_store

ROOT = Path(__file__).resolve().parents[2]
SOURCES = {"PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}"}


@pytest.fixture
def uri(object_store: ObjectStore) -> str:
    return str(object_store.location())


def _on(uri: str, request: ClusterRequest) -> ClusterRequest:
    return request.model_copy(update={"staging": uri})


def test_cluster_runs_on_s3_and_runs_again_only_what_is_missing(
    object_store: ObjectStore, uri: str, tmp_path: Path
) -> None:
    bench = Workbench(tmp_path)
    store = open_store(uri)
    (tmp_path / "gipp").write_text("coefficients")
    store.put(tmp_path / "gipp", "auxiliary/gipp.xml")
    auxiliary = (AuxiliaryRequest(type="GIP_VIEDIR", paths=("auxiliary/gipp.xml",)),)
    first = (bench.job("left"), bench.job("right", auxiliary=auxiliary))
    assert LocalBackend(environment=SOURCES).run(_on(uri, bench.request(*first))).state == "success"
    second = _on(uri, bench.request(*first, bench.job("join", "left", "right"), cluster_id="c2"))
    lines: list[str] = []
    result = LocalBackend(environment=SOURCES).run(second, lines.append)
    assert result.state == "success", lines
    assert [job.state for job in result.jobs] == ["reused", "reused", "done"]
    assert sorted(bench.runs()) == ["join", "left", "right"]
    assert store.read(f"{layout.output('dt', 'right', 'TEXTS')}/right.txt") == b"GIP_VIEDIR coefficients\nright\n"
    assert store.read(f"{layout.output('dt', 'join', 'TEXTS')}/join.txt") == b"TEXTS left.txt right.txt\njoin\n"
    assert b"job order" in store.read(layout.log("dt", "join"))
    assert result.jobs[2].log == "runs/dt/logs/join.log"
    copies = [path for path in (tmp_path / "cache").iterdir() if path.is_dir()]
    assert copies == [store.open_local("auxiliary/gipp.xml").parents[1]]
    for name in names(object_store.client, object_store.bucket):
        body = object_store.client.get_object(Bucket=object_store.bucket, Key=name)["Body"].read()
        assert object_store.secret.encode() not in body


def test_failed_job_leaves_its_log_and_order_and_nothing_committed(uri: str, tmp_path: Path) -> None:
    bench = Workbench(tmp_path)
    request = _on(uri, bench.request(bench.job("bad", EXIT="150", SAY="the reason is this"), bench.job("b", "bad")))
    result = LocalBackend(environment=SOURCES).run(request)
    assert (result.state, [job.state for job in result.jobs]) == ("failed", ["failed", "not_run"])
    assert "the reason is this" in (result.error or "")
    store = open_store(uri)
    assert b"the reason is this" in store.read(layout.log("dt", "bad"))
    assert store.exists(layout.failed_order("dt", "bad"))
    assert not store.exists(layout.jobs("dt"))


def test_request_may_be_a_key_of_the_staging(uri: str, tmp_path: Path) -> None:
    bench = Workbench(tmp_path)
    missing = bench.job("late", inputs=(InputRequest(type="TEXTS", jobs=("never",)),))
    for cluster, job, code in (("good", bench.job("a"), 0), ("bad", missing, 1)):
        request = bench.request(job, cluster_id=cluster)
        key = layout.request(request.run_id, cluster)
        store = open_store(uri)
        store.write(key, request.dump().encode())
        command = [sys.executable, "-m", "ipf_adapters.run", key, "--staging", uri]
        ended = subprocess.run(command, env={**os.environ, **SOURCES}, capture_output=True, text=True, check=False)
        assert ended.returncode == code, ended.stdout + ended.stderr
        result = ClusterResult.model_validate_json(store.read(layout.result(request.run_id, cluster)))
        assert result.state == ("success" if code == 0 else "failed")
    assert "runs/dt/jobs/never is not a finished job" in (result.error or "")
    command[3] = "runs/run/requests/none.json"
    ended = subprocess.run(command, env={**os.environ, **SOURCES}, capture_output=True, text=True, check=False)
    assert ended.returncode == 2
    assert "none.json is not in the staging s3://" in ended.stderr


def test_local_copies_go_with_the_last_job_that_reads_them(uri: str, tmp_path: Path) -> None:
    """The second job of a chain sees the outputs of the first one here, the third one does not."""
    bench = Workbench(tmp_path)
    script = tmp_path / "look.bash"
    script.write_text(
        '#!/bin/bash\nfolder=$(dirname "$1")\n'
        'find "$(dirname "$folder")" -name "*.txt" -printf "%f\\n" > "$folder/TEXTS/$S2PS_JOB_ID.txt"\n'
    )
    script.chmod(0o755)
    jobs = [bench.job("a"), bench.job("b", "a", executable=str(script)), bench.job("c", "b", executable=str(script))]
    result = LocalBackend(environment=SOURCES).run(_on(uri, bench.request(*jobs)))
    assert result.state == "success", result.error
    store = open_store(uri)
    seen = {name: store.read(f"{layout.output('dt', name, 'TEXTS')}/{name}.txt").decode().split() for name in "bc"}
    assert "a.txt" in seen["b"]
    assert "a.txt" not in seen["c"]
    assert "b.txt" in seen["c"]


def test_a_cluster_reads_from_several_stores(object_store: ObjectStore, uri: str, tmp_path: Path) -> None:
    """The staging is a folder; one producer has its outputs in S3, the others are joined with them."""
    bench = Workbench(tmp_path)
    backend = LocalBackend(environment=SOURCES)
    assert backend.run(bench.request(bench.job("far"), cluster_id="c1", store=uri)).state == "success"
    assert backend.run(bench.request(bench.job("near"), cluster_id="c2")).state == "success"
    inputs = (InputRequest(type="TEXTS", jobs=("far",), store=uri), InputRequest(type="TEXTS", jobs=("near",)))
    here = bench.job("here", outputs=(OutputRequest(type="TEXTS", scratch=True),))
    last = bench.job("last", inputs=(*inputs, InputRequest(type="TEXTS", jobs=("here",))))
    result = backend.run(bench.request(here, last, cluster_id="c3"))
    assert result.state == "success", result.error
    assert bench.output("last") == "TEXTS far.txt here.txt near.txt\nlast\n"
    assert open_store(uri).children(layout.jobs("dt")) == ("far",)
    assert open_store(bench.staging).children(layout.jobs("dt")) == ("last", "near")
    text = (bench.staging / layout.request("run", "c3")).read_text()
    assert uri in text
    assert object_store.secret not in text
