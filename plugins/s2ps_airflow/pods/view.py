"""What a task needs to know of a pod, read from its JSON document."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from s2ps_airflow.pods.labels import JUDGED, NUMBER, REQUEST

CONTAINER = "processor"
"""Name of the container that runs the cluster."""
ENDED = frozenset({"Succeeded", "Failed"})
_UNITS = {"Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "": 1.0}


@dataclass(frozen=True, slots=True)
class PodView:
    """A pod at one moment; texts are empty and times None where Kubernetes says nothing."""

    name: str
    uid: str = ""
    number: int = 0
    request: str = ""
    judged: bool = False
    node: str = ""
    image: str = ""
    memory_gb: float | None = None
    """Memory limit, 10^9 bytes."""
    phase: str = "Pending"
    reason: str = ""
    message: str = ""
    created: datetime | None = None
    deleted: datetime | None = None
    """When it has to be gone after somebody deleted it."""
    scheduled: datetime | None = None
    unscheduled: str = ""
    """Why no node was found yet."""
    waiting: str = ""
    waiting_message: str = ""
    started: bool = False
    """The container runs or has run."""
    exit_code: int | None = None
    end_reason: str = ""
    end_message: str = ""
    finished: datetime | None = None

    @property
    def ended(self) -> bool:
        """Return whether the container will not run any more."""
        return self.phase in ENDED or self.exit_code is not None

    @classmethod
    def of(cls, pod: Mapping[str, Any]) -> PodView:
        """Read the JSON document of a pod."""
        meta, spec, status = pod["metadata"], pod.get("spec") or {}, pod.get("status") or {}
        labels = meta.get("labels") or {}
        container = _named(spec.get("containers"))
        state = _named(status.get("containerStatuses"))
        now = state.get("state") or {}
        condition = _typed(status.get("conditions"), "PodScheduled")
        placed = condition.get("status") == "True"
        waiting, ended = now.get("waiting") or {}, now.get("terminated") or {}
        return cls(
            name=meta["name"],
            uid=meta.get("uid", ""),
            number=int(labels.get(NUMBER, "0")),
            request=labels.get(REQUEST, ""),
            judged=JUDGED in labels,
            node=spec.get("nodeName") or "",
            image=container.get("image") or "",
            memory_gb=gigabytes(((container.get("resources") or {}).get("limits") or {}).get("memory")),
            phase=status.get("phase") or "Pending",
            reason=status.get("reason") or "",
            message=status.get("message") or "",
            created=moment(meta.get("creationTimestamp")),
            deleted=moment(meta.get("deletionTimestamp")),
            scheduled=moment(condition.get("lastTransitionTime")) if placed else None,
            unscheduled="" if placed else condition.get("message") or condition.get("reason") or "",
            waiting=waiting.get("reason") or "",
            waiting_message=waiting.get("message") or "",
            started="running" in now or bool(ended),
            exit_code=ended.get("exitCode"),
            end_reason=ended.get("reason") or "",
            end_message=ended.get("message") or "",
            finished=moment(ended.get("finishedAt")),
        )


def _named(entries: Any) -> Mapping[str, Any]:
    return next((entry for entry in entries or () if entry.get("name") == CONTAINER), {})


def _typed(conditions: Any, kind: str) -> Mapping[str, Any]:
    return next((condition for condition in conditions or () if condition.get("type") == kind), {})


def moment(text: str | None) -> datetime | None:
    """Read a time of Kubernetes, UTC."""
    return datetime.fromisoformat(text).astimezone(UTC) if text else None


def gigabytes(quantity: str | None) -> float | None:
    """Read a quantity of memory, such as 4Gi or 500M, in 10^9 bytes."""
    if not quantity:
        return None
    number = quantity.rstrip("KMGTkib")
    return float(number) * _UNITS[quantity[len(number) :]] / 1e9
