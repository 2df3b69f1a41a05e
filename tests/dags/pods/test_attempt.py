"""Which pod a task takes or makes, and how it is watched; the API server is a table of pods."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowException, AirflowFailException
from dags.pods import cases
from dags.pods.cases import ended, pod, result, waiting
from dags.pods.table import RUNNING, StateStore, Table, attempt, leave
from kubernetes.client import ApiException

from s2ps.staging import layout
from s2ps.staging.location import open_store
from s2ps_airflow.pods import launch
from s2ps_airflow.pods.labels import JUDGED
from s2ps_airflow.pods.view import PodView

pytestmark = [pytest.mark.dags, pytest.mark.usefixtures("noon")]


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
