"""The structure of the datatake DAG, made from hand-written nodes."""

from __future__ import annotations

import ast
from datetime import timedelta
from pathlib import Path

import pytest
from airflow.sdk import DAG
from airflow.serialization.serialized_objects import DagSerialization

from s2ps_airflow.dag_factory import build_datatake_dag
from s2ps_airflow.deadlines import TimeLimits
from s2ps_airflow.nodes import Node, NodeGraph
from s2ps_airflow.production import time_limits
from s2ps_airflow.session_dag import build_session_dag
from s2ps_airflow.timetable import DatatakeTimetable

pytestmark = pytest.mark.dags

LIMITS = TimeLimits(timedelta(minutes=40), timedelta(minutes=90))


@pytest.fixture(scope="module")
def dag(graph: NodeGraph) -> DAG:
    return build_datatake_dag(graph, strategies=["single_machine", "other"], baselines=["05.00"], limits=LIMITS)


def upstream(dag: DAG, task_id: str) -> set[str]:
    return set(dag.task_dict[task_id].upstream_task_ids)


def test_it_has_a_readable_number_of_tasks(dag: DAG) -> None:
    assert 24 <= len(dag.task_dict) <= 60


def test_levels_are_groups_and_tiles_are_one_mapped_group(dag: DAG) -> None:
    groups = dag.task_group.get_task_group_dict()
    assert {"L0", "L1A", "L1B", "L1C", "L2A", "tile"} <= {name for name in groups if name}
    assert type(groups["tile"]).__name__ == "MappedTaskGroup"
    assert not any(type(group).__name__ == "MappedTaskGroup" for name, group in groups.items() if name != "tile")


def test_groups_form_no_cycle(dag: DAG) -> None:
    assert len(dag.topological_sort()) == len(dag.task_dict)


def test_phases_follow_each_other(dag: DAG) -> None:
    assert upstream(dag, "plan_datastrip") == set()
    assert upstream(dag, "L0.INIT") == {"plan_datastrip"}
    assert {"L1A.DECOMPRESS", "L1B_preparation.GRI"} == upstream(dag, "plan_l1b")
    assert "plan_l1b" in upstream(dag, "L1B.RADIO")
    assert "L1B.TILES" in upstream(dag, "plan_tiles")


def test_a_tile_publishes_l1c_before_its_l2a_and_waits_for_no_sibling(dag: DAG) -> None:
    assert "tile.L1C_FORMAT" in upstream(dag, "tile.publish_l1c")
    assert "L1C.L1C_DS" in upstream(dag, "tile.L1C_FORMAT")
    assert "tile.publish_l1c" in upstream(dag, "tile.L2A_TILE")
    assert "tile.L2A_TILE" in upstream(dag, "tile.publish_l2a")
    inside = [task for name, task in dag.task_dict.items() if name.startswith("tile.")]
    assert inside
    for task in inside:
        assert task.trigger_rule.value == "none_failed"
        assert task.map_index_template == "{{ tile_name }}"


def test_everything_ends_in_the_summary(dag: DAG) -> None:
    leaves = [name for name, task in dag.task_dict.items() if not task.downstream_task_ids]
    assert leaves == ["summary"]
    assert dag.task_dict["summary"].trigger_rule.value == "all_done"
    assert dag.task_dict["summary"].retries == 0


def test_every_task_has_a_limit_a_description_and_retries_for_infrastructure(dag: DAG) -> None:
    for name, task in dag.task_dict.items():
        assert task.doc_md, name
        if name not in {"summary", "check_l1c_timeliness"}:
            assert task.execution_timeout is not None, name
            assert task.retries == 2, name


def test_the_deadline_is_our_own_and_not_the_queue_time(dag: DAG) -> None:
    (alert,) = dag.deadline or []
    assert alert.reference.reference_name == "InputAvailability"


def test_the_form_offers_what_can_be_chosen(dag: DAG) -> None:
    schema = {name: dag.params.get_param(name).schema for name in dag.params}
    assert schema["strategy"]["enum"] == ["single_machine", "other"]
    assert schema["from_level"]["enum"] == [None, "L0", "L1A", "L1B", "L1C", "L2A"]
    assert set(schema) == {"datatake", "strategy", "processing_baseline", "from_level", "faults"}
    dag.params.validate()


