"""What a task makes of the end of its pod, and what the next try knows; the API server is a table of pods."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowException, AirflowFailException, AirflowRuntimeError
from airflow.sdk.execution_time.comms import ErrorResponse
from dags.pods import cases
from dags.pods.cases import ended, failed, pod, result, waiting
from dags.pods.table import RUNNING, StateStore, Table, attempt, leave

from s2ps_airflow.pods.attempt import Attempt
from s2ps_airflow.pods.memory import Memory
from s2ps_airflow.pods.view import PodView

pytestmark = [pytest.mark.dags, pytest.mark.usefixtures("noon")]


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
