"""Every row of the failure table, from documents as Kubernetes and the runner write them."""

from __future__ import annotations

from typing import Any

import pytest
from dags.pods import cases
from dags.pods.cases import ended, failed, pod, result, waiting

from s2ps.execution.result import ClusterResult
from s2ps_airflow.pods.outcome import TABLE, Case, Limits, Reaction, Verdict, judge, judge_refusal
from s2ps_airflow.pods.results import belongs
from s2ps_airflow.pods.view import PodView

pytestmark = pytest.mark.dags
LIMITS = Limits(start_s=900, image_s=60, lost_s=60, memory_ceiling_gb=16)
FULL = "OSError: [Errno 28] No space left on device"
OVER = 'Usage of EmptyDir volume "scratch" exceeds the limit "10G". '
RUNNING: dict[str, Any] = {"running": {"startedAt": cases.stamp(5)}}


def said(document: dict[str, Any] | None, outcome: ClusterResult | None = None, tried: tuple[str, ...] = ()) -> Verdict:
    view = PodView.of(document) if document else None
    events = ("BackOff: no such image",)
    return judge(Case("p-1", view, outcome, cases.NOW, LIMITS, frozenset(tried), "its last line", events))


ROWS: list[tuple[str, str, tuple[Any, ...], tuple[str, ...]]] = [
    ("done", "success", (pod("Succeeded", state=ended(0)), result("success")), ()),
    ("done", "success", (None, result("success")), ()),
    ("memory", "retry with more memory", (pod("Failed", state=ended(137)),), ("137", "limit of 4 GB")),
    ("memory", "retry with more memory", (pod("Failed", state=ended(1, "OOMKilled")),), ("memory",)),
    ("memory", "retry with more memory", (pod("Failed", state=ended(1)), failed(137)), ("jobs J were killed",)),
    ("memory_ceiling", "fail", (pod("Failed", state=ended(137), memory="16000M"),), ("pod.memory_ceiling_gb",)),
    ("scratch", "retry once", (pod("Failed", reason="Evicted", message=OVER),), ("scratch space is full", "10G")),
    ("scratch", "retry once", (pod("Failed", state=ended(1)), failed(255, FULL)), ("No space left",)),
    ("scratch_again", "fail", (pod("Failed", reason="Evicted", message=OVER), None, ("scratch",)), ("disk_gb",)),
    ("processor", "fail", (pod("Failed", state=ended(1)), failed(133)),
     ("DECOMP", "band=B03", "133", "packet 17 is cut", "clear this task")),
    ("processor", "fail", (pod("Failed", state=ended(1)), failed(137, ending="timeout")), ("DECOMP",)),
    ("limit", "fail", (pod("Failed", reason="DeadlineExceeded", message="active too long"),), ("time_s",)),
    ("interrupted", "retry", (pod("Failed", state=ended(143)), result("interrupted")), ("interrupted",)),
    ("evicted", "retry", (pod("Failed", reason="Evicted", message="The node was low on resource: memory."),),
     ("node node2 has evicted it", "low on resource")),
    ("gone", "retry", (None,), ("p-1", "deleted it, or its node was lost")),
    ("lost", "retry", (pod("Running", deleted_s=61, state=RUNNING),), ("node node2 does not answer",)),
    ("refused", "retry", (pod("Failed", reason="OutOfcpu", message="Node didn't have enough"),), ("OutOfcpu",)),
    ("deleted", "retry", (pod("Failed", deleted_s=2, state=ended(137)),), ("deleted it while it ran",)),
    ("no_command", "fail", (pod("Failed", state=ended(128, "StartError", "python3: no such file or directory")),),
     ("no such file", "check the command")),
    ("no_container", "retry", (pod("Failed", state=ended(128, "StartError", "pipe: EOF")),), ("pipe: EOF",)),
    ("request", "fail", (pod("Failed", state=ended(2)),), ("exit code 2", "its last line")),
    ("staging", "retry", (pod("Failed", state=ended(75)),), ("staging was not usable", "its last line")),
    ("stopped", "retry", (pod("Failed", state=ended(143)),), ("143",)),
    ("killed", "retry", (pod("Failed", state=ended(137), memory=None),), ("137",)),
    ("no_result", "retry", (pod("Succeeded", state=ended(0)),), ("left no result", "same staging")),
    ("no_result", "retry", (pod("Failed", state=ended(1)),), ("its last line",)),
    ("image_name", "fail", (pod("Pending", state=waiting("ErrImageNeverPull", "not present")),),
     (cases.IMAGE, "ErrImageNeverPull", "BackOff: no such image", "S2PS_POD_IMAGE")),
    ("image_name", "fail", (pod("Pending", state=waiting("InvalidImageName")),), ("InvalidImageName",)),
    ("image_pull", "fail", (pod("Pending", created_s=61, state=waiting("ImagePullBackOff", "denied")),),
     (cases.IMAGE, "denied")),
    ("going on", "wait", (pod("Pending", created_s=59, state=waiting("ErrImagePull")),), ()),
    ("configuration", "fail", (pod("Pending", created_s=61,
      state=waiting("CreateContainerConfigError", 'secret "s2ps-s3" not found')),), ('secret "s2ps-s3" not found',)),
    ("stuck", "retry", (pod("Pending", created_s=901, unscheduled="0/2 nodes are available: 2 Insufficient cpu."),),
     ("not started within 900 s", "Insufficient cpu")),
    ("stuck", "retry", (pod("Pending", created_s=901, state=waiting("ContainerCreating")),), ("ContainerCreating",)),
    ("going on", "wait", (pod("Pending", created_s=899, unscheduled="0/2 nodes are available"),), ()),
    ("going on", "wait", (pod("Running", created_s=99999, state=RUNNING),), ()),
    ("going on", "wait", (pod("Unknown", state=RUNNING),), ()),
    ("going on", "wait", (pod("Running", deleted_s=59, state=RUNNING),), ()),
]  # fmt: skip


