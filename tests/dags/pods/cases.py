"""Documents the pod tests share: requests, results, pods as the API server shows them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from s2ps.execution.request import ClusterRequest, JobRequest
from s2ps.execution.result import ClusterResult, JobResult
from s2ps.planning.strategy import ClusterSpec, load_strategy
from s2ps_airflow.pods.labels import Identity
from s2ps_airflow.pods.spec import Order
from s2ps_airflow.pods.view import CONTAINER

DATATAKE = "GS2B_20260701T101559_043890_N05.00"
NOW = datetime(2026, 7, 1, 12, 0, tzinfo=UTC)
IMAGE = "localhost/s2ps/reference@sha256:" + "ab" * 32
UID = "8c1f"


def request(**changes: Any) -> ClusterRequest:
    job = JobRequest(
        id="L1C.GEN_ORTHO_TOA@tile=32TPQ", phase="L1C", task="GEN_ORTHO_TOA", processor="GEN_ORTHO_TOA",
        version="1", executable="GEN_ORTHO_TOA/1/scripts/GEN_ORTHO_TOA.bash", timeout_s=60,
    )  # fmt: skip
    fields: dict[str, Any] = {
        "datatake": DATATAKE, "run_id": DATATAKE, "plan_hash": "f" * 64, "cluster_id": "l1c_tile@tile=32TPQ",
        "node": "l1c_tile", "label": "32TPQ", "timeout_s": 3600.0, "staging": "file:///mnt/cephfs/staging",
        "jobs": (job,), **changes,
    }  # fmt: skip
    return ClusterRequest(**fields)


def identity(**changes: Any) -> Identity:
    asked = request(**changes)
    return Identity.of(asked, asked.dump().encode())


def spec(**changes: Any) -> ClusterSpec:
    return load_strategy("single_machine").cluster("l1c_tile").model_copy(update=changes)


def order(memory_gb: float = 4.0, *, cluster: ClusterSpec | None = None, reprocessing: bool = False) -> Order:
    return Order(request(), cluster or spec(), identity(), memory_gb, reprocessing)


def result(state: str, *jobs: JobResult, attempt: str = UID, plan_hash: str = "f" * 64) -> ClusterResult:
    return ClusterResult(
        cluster_id="l1c_tile@tile=32TPQ", plan_hash=plan_hash, attempt=attempt, state=state, jobs=jobs,  # type: ignore[arg-type]
    )  # fmt: skip


def failed(code: int, error: str = "packet 17 is cut", ending: Any = "exit") -> ClusterResult:
    job = JobResult(
        id="J", task="DECOMP", data_id="band=B03", state="failed", exit_code=code, ending=ending, error=error
    )
    return result("failed", job)


def pod(
    phase: str = "Running",
    *,
    name: str = "l1c-tile-1",
    number: int = 1,
    labels: dict[str, str] | None = None,
    created_s: float = 10,
    deleted_s: float | None = None,
    reason: str = "",
    message: str = "",
    state: dict[str, Any] | None = None,
    unscheduled: str = "",
    memory: str | None = "4000M",
) -> dict[str, Any]:
    """Return a pod; times in seconds before NOW."""
    meta = {
        "name": name,
        "uid": UID,
        "creationTimestamp": stamp(created_s),
        "labels": {"s2ps-number": str(number), "s2ps-request": identity().request, **(labels or {})},
    }
    if deleted_s is not None:
        meta["deletionTimestamp"] = stamp(deleted_s)
    placed = {"type": "PodScheduled", "status": "False" if unscheduled else "True", "message": unscheduled}
    status: dict[str, Any] = {
        "phase": phase, "reason": reason, "message": message,
        "conditions": [{**placed, "lastTransitionTime": stamp(created_s)}],
    }  # fmt: skip
    if state is not None:
        status["containerStatuses"] = [{"name": CONTAINER, "state": state}]
    container = {
        "name": CONTAINER, "image": IMAGE, "resources": {"limits": {"memory": memory} if memory else {}},
    }  # fmt: skip
    return {"metadata": meta, "spec": {"nodeName": "node2", "containers": [container]}, "status": status}


def ended(code: int, reason: str = "Error", message: str = "", finished_s: float = 1) -> dict[str, Any]:
    return {"terminated": {"exitCode": code, "reason": reason, "message": message, "finishedAt": stamp(finished_s)}}


def waiting(reason: str, message: str = "") -> dict[str, Any]:
    return {"waiting": {"reason": reason, "message": message}}


def stamp(seconds: float) -> str:
    return (NOW - timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")