def test_it_survives_serialisation(dag: DAG) -> None:
    restored = DagSerialization.from_dict(DagSerialization.to_dict(dag))
    assert set(restored.task_dict) == set(dag.task_dict)
    assert isinstance(restored.timetable, DatatakeTimetable)
    assert restored.timetable.periodic
    assert DagSerialization.to_dict(dag) == DagSerialization.to_dict(dag)


def test_a_node_cut_by_one_strategy_is_mapped_over_what_was_planned(graph: NodeGraph) -> None:
    nodes = [Node(n.name, n.level, n.phase_group, n.tasks, ("detector",), n.upstream) if n.name == "DECOMPRESS" else n
             for n in graph.nodes]  # fmt: skip
    cutting = NodeGraph.of(nodes)
    assert cutting.shape() == graph.shape()
    assert cutting.cut() == {"DECOMPRESS"}
    made = build_datatake_dag(
        graph, strategies=["s"], baselines=["05.00"], limits=LIMITS, cut=cutting.cut(), dag_id="d", scheduled=False
    )
    part = made.task_dict["L1A.DECOMPRESS"].expand_input.value["part"]
    assert (part.operator.task_id, part.key) == ("plan_datastrip", "return_value")
    assert made.task_dict["plan_datastrip"].cut_nodes == ["DECOMPRESS"]
    assert made.timetable.can_be_scheduled is False


def test_time_limits_are_those_of_the_installation(dag: DAG) -> None:
    (alert,) = dag.deadline
    assert (alert.interval, alert.name) == (timedelta(minutes=90), "L2A 90 minutes after t0")
    check = dag.task_dict["check_l1c_timeliness"]
    assert check.limit == timedelta(minutes=40)
    assert "within 40 minutes" in str(check.doc_md)
    assert "L1C within 40 minutes, L2A within 90 minutes" in str(dag.doc_md)


def test_the_environment_sets_the_time_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("S2PS_TIMELINESS_L2A_MINUTES", "100")
    assert time_limits() == TimeLimits(timedelta(minutes=75), timedelta(minutes=100))


def test_unknown_upstream_is_named(graph: NodeGraph) -> None:
    with pytest.raises(ValueError, match=r"node LOST reads from unknown nodes \['NOWHERE'\]"):
        NodeGraph.of([*graph.nodes, Node("LOST", graph.nodes[0].level, "l1b", upstream=("NOWHERE",))])


def test_the_session_dag_announces_after_the_level0_units(graph: NodeGraph) -> None:
    made = build_session_dag(graph)
    assert upstream(made, "plan_l0u") == {"register_session"}
    assert upstream(made, "CUT") == {"plan_l0u"}
    assert upstream(made, "announce_datatakes") == {"CUT"}
    assert [asset.name for asset in made.task_dict["announce_datatakes"].outlets] == ["s2ps_datatake"]
    assert upstream(made, "publish_l0u") == {"announce_datatakes"}, "images never wait for telemetry"


def test_dag_files_are_thin_and_import_only_airflow_and_the_factory(root: Path) -> None:
    files = sorted((root / "dags").glob("*.py"))
    assert files
    for file in files:
        source = file.read_text(encoding="utf-8")
        assert len(source.splitlines()) < 60
        imports = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.ImportFrom)]
        assert {str(node.module).split(".")[0] for node in imports} <= {"__future__", "airflow", "s2ps_airflow"}


def test_what_tiles_wait_for_comes_before_them_and_l1c_before_l2a(graph: NodeGraph, dag: DAG) -> None:
    def weight(node: Node) -> int:
        found = [task for name, task in dag.task_dict.items() if name.rpartition(".")[2] == node.name]
        assert [task.weight_rule for task in found] == [found[0].weight_rule]
        return int(found[0].priority_weight)

    tiles = [node for node in graph.nodes if node.phase_group == "tiles"]
    l1c = [weight(node) for node in tiles if node.is_tile and node.level == "L1C"]
    l2a = [weight(node) for node in tiles if node.is_tile and node.level == "L2A"]
    datastrips = [weight(node) for node in tiles if not node.is_tile]
    published = [task.priority_weight for name, task in dag.task_dict.items() if "publish" in name]
    assert min(published) >= min(datastrips) > max(l1c) >= min(l1c) > max(l2a)
