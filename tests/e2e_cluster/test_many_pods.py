"""Two hundred small pods through the triggerer: none is lost, none is made twice, none is left behind."""

from __future__ import annotations

import json
import os
import time
from collections import Counter
from pathlib import Path

import pytest
from e2e_cluster import tiny
from e2e_cluster.conftest import MakeService

from s2ps.staging.location import open_store

PODS = int(os.environ.get("S2PS_E2E_PODS", "200"))
LIMIT = 1800.0


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.project(tmp_path_factory.mktemp("project") / "p", clusters=PODS)


def test_no_pod_is_lost(make_service: MakeService, project: Path, workspace: Path) -> None:
    service = make_service(
        project=project,
        S2PS_STRATEGIES=str(tiny.strategies(workspace / "strategies")),
        S2PS_POD_DEFERRABLE="true",
        S2PS_POD_START_LIMIT_S="1500",
        S2PS_POD_CPU_REQUEST_SHARE="0.015",
    )
    began = time.monotonic()
    run_id = service.client.trigger("tiny", {})
    most = 0

    def look(_: object) -> None:
        nonlocal most
        most = max(most, len(service.pods()))

    state = service.client.wait("tiny", run_id, LIMIT, look, pause=10)
    seconds = time.monotonic() - began
    assert state == "success", service.failures("tiny", run_id)
    tasks = [task for task in service.tasks(run_id, "tiny") if task.task_id == "cluster"]
    assert Counter(task.state for task in tasks) == {"success": PODS}
    store = open_store(service.place.staging)
    results = [tiny.result_of(store, number) for number in range(PODS)]
    assert Counter(job.state for found in results for job in found.jobs) == {"done": PODS}, "no job ran twice"
    assert len({found.attempt for found in results}) == PODS
    assert service.pods() == []
    tries = Counter(task.try_number for task in tasks)
    log = service.log(run_id, tasks[PODS // 2], "tiny")
    assert "success: 1 done" in log
    measured = {"pods": PODS, "seconds": round(seconds, 1), "most_at_once": most, "tries": dict(sorted(tries.items()))}
    print(json.dumps(measured))
