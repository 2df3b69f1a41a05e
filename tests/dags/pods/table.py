"""An API server that is a table of pods, the memory of a task, and an attempt that uses both."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

from dags.pods import cases
from dags.pods.cases import pod
from kubernetes.client import ApiException

from s2ps.execution.result import ClusterResult
from s2ps.planning.strategy import PodOptions
from s2ps.staging import layout
from s2ps.staging.location import open_store
from s2ps_airflow.pods.attempt import Attempt
from s2ps_airflow.pods.labels import JUDGED
from s2ps_airflow.pods.memory import Memory
from s2ps_airflow.pods.settings import PodSettings
from s2ps_airflow.pods.view import PodView

RUNNING: dict[str, Any] = {"running": {}}


class Table:
    """Pods by name, as an API server would keep them; what was asked of it is written down."""

    def __init__(self, *pods: dict[str, Any]) -> None:
        self.pods = {item["metadata"]["name"]: item for item in pods}
        self.calls: list[str] = []
        self.refusals: list[ApiException | None] = []

    def get(self, name: str) -> PodView | None:
        return PodView.of(self.pods[name]) if name in self.pods else None

    def list(self, selector: str, fields: str = "") -> list[PodView]:
        gone = {"Succeeded", "Failed"} if fields else {"Pending", "Running", "Unknown", "Succeeded", "Failed"}
        views = [PodView.of(item) for item in self.pods.values() if item["status"]["phase"] in gone]
        return sorted(views, key=lambda view: view.number)

    def create(self, made: Any) -> PodView | None:
        if self.refusals and (refusal := self.refusals.pop(0)) is not None:
            raise refusal
        if made.name in self.pods:
            return None
        self.calls.append(f"create {made.name}")
        self.pods[made.name] = pod("Pending", name=made.name, number=made.number)
        return self.get(made.name)

    def delete(self, name: str, *, now: bool = False) -> None:
        self.calls.append(f"delete {name}{' now' if now else ''}")
        self.pods.pop(name, None)

    def label(self, name: str, labels: dict[str, str]) -> None:
        self.calls.append(f"label {name} {labels[JUDGED]}")
        self.pods[name]["metadata"]["labels"].update(labels)

    def tail(self, name: str, lines: int = 20) -> str:
        return "its last line"

    def warnings(self, name: str) -> tuple[str, ...]:
        return ()


class StateStore(dict[str, Any]):
    """What Airflow keeps for a task from try to try."""

    def set(self, key: str, value: Any) -> None:
        self[key] = value


def attempt(table: Table, folder: Path, state: StateStore, **changes: Any) -> Attempt:
    memory = Memory({"task_state_store": state})
    order = cases.order(
        memory.memory_gb("l1c_tile@tile=32TPQ", 4.0), cluster=cases.spec(pod=PodOptions(memory_ceiling_gb=10))
    )
    name = cases.identity().pod_name
    return Attempt(
        api=table, store=open_store(folder), order=order, memory=memory,  # type: ignore[arg-type]
        pods=PodSettings(result_patience_s=0, keep_failed_s=3600, **changes),
        build=lambda _order, number: SimpleNamespace(
            name=name(number), number=number, metadata=SimpleNamespace(name=name(number))
        ),
        pause=lambda _seconds: None, write=lambda _line: None,
    )  # fmt: skip


def leave(folder: Path, document: ClusterResult) -> None:
    asked = cases.request()
    open_store(folder).write(layout.result(asked.run_id, asked.cluster_id), document.dump().encode())
