"""Requests and results as documents."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from s2ps.execution.request import AuxiliaryRequest, ClusterRequest, InputRequest, JobRequest, OutputRequest, job_key
from s2ps.execution.result import ClusterResult, JobRecord, JobResult, RecordedFile


def _job(**changes: Any) -> JobRequest:
    given = {
        "id": "DECOMP.1",
        "phase": "L1A",
        "task": "DECOMP",
        "processor": "DECOMP",
        "version": "06.01.00",
        "executable": "/opt/DECOMP.bash",
        "timeout_s": 60,
        "data_id": "band=B03",
        "parameters": {"FAKE_MODE": "false"},
        "inputs": (InputRequest(type="PDI_DS", jobs=("UPDATE_LOC",)),),
        "outputs": (OutputRequest(type="PDI_ATF_LIST"),),
    }
    return JobRequest(**{**given, **changes})


def _request(*jobs: JobRequest) -> ClusterRequest:
    return ClusterRequest(
        datatake="dt", run_id="r", plan_hash="h", cluster_id="c", node="n", staging="/staging", jobs=jobs
    )


def test_request_survives_its_json_form(tmp_path: Path) -> None:
    request = _request(_job())
    (tmp_path / "r.json").write_text(request.dump())
    assert ClusterRequest.load(tmp_path / "r.json") == request


def test_result_survives_its_json_form(tmp_path: Path) -> None:
    result = ClusterResult(
        cluster_id="c",
        state="failed",
        jobs=(JobResult(id="a", state="done"), JobResult(id="b", state="failed"), JobResult(id="c", state="not_run")),
    )
    (tmp_path / "r.json").write_text(result.dump())
    assert ClusterResult.load(tmp_path / "r.json") == result
    assert [job.id for job in result.failed_jobs] == ["b"]
    assert [job.ok for job in result.jobs] == [True, False, False]


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"id": "../x"}, "id"),
        ({"id": ".x"}, "id"),
        ({"surprise": 1}, "surprise"),
        ({"timeout_s": 0}, "timeout_s"),
        ({"exit_policy": "any"}, "exit_policy"),
        ({"outputs": ({"type": "../x"},)}, "type"),
        ({"inputs": ({"type": "A"},)}, "either jobs or paths"),
        ({"inputs": ({"type": "A", "jobs": ("x",), "paths": ("y",)},)}, "either jobs or paths"),
    ],
)
def test_wrong_fields_are_named(changes: dict[str, Any], named: str) -> None:
    with pytest.raises(ValidationError, match=named):
        _job(**changes)


def test_job_listed_twice_is_refused() -> None:
    with pytest.raises(ValidationError, match=r"DECOMP\.1 is listed twice"):
        _request(_job(), _job())


def test_key_changes_with_content_and_with_producers_only() -> None:
    key = job_key(_job(), {"UPDATE_LOC": "k1"})
    assert key == job_key(_job(timeout_s=99, environment={"A": "b"}, executable="/x"), {"UPDATE_LOC": "k1"})
    others = {
        job_key(_job(), {"UPDATE_LOC": "k2"}),
        job_key(_job(parameters={"FAKE_MODE": "true"}), {"UPDATE_LOC": "k1"}),
        job_key(_job(version="06.01.01"), {"UPDATE_LOC": "k1"}),
        job_key(_job(data_id="band=B04"), {"UPDATE_LOC": "k1"}),
    }
    assert len(others | {key}) == 5


def test_key_depends_on_the_name_of_a_path_and_not_on_its_place() -> None:
    def key(folder: str, name: str) -> str:
        read = InputRequest(type="WORKSPACE", paths=(f"{folder}/WORKSPACE",))
        chosen = AuxiliaryRequest(type="GIP_VIEDIR", paths=(f"{folder}/{name}",))
        return job_key(_job(inputs=(read,), auxiliary=(chosen,)), {})

    assert key("/here", "a.xml") == key("/there", "a.xml")
    assert key("/here", "a.xml") != key("/here", "b.xml")


def test_files_of_a_type_are_not_those_of_a_longer_name() -> None:
    files = [RecordedFile(path=path, size=1, sha256="0", mtime_ns=0) for path in ("PDI_DS/a", "PDI_DS_GR_LIST/b")]
    record = JobRecord(id="a", key="k", task="t", processor="p", version="1", outputs=tuple(files))
    assert [entry.path for entry in record.files_of("PDI_DS")] == ["PDI_DS/a"]
