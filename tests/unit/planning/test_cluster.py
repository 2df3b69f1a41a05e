"""Fusing jobs: nothing lost, nothing doubled, no circle; and what the messages name."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from s2ps.graph.expand import expand
from s2ps.graph.job_graph import JobGraph
from s2ps.graph.processor_graph import ProcessorGraph
from s2ps.graph.space import ObservationSpace
from s2ps.model.errors import PlanError
from s2ps.model.mission import levels_of
from s2ps.planning.cluster import ClusterGraph, fuse, validate
from s2ps.planning.critical import predict
from s2ps.planning.planner import plan_phase
from s2ps.planning.strategy import load_strategy
from s2ps.processors.loader import load_baseline

SPACE = ObservationSpace(granules=4, has_gri=True, tiles=("32TPQ", "32TPR"))


def datastrip() -> tuple[JobGraph, ClusterGraph]:
    plan = plan_phase(load_baseline(), load_strategy("nominal"), "datastrip", SPACE, levels_of("INS-NOBS"))
    return plan.graph, plan.clusters


def with_jobs(graph: ClusterGraph, cluster_id: str, jobs: tuple[str, ...]) -> ClusterGraph:
    changed = tuple(replace(item, jobs=jobs) if item.id == cluster_id else item for item in graph.clusters)
    return replace(graph, clusters=changed)


def test_a_plan_is_valid_and_survives_json() -> None:
    jobs, clusters = datastrip()
    validate(jobs, clusters)
    assert ClusterGraph.from_dict(clusters.to_dict()) == clusters
    assert clusters.clusters[0].to_dict() == {
        "id": "l0_location", "node": "l0_location", "label": "", "level": "L0", "data_id": "all",
        "jobs": ["L0.GSE@all", "L0.INIT_LOC_L0@all"], "slots": 1, "cpu": 2.0, "memory_gb": 8.0, "disk_gb": 50.0,
        "time_s": 3600,
    }  # fmt: skip


def test_a_lost_job_is_named() -> None:
    jobs, clusters = datastrip()
    with pytest.raises(PlanError, match=r"jobs in no cluster: L0.GSE@all \(1 in all\)"):
        validate(jobs, with_jobs(clusters, "l0_location", ("L0.INIT_LOC_L0@all",)))


def test_a_doubled_job_is_named() -> None:
    jobs, clusters = datastrip()
    doubled = with_jobs(clusters, "l1a_reference", ("L1A.GET_GRI@all", "L0.GSE@all"))
    with pytest.raises(PlanError, match=r"job L0.GSE@all is in clusters l0_location and l1a_reference"):
        validate(jobs, doubled)


def test_a_job_that_does_not_exist_is_named() -> None:
    jobs, clusters = datastrip()
    with pytest.raises(PlanError, match=r"cluster l1a_reference has job L1A.GET@all, that does not exist"):
        validate(jobs, with_jobs(clusters, "l1a_reference", ("L1A.GET@all",)))


def test_an_order_that_cannot_run_is_named() -> None:
    jobs, clusters = datastrip()
    turned = with_jobs(clusters, "l0_location", ("L0.INIT_LOC_L0@all", "L0.GSE@all"))
    with pytest.raises(PlanError, match=r"job L0.INIT_LOC_L0@all comes before L0.GSE@all"):
        validate(jobs, turned)


def test_a_missing_edge_is_named() -> None:
    jobs, clusters = datastrip()
    kept = tuple(edge for edge in clusters.edges if edge != ("l0_location", "l0_quicklook"))
    with pytest.raises(PlanError, match="l0_location -> l0_quicklook: data goes there"):
        validate(jobs, replace(clusters, edges=kept))


def test_differently_cut_tasks_do_not_fit_one_mapped_cluster() -> None:
    strategy = load_strategy("nominal")
    whole = strategy.model_copy(
        update={"task_partitions": {**strategy.task_partitions, "INIT_LOC_L1": {"detector": 1}}}
    )
    with pytest.raises(PlanError, match=r"cluster l1a_radiometry: jobs .*L1A.INIT_LOC_L1@all.* cut over different"):
        plan_phase(load_baseline(), whole, "datastrip", SPACE, levels_of("INS-NOBS"))


def test_mapping_over_detectors_what_needs_all_of_them_makes_a_circle() -> None:
    """SPATIO needs every detector: fused with the start of the refining, it would wait for itself."""
    strategy = load_strategy("nominal")
    specs = []
    for spec in strategy.clusters:
        if spec.name == "l1b_common_geometry":
            spec = spec.model_copy(update={"tasks": (*spec.tasks, "SPATIO")})
        if spec.name != "l1b_refining":
            specs.append(spec)
    wrong = strategy.model_copy(update={"clusters": tuple(specs)})
    with pytest.raises(PlanError, match=r"l1b_common_geometry.* wait for each other: .*L1B\.SPATIO@all"):
        plan_phase(load_baseline(), wrong, "l1b", SPACE, levels_of("INS-NOBS"))


@settings(max_examples=20, deadline=None)
@given(
    scenes=st.integers(1, 6),
    gri=st.booleans(),
    tiles=st.integers(0, 3),
    kind=st.sampled_from(["INS-NOBS", "INS-RAW", "INS-VIC", "INS-DASC"]),
    strategy=st.sampled_from(["nominal", "single_machine"]),
    group=st.sampled_from(["datastrip", "l1b", "tiles"]),
)
def test_jobs_are_conserved(scenes: int, gri: bool, tiles: int, kind: str, strategy: str, group: str) -> None:
    space = ObservationSpace(granules=scenes, has_gri=gri, tiles=tuple(f"32TP{chr(65 + n)}" for n in range(tiles)))
    plan = plan_phase(load_baseline(), load_strategy(strategy), group, space, levels_of(kind))
    fused = [name for cluster in plan.clusters.clusters for name in cluster.jobs]
    assert sorted(fused) == sorted(plan.graph.jobs) == sorted(plan.prediction.order)
    place = {cluster.id: number for number, cluster in enumerate(plan.clusters.clusters)}
    assert all(place[producer] < place[consumer] for producer, consumer in plan.clusters.edges)


def test_a_job_whose_task_is_in_no_cluster_is_named() -> None:
    graph = expand(
        ProcessorGraph.of(load_baseline(), ["L0U"]), SPACE, load_strategy("nominal").bind(load_baseline()).partitions
    )
    bound = load_strategy("nominal").bind(load_baseline())
    bound.owners = {}
    with pytest.raises(PlanError, match=r"job L0U.EISP_ING_TYP@all is in no cluster of strategy nominal"):
        fuse(graph, bound, {"L0U.EISP_ING_TYP@all": 0})


def test_prediction_follows_durations() -> None:
    bound = load_strategy("single_machine").bind(load_baseline())
    graph = expand(ProcessorGraph.of(load_baseline(), ["L0U", "L0"]), SPACE, bound.partitions)
    slow = predict(graph, lambda job: 100.0 if job.task == "FORMAT_ISP" else 1.0)
    assert [name.split("@")[0] for name in slow.critical_path] == [
        "L0U.EISP_ING_TYP",
        "L0.FORMAT_ISP",
        "L0.FORMAT_METADATA_DS_L0C",
    ]
    assert slow.critical_seconds == 102.0
    assert slow.order[1].startswith("L0.FORMAT_ISP")