@pytest.mark.parametrize(("row", "reaction", "given", "words"), ROWS)
def test_a_case_meets_its_row(row: str, reaction: str, given: tuple[Any, ...], words: tuple[str, ...]) -> None:
    verdict = said(*given)
    assert (verdict.row, str(verdict.reaction)) == (row, reaction)
    for word in ("p-1", *words):
        assert word in verdict.message


def test_every_row_is_met_and_every_failure_has_a_next_step() -> None:
    assert {row.name for row in TABLE} == {row for row, *_ in ROWS}
    for row, reaction, given, _ in ROWS:
        if reaction not in ("success", "wait"):
            assert "next: " in said(*given).message, row


def test_without_a_ceiling_a_pod_gets_no_more_memory() -> None:
    view = PodView.of(pod("Failed", state=ended(137)))
    verdict = judge(Case("p", view, None, cases.NOW, Limits(900, 60, 60)))
    assert verdict.row == "memory_ceiling"


@pytest.mark.parametrize(
    ("status", "message", "reaction", "words"),
    [
        (403, 'pods "x" is forbidden: exceeded quota: small, requested: cpu=2, used: cpu=3, limited: cpu=4',
         Reaction.WAIT, "exceeded quota: small"),
        (403, 'pods "x" is forbidden: no PriorityClass with name s2ps-fast was found', Reaction.FAIL, "PriorityClass"),
        (403, 'pods "x" is forbidden: maximum memory usage per Container is 1Gi', Reaction.FAIL, "LimitRange"),
        (404, 'namespaces "s2ps-processing" not found', Reaction.FAIL, "make the namespace"),
        (422, "Invalid value", Reaction.FAIL, "correct the resources"),
    ],
)  # fmt: skip
def test_refusals(status: int, message: str, reaction: Reaction, words: str) -> None:
    verdict = judge_refusal(status, message, "s2ps-processing")
    assert verdict.reaction is reaction
    assert words in verdict.message
    assert message in verdict.message


def test_only_the_result_of_this_pod_and_this_plan_is_believed() -> None:
    asked = cases.request()
    assert belongs(result("success"), asked, cases.UID)
    assert not belongs(result("success", attempt="another pod"), asked, cases.UID)
    assert not belongs(result("success", attempt=""), asked, "")
    assert not belongs(result("success", plan_hash="e" * 64), asked, cases.UID)
