"""The same DAG runs on this machine and on pods; a task that is killed knows whose its pod is."""

from __future__ import annotations

import os
from datetime import timedelta
from typing import Any

import pytest
from airflow.sdk import DAG
from airflow.sdk.definitions.mappedoperator import MappedOperator
from airflow.sdk.exceptions import AirflowException
from airflow.serialization.serialized_objects import DagSerialization

from s2ps_airflow.dag_factory import build_datatake_dag
from s2ps_airflow.deadlines import TimeLimits
from s2ps_airflow.nodes import NodeGraph
from s2ps_airflow.operators import ClusterOperator
from s2ps_airflow.pods.operator import ClusterPodOperator
from s2ps_airflow.session_dag import build_session_dag

pytestmark = pytest.mark.dags
LIMITS = TimeLimits(timedelta(minutes=75), timedelta(minutes=120))


def dags(graph: NodeGraph) -> list[DAG]:
    common: dict[str, Any] = {"strategies": ["single_machine"], "baselines": ["05.00"], "limits": LIMITS}
    return [build_datatake_dag(graph, cut=frozenset({"RADIO"}), **common), build_session_dag(graph)]


def shape(dag: DAG) -> dict[str, Any]:
    return {
        name: (sorted(task.downstream_task_ids), str(task.trigger_rule), task.task_group and task.task_group.group_id,
               task.priority_weight, task.weight_rule, isinstance(task, MappedOperator), task.map_index_template)
        for name, task in dag.task_dict.items()
    }  # fmt: skip


def operators(dag: DAG) -> set[Any]:
    return {task.operator_class if isinstance(task, MappedOperator) else type(task) for task in dag.tasks}


def test_the_setting_changes_the_operator_and_nothing_else(graph: NodeGraph, monkeypatch: pytest.MonkeyPatch) -> None:
    here = dags(graph)
    monkeypatch.setenv("S2PS_EXECUTION", "pod")
    away = dags(graph)
    for local, pods in zip(here, away, strict=True):
        assert shape(local) == shape(pods)
        assert operators(local) - operators(pods) == {ClusterOperator}
        assert operators(pods) - operators(local) == {ClusterPodOperator}
        DagSerialization.to_dict(pods)
    local, pods = (dag.task_dict["L0.INIT"] for dag in (here[0], away[0]))
    assert pods.execution_timeout == local.execution_timeout + timedelta(seconds=900)
    assert pods.retries > local.retries


class Ti:
    """A task instance whose state Airflow knows."""

    dag_id, run_id, task_id, map_index = "datatake", "r", "t", -1

    def __init__(self, state: str | None) -> None:
        self.state = state

    def get_task_states(self, **_: Any) -> dict[str, dict[str, Any]]:
        return {"r": {"t": self.state}}


def killed(state: str | None, monkeypatch: pytest.MonkeyPatch) -> tuple[str, list[str]]:
    deleted: list[str] = []
    monkeypatch.setattr("s2ps_airflow.pods.api.PodApi.delete", lambda _self, name, **_: deleted.append(name))
    operator = ClusterPodOperator(task_id="t", node="l1c_tile", plan_task="p")
    operator._current = "pod-1"
    with operator._in_charge({"ti": Ti(state)}):
        operator.on_kill()
        with pytest.raises(AirflowException) as caught:
            operator._pause(1)
    return str(caught.value), deleted


@pytest.mark.parametrize("state", ["failed", "success", "skipped"])
def test_a_task_ended_by_people_takes_its_pod_with_it(state: str, monkeypatch: pytest.MonkeyPatch) -> None:
    message, deleted = killed(state, monkeypatch)
    assert deleted == ["pod-1"]
    assert state in message


@pytest.mark.parametrize("state", [None, "scheduled", "queued", "running", "up_for_retry"])
def test_a_task_that_is_tried_again_leaves_its_pod(state: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    message, deleted = killed(state, monkeypatch)
    assert deleted == []
    assert "the next try takes it over" in message


def test_a_task_that_ran_out_of_time_takes_its_pod_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    deleted: list[str] = []
    monkeypatch.setattr("s2ps_airflow.pods.api.PodApi.delete", lambda _self, name, **_: deleted.append(name))
    operator = ClusterPodOperator(task_id="t", node="l1c_tile", plan_task="p")
    operator._current = "pod-1"
    operator.on_kill()
    assert deleted == ["pod-1"]


def test_a_task_without_its_supervisor_ends_and_leaves_its_pod(monkeypatch: pytest.MonkeyPatch) -> None:
    operator = ClusterPodOperator(task_id="t", node="l1c_tile", plan_task="p")
    with operator._in_charge({}):
        monkeypatch.setattr(os, "getppid", lambda: 1)
        with pytest.raises(AirflowException, match="process that started this task is gone"):
            operator._pause(1)


def test_deferring_is_a_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not ClusterPodOperator(task_id="t", node="n", plan_task="p").deferrable
    monkeypatch.setenv("S2PS_POD_DEFERRABLE", "true")
    assert ClusterPodOperator(task_id="t", node="n", plan_task="p").deferrable
