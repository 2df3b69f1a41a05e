"""The one table from what happened to a pod to what Airflow does about it; the first row that applies decides."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from s2ps.execution.result import ClusterResult, JobResult
from s2ps_airflow.pods.view import PodView
from s2ps_airflow.tasks import failure_text

KILLED = 137
OVER_SCRATCH = ("exceeds the limit", "exceeds the total limit", "exceeded its local ephemeral storage limit")
FULL_DISK = "No space left on device"
IMAGE_NAME = frozenset({"ErrImageNeverPull", "InvalidImageName"})
IMAGE_PULL = frozenset({"ErrImagePull", "ImagePullBackOff", "ImageInspectError", "RegistryUnavailable"})
NO_CONTAINER = frozenset({"StartError", "ContainerCannotRun"})
NO_COMMAND = ("no such file or directory", "not found", "permission denied")


class Reaction(StrEnum):
    """What becomes of the task."""

    WAIT = "wait"
    SUCCESS = "success"
    FAIL = "fail"
    RETRY = "retry"
    MORE_MEMORY = "retry with more memory"
    ONCE = "retry once"


@dataclass(frozen=True, slots=True)
class Limits:
    """How long what is waited for, seconds, and the most memory, 10^9 bytes."""

    start_s: float
    image_s: float
    lost_s: float
    memory_ceiling_gb: float | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """Everything a judgement is made from."""

    pod: str
    """Name, also when the pod is gone."""
    view: PodView | None
    """None: the pod is gone."""
    result: ClusterResult | None
    """Only if it is the result of this pod."""
    now: datetime
    limits: Limits
    tried: frozenset[str] = frozenset()
    """Rows that had their one retry already."""
    tail: str = ""
    """Last lines of the pod's log."""
    events: tuple[str, ...] = ()

    @property
    def seen(self) -> PodView:
        """Return the pod, or an empty view of it when it is gone."""
        return self.view or PodView(self.pod)

    def state(self, name: str) -> bool:
        """Return whether the result says so."""
        return self.result is not None and self.result.state == name

    def passed(self, since: datetime | None, seconds: float) -> bool:
        """Return whether so many seconds have passed since a moment."""
        return since is not None and self.now - since > timedelta(seconds=seconds)

    @property
    def failed_jobs(self) -> tuple[JobResult, ...]:
        """Return the jobs that failed themselves."""
        return self.result.failed_jobs if self.result is not None and self.state("failed") else ()

    @property
    def out_of_memory(self) -> bool:
        """Return whether the kernel has most probably killed something for its memory."""
        if self.seen.memory_gb is None:
            return False
        if self.failed_jobs:
            return all(job.exit_code == KILLED and job.ending == "exit" for job in self.failed_jobs)
        if self.result is not None or self.seen.deleted or self.seen.reason:
            return False
        return self.seen.exit_code == KILLED or self.seen.end_reason == "OOMKilled"

    @property
    def out_of_scratch(self) -> bool:
        """Return whether scratch space ran out, seen by the kubelet or by a processor."""
        if self.failed_jobs:
            return any(FULL_DISK in (job.error or "") for job in self.failed_jobs)
        text = f"{self.seen.message} {self.seen.end_message}"
        return self.seen.reason == "Evicted" and any(part in text for part in OVER_SCRATCH)

    @property
    def at_ceiling(self) -> bool:
        """Return whether the pod had as much memory as the strategy allows."""
        ceiling = self.limits.memory_ceiling_gb
        return ceiling is None or (self.seen.memory_gb or 0.0) >= ceiling * 0.999


