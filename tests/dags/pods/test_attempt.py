"""Which pod a task takes, what it makes of its end, and what the next try knows; the API server is a table of pods."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowException, AirflowFailException, AirflowRuntimeError
from airflow.sdk.execution_time.comms import ErrorResponse
from dags.pods import cases
from dags.pods.cases import ended, failed, pod, result, waiting
from kubernetes.client import ApiException

from s2ps.execution.result import ClusterResult
from s2ps.planning.strategy import PodOptions
from s2ps.staging import layout
from s2ps.staging.location import open_store
from s2ps_airflow.pods import launch
from s2ps_airflow.pods.attempt import Attempt
from s2ps_airflow.pods.labels import JUDGED
from s2ps_airflow.pods.memory import Memory
from s2ps_airflow.pods.settings import PodSettings
from s2ps_airflow.pods.view import PodView

pytestmark = pytest.mark.dags
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


@pytest.fixture(autouse=True)
def _at_noon(monkeypatch: pytest.MonkeyPatch) -> None:
    class Noon(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return cases.NOW.astimezone(tz or UTC)

    for module in ("launch", "attempt"):
        monkeypatch.setattr(f"s2ps_airflow.pods.{module}.datetime", Noon)


@pytest.fixture
def state() -> StateStore:
    return StateStore()


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


def test_a_running_pod_of_the_same_request_is_taken_over(tmp_path: Path, state: StateStore) -> None:
    leave(tmp_path, result("success"))
    table = Table(pod("Running", state=RUNNING))
    one = attempt(table, tmp_path, state)
    assert one.take().name == "l1c-tile-1"
    assert table.calls == []
    assert one.waits(one.take())
    key = layout.result(cases.DATATAKE, "l1c_tile@tile=32TPQ")
    assert open_store(tmp_path).exists(key), "the result of a pod that is taken over stays"


def test_a_pod_that_ended_while_nobody_looked_is_judged_not_repeated(tmp_path: Path, state: StateStore) -> None:
    table = Table(pod("Succeeded", state=ended(0)))
    leave(tmp_path, result("success"))
    one = attempt(table, tmp_path, state)
    found = one.take()
    assert one.conclude(found.name, found.uid, found) is not None
    assert table.calls == ["delete l1c-tile-1"]


def test_a_new_pod_comes_with_the_next_number_and_without_an_old_result(tmp_path: Path, state: StateStore) -> None:
    leave(tmp_path, result("failed"))
    table = Table(pod("Failed", number=4, state=ended(1), labels={JUDGED: "processor"}))
    attempt(table, tmp_path, state).take()
    assert table.calls == [f"create {cases.identity().pod_name(5)}"]
    assert not open_store(tmp_path).exists(layout.result(cases.DATATAKE, "l1c_tile@tile=32TPQ"))


def test_the_pod_of_an_older_request_goes_before_the_new_one_comes(tmp_path: Path, state: StateStore) -> None:
    table = Table(pod("Running", state=RUNNING, labels={"s2ps-request": "older"}))
    attempt(table, tmp_path, state).take()
    assert table.calls == ["delete l1c-tile-1", f"create {cases.identity().pod_name(1)}"]


def test_a_second_pod_is_never_made_beside_one_that_is_still_ending(tmp_path: Path, state: StateStore) -> None:
    table = Table(pod("Running", state=RUNNING, deleted_s=5))
    with pytest.raises(AirflowException, match="still ending"):
        attempt(table, tmp_path, state, start_limit_s=0.01).take()
    assert table.calls == []


def test_a_pod_on_a_node_that_is_gone_is_given_up(tmp_path: Path, state: StateStore) -> None:
    table = Table(pod("Running", state=RUNNING, deleted_s=61))
    attempt(table, tmp_path, state).take()
    assert table.calls == ["delete l1c-tile-1 now", f"create {cases.identity().pod_name(2)}"]


def test_of_two_that_make_the_same_pod_the_second_takes_it_over(tmp_path: Path, state: StateStore) -> None:
    table = Table()
    name = cases.identity().pod_name(1)

    class Late(Table):
        def create(self, made: Any) -> PodView | None:
            table.pods[name] = pod("Pending", name=name)
            return super().create(made)

    late = Late()
    late.pods = table.pods
    assert attempt(late, tmp_path, state).take().name == name
    assert late.calls == []


def refusal(status: int, message: str) -> ApiException:
    error = ApiException(status=status)
    error.body = f'{{"message": "{message}"}}'
    return error


def test_a_full_quota_is_waited_for_and_named(tmp_path: Path, state: StateStore) -> None:
    full = refusal(403, "exceeded quota: small, requested: pods=1")
    table = Table()
    table.refusals = [full, full, None]
    attempt(table, tmp_path, state).take()
    assert len(table.calls) == 1
    table.pods.clear()
    table.refusals = [full] * 1000
    with pytest.raises(AirflowException, match="exceeded quota: small") as caught:
        attempt(table, tmp_path, state, start_limit_s=0.01).take()
    assert not isinstance(caught.value, AirflowFailException)
    table.refusals = [refusal(403, "no PriorityClass with name fast was found")]
    with pytest.raises(AirflowFailException, match="no PriorityClass"):
        attempt(table, tmp_path, state).take()


def judged(one: Attempt, document: dict[str, Any]) -> AirflowException:
    view = PodView.of(document)
    with pytest.raises(AirflowException) as caught:
        one.conclude(view.name, view.uid, view)
    return caught.value


def test_memory_grows_to_the_ceiling_and_stays_grown_for_the_next_try(tmp_path: Path, state: StateStore) -> None:
    killed = pod("Failed", state=ended(137))
    table = Table(killed)
    error = judged(attempt(table, tmp_path, state), killed)
    assert "the next try gets 8 GB" in str(error)
    assert not isinstance(error, AirflowFailException)
    assert table.calls == ["label l1c-tile-1 memory"]
    assert attempt(table, tmp_path, state).order.memory_gb == 8
    judged(attempt(table, tmp_path, state), killed)
    assert attempt(table, tmp_path, state).order.memory_gb == 8, "a judgement that is repeated changes nothing"
    again = judged(attempt(table, tmp_path, state), pod("Failed", state=ended(137), memory="8000M"))
    assert "the next try gets 10 GB" in str(again)
    last = judged(attempt(table, tmp_path, state), pod("Failed", state=ended(137), memory="10000M"))
    assert isinstance(last, AirflowFailException)
    assert "the most the strategy allows" in str(last)


def test_a_task_state_that_does_not_answer_at_once_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("s2ps_airflow.pods.memory.PAUSE_S", 0)

    class Busy(StateStore):
        left = 2

        def get(self, key: str, default: Any = None) -> Any:
            self.left -= 1
            if self.left >= 0:
                raise AirflowRuntimeError(ErrorResponse())
            return super().get(key, default)

    busy = Busy(s2ps_pods={"c": {"memory_gb": 8.0}})
    assert Memory({"task_state_store": busy}).memory_gb("c", 4.0) == 8.0
    busy.left = 99
    assert Memory({"task_state_store": busy}).memory_gb("c", 4.0) == 4.0


def test_full_scratch_is_tried_once_more(tmp_path: Path, state: StateStore) -> None:
    leave(tmp_path, failed(255, "No space left on device"))
    full = pod("Failed", state=ended(1))
    first, second = (judged(attempt(Table(full), tmp_path, state), full) for _ in range(2))
    assert not isinstance(first, AirflowFailException)
    assert isinstance(second, AirflowFailException)
    assert "for the second time" in str(second)


def test_a_processor_failure_is_final_and_its_pod_is_kept(tmp_path: Path, state: StateStore) -> None:
    leave(tmp_path, failed(133))
    document = pod("Failed", state=ended(1))
    table = Table(document)
    error = judged(attempt(table, tmp_path, state), document)
    assert isinstance(error, AirflowFailException)
    assert "packet 17 is cut" in str(error)
    assert table.calls == ["label l1c-tile-1 processor"]


def test_the_result_of_another_pod_is_not_believed(tmp_path: Path, state: StateStore) -> None:
    leave(tmp_path, result("success", attempt="an earlier pod"))
    document = pod("Succeeded", state=ended(0))
    error = judged(attempt(Table(document), tmp_path, state), document)
    assert "left no result" in str(error)


def test_a_pod_that_is_gone_counts_when_its_result_is_there(tmp_path: Path, state: StateStore) -> None:
    one = attempt(Table(), tmp_path, state)
    with pytest.raises(AirflowException, match="it is gone"):
        one.conclude("l1c-tile-1", cases.UID, None)
    leave(tmp_path, result("success"))
    assert one.conclude("l1c-tile-1", cases.UID, None) is not None


def test_a_result_counts_even_when_the_node_of_its_pod_is_lost(tmp_path: Path, state: StateStore) -> None:
    leave(tmp_path, result("success"))
    document = pod("Running", state=RUNNING, deleted_s=61)
    table = Table(document)
    view = PodView.of(document)
    assert attempt(table, tmp_path, state).conclude(view.name, view.uid, view) is not None
    assert table.calls == ["delete l1c-tile-1 now"]


@pytest.mark.parametrize(
    ("document", "call"),
    [
        (pod("Pending", created_s=901, unscheduled="Insufficient cpu"), "delete l1c-tile-1"),
        (pod("Pending", state=waiting("ErrImageNeverPull")), "delete l1c-tile-1"),
        (pod("Running", state=RUNNING, deleted_s=61), "delete l1c-tile-1 now"),
        (pod("Failed", state=ended(75)), "label l1c-tile-1 staging"),
    ],
)
def test_what_becomes_of_a_pod(tmp_path: Path, state: StateStore, document: dict[str, Any], call: str) -> None:
    table = Table(document)
    judged(attempt(table, tmp_path, state), document)
    assert table.calls == [call]


def test_failed_pods_are_removed_after_their_time(tmp_path: Path) -> None:
    table = Table(
        pod("Failed", name="old", state=ended(1, finished_s=3601), created_s=4000),
        pod("Failed", name="young", state=ended(1, finished_s=3599), created_s=4000),
        pod("Failed", name="never-ran", reason="OutOfcpu", created_s=3700),
        pod("Running", name="running", created_s=9999, state=RUNNING),
    )
    assert launch.reap(table, 3600) == 2  # type: ignore[arg-type]
    assert sorted(table.pods) == ["running", "young"]


def test_watching_ends_with_the_pod(tmp_path: Path, state: StateStore) -> None:
    table = Table(pod("Pending", unscheduled="0/2 nodes are available"))
    one = attempt(table, tmp_path, state)
    steps = iter([pod("Pending", state=waiting("ContainerCreating")), pod("Failed", state=ended(137))])

    def pause(_seconds: float) -> None:
        table.pods["l1c-tile-1"] = next(steps)

    one.pause = pause
    seen = one.watch(PodView.of(table.pods["l1c-tile-1"]))
    assert seen is not None
    assert seen.exit_code == 137