@dataclass(frozen=True, slots=True)
class Verdict:
    """The judgement: what to do, which row of the table said so, and why, for people."""

    reaction: Reaction
    row: str
    message: str


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table."""

    name: str
    applies: Callable[[Case], bool]
    reaction: Reaction
    says: Callable[[Case], str]
    next_step: str = ""


def _result_text(case: Case) -> str:
    return failure_text(case.result) if case.result is not None else ""


def _memory(case: Case) -> str:
    jobs = ", ".join(job.id for job in case.failed_jobs)
    who = f"its jobs {jobs} were killed" if jobs else "it was killed"
    return f"probably out of memory: {who} (exit code 137) under a limit of {case.seen.memory_gb or 0:g} GB"


def _scratch(case: Case) -> str:
    return f"its scratch space is full: {case.seen.message or _result_text(case)}"


def _image(case: Case) -> str:
    return f"its image {case.seen.image} is not there: {case.seen.waiting}: {case.seen.waiting_message}"


def _stuck(case: Case) -> str:
    reason = case.seen.unscheduled or f"{case.seen.waiting} {case.seen.waiting_message}".strip() or "no reason given"
    return f"it has not started within {case.limits.start_s:g} s: {reason}"


def _ended(case: Case) -> str:
    reason = case.seen.end_message or case.seen.end_reason
    return f"it ended with exit code {case.seen.exit_code} and left no result{f': {reason}' if reason else ''}"


CLEAR = "correct the cause, then clear this task; finished jobs are not run again"
AGAIN = "nothing: it is tried again, and finished jobs are not run again"

TABLE: tuple[Row, ...] = (
    Row("done", lambda c: c.state("success"), Reaction.SUCCESS, lambda _: "all jobs are fine"),
    Row("memory_ceiling", lambda c: c.out_of_memory and c.at_ceiling, Reaction.FAIL,
        lambda c: f"{_memory(c)}, the most the strategy allows",
        "raise memory_gb and pod.memory_ceiling_gb of this cluster in the strategy, then clear this task"),
    Row("memory", lambda c: c.out_of_memory, Reaction.MORE_MEMORY, _memory,
        "nothing: it is tried again with more memory; raise memory_gb of this cluster if that is frequent"),
    Row("scratch_again", lambda c: c.out_of_scratch and "scratch" in c.tried, Reaction.FAIL,
        lambda c: f"{_scratch(c)}, for the second time",
        "raise disk_gb of this cluster in the strategy, then clear this task"),
    Row("scratch", lambda c: c.out_of_scratch, Reaction.ONCE, _scratch, "nothing: it is tried once more, elsewhere"),
    Row("processor", lambda c: c.state("failed"), Reaction.FAIL, _result_text),
    Row("limit", lambda c: c.seen.reason == "DeadlineExceeded", Reaction.FAIL,
        lambda c: f"it was over its limit: {c.seen.message}", "raise time_s of this cluster in the strategy"),
    Row("interrupted", lambda c: c.state("interrupted"), Reaction.RETRY,
        lambda c: f"it was interrupted: {c.result.error if c.result else ''}", AGAIN),
    Row("evicted", lambda c: c.seen.reason == "Evicted", Reaction.RETRY,
        lambda c: f"node {c.seen.node} has evicted it: {c.seen.message}", AGAIN),
    Row("gone", lambda c: c.view is None, Reaction.RETRY,
        lambda _: "it is gone: somebody has deleted it, or its node was lost", AGAIN),
    Row("lost", lambda c: not c.seen.ended and c.passed(c.seen.deleted, c.limits.lost_s), Reaction.RETRY,
        lambda c: f"its node {c.seen.node} does not answer any more", AGAIN),
    Row("refused", lambda c: c.seen.phase == "Failed" and c.seen.exit_code is None, Reaction.RETRY,
        lambda c: f"node {c.seen.node} has not run it: {c.seen.reason} {c.seen.message}", AGAIN),
    Row("deleted", lambda c: c.seen.ended and c.seen.deleted is not None, Reaction.RETRY,
        lambda _: "somebody has deleted it while it ran", AGAIN),
    Row("no_command", lambda c: c.seen.end_reason in NO_CONTAINER
        and any(part in c.seen.end_message for part in NO_COMMAND), Reaction.FAIL, _ended,
        "check the command and the rights in the image; it must have Python 3 and ipf_adapters"),
    Row("no_container", lambda c: c.seen.end_reason in NO_CONTAINER, Reaction.RETRY, _ended, AGAIN),
    Row("request", lambda c: c.seen.exit_code == 2, Reaction.FAIL,
        lambda c: f"the runner cannot use its request (exit code 2):\n{c.tail}", CLEAR),
    Row("staging", lambda c: c.seen.exit_code == 75, Reaction.RETRY,
        lambda c: f"the staging was not usable for a while (exit code 75):\n{c.tail}", AGAIN),
    Row("stopped", lambda c: c.seen.exit_code in (130, 143), Reaction.RETRY, _ended, AGAIN),
    Row("killed", lambda c: c.seen.exit_code == KILLED, Reaction.RETRY, _ended, AGAIN),
    Row("no_result", lambda c: c.seen.ended, Reaction.RETRY, lambda c: f"{_ended(c)}\n{c.tail}",
        "check that Airflow and pods have the same staging, and that the image has this version of ipf_adapters"),
    Row("image_name", lambda c: c.seen.waiting in IMAGE_NAME, Reaction.FAIL, _image,
        "load the image on the nodes, or correct S2PS_POD_IMAGE or the image in the strategy; then clear this task"),
    Row("image_pull", lambda c: c.seen.waiting in IMAGE_PULL and c.passed(c.seen.scheduled, c.limits.image_s),
        Reaction.FAIL, _image, "push the image or correct its name, check the pull secret; then clear this task"),
    Row("configuration", lambda c: c.seen.waiting == "CreateContainerConfigError"
        and c.passed(c.seen.scheduled, c.limits.image_s), Reaction.FAIL,
        lambda c: f"it cannot be configured: {c.seen.waiting_message}",
        "make the Secret or ConfigMap it names in its namespace; then clear this task"),
    Row("stuck", lambda c: not c.seen.started and c.passed(c.seen.created, c.limits.start_s), Reaction.RETRY, _stuck,
        "add nodes, or ask for less CPU and memory in the strategy; it is tried again"),
    Row("going on", lambda _: True, Reaction.WAIT, lambda c: c.seen.phase),
)  # fmt: skip


def judge(case: Case) -> Verdict:
    """Return what to do about a pod; while it is on its way: to wait."""
    row = next(row for row in TABLE if row.applies(case))
    lines = [f"pod {case.pod}: {row.says(case).strip()}"]
    if row.reaction not in (Reaction.SUCCESS, Reaction.WAIT):
        lines += [f"  event: {event}" for event in case.events]
        lines += [f"  next: {row.next_step}"] if row.next_step else []
    return Verdict(row.reaction, row.name, "\n".join(lines))


def judge_refusal(status: int, message: str, namespace: str) -> Verdict:
    """Return what to do when the API server refuses to make a pod; `message` is its own."""
    if status == 403 and "exceeded quota" in message:
        return Verdict(Reaction.WAIT, "quota", f"quota of namespace {namespace}: {message}")
    next_step = {
        403: "check the rights of the launcher, LimitRange and PriorityClass in this namespace",
        404: f"make the namespace {namespace}, or correct S2PS_POD_NAMESPACE",
        422: "correct the resources in the strategy or the settings S2PS_POD_*",
    }.get(status, "read the message; correct the settings S2PS_POD_* or the pod template")
    text = f"Kubernetes refuses the pod in namespace {namespace} ({status}): {message}\n  next: {next_step}"
    return Verdict(Reaction.FAIL, "refused", text)
