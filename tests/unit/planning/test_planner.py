"""Plans of the two strategies: numbers of jobs, clusters, hashes, names across phase groups, JSON."""

from __future__ import annotations

import json
import re
from collections import Counter
from functools import cache
from itertools import pairwise

import pytest

from s2ps.graph.space import ObservationSpace
from s2ps.model.errors import PlanError
from s2ps.model.mission import Level, levels_of
from s2ps.planning.plan import Plan
from s2ps.planning.planner import plan_phase
from s2ps.planning.strategy import load_strategy
from s2ps.processors.catalogue import StepKey
from s2ps.processors.loader import load_baseline

GROUPS = ("l0u", "datastrip", "l1b", "tiles")
NOBS = levels_of("INS-NOBS")


def tiles(count: int) -> tuple[str, ...]:
    return tuple(f"32T{chr(80 + number // 9)}{chr(65 + number % 9)}" for number in range(count))


@cache
def plans(strategy: str, scenes: int, tile_count: int, gri: bool = True, kind: str = "INS-NOBS") -> dict[str, Plan]:
    space = ObservationSpace(granules=scenes, has_gri=gri, tiles=tiles(tile_count))
    chosen = load_strategy(strategy)
    return {group: plan_phase(load_baseline(), chosen, group, space, levels_of(kind)) for group in GROUPS}


def counted(plan: dict[str, Plan], *, in_tables: bool) -> Counter[str]:
    """Jobs per phase that the real chain counts, or those that are ours."""
    catalogue = load_baseline()
    jobs = (job for group in GROUPS for job in plan[group].graph)
    return Counter(
        job.phase
        for job in jobs
        if (catalogue.step(StepKey(job.phase, job.task)).spec.table_name == job.phase) == in_tables
    )


def test_nominal_has_the_jobs_of_the_real_chain() -> None:
    numbers = counted(plans("nominal", 16, 18), in_tables=True)
    assert numbers == {
        "L0": 128, "OLQC_L0DS": 1, "OLQC_L0GR": 8, "L1A": 533, "L1B": 222, "OLQC_L1BDS": 1, "L1BFormatGR": 392,
        "L1CTile": 18 * 31, "OLQC_L1CDS": 2,
    }  # fmt: skip
    assert numbers.total() == 1845


def test_our_further_jobs_are_explained() -> None:
    numbers = counted(plans("nominal", 16, 18), in_tables=False)
    assert numbers == {
        "L0U": 1,  # ingestion
        "L0": 1,  # GSE
        "OLQC_L0DS": 1, "OLQC_L0GR": 8, "OLQC_L1BDS": 1, "L1BFormatGR": 8, "OLQC_L1CDS": 1,  # inventory
        "L1CTile": 18 * 2,  # quality control and inventory of each tile
        "L2ADS": 4,
        "L2ATL": 18 * 5,
    }  # fmt: skip
    assert numbers.total() == 151


def test_nominal_tasks_one_by_one() -> None:
    counts = plans("nominal", 16, 18)["datastrip"].graph.counts()
    assert counts["L0"] == {
        "GSE": 1, "INIT_LOC_L0": 1, "FORMAT_ISP": 48, "QL_GEO": 60, "QL_CLOUD_MASK": 1, "FORMAT_IMG_QL_L0": 5,
        "FORMAT_METADATA_GR_L0C": 12, "FORMAT_METADATA_DS_L0C": 1,
    }  # fmt: skip
    assert counts["L1A"] == {
        "UNFORMAT_SAFE_DS": 1, "UNFORMAT_SAFE_GR": 12, "QL_DECOMP": 13, "QL_CLOUD_MASK": 1, "UPDATE_LOC": 1,
        "DECOMP": 312, "INIT_LOC_L1": 12, "RADIO_AB": 24, "RADIO_FINALIZE": 156, "GET_GRI": 1,
    }  # fmt: skip
    l1b = plans("nominal", 16, 18)["l1b"].graph.counts()
    assert l1b["L1B"] == {
        "INIT_VS_GEO": 1, "UNFORMAT_GRI_MASK": 12, "UNFORMAT_GRI": 2, "RESAMPLE_TO_VS_IMAGE": 12,
        "RESAMPLE_TO_VS_GRI": 12, "TP_COLLECT": 12, "TP_FILTER": 12, "SPATIO": 1, "GEO1B_FINALIZE": 156,
        "FORMAT_METADATA_DS_L1B": 1, "GET_TILE_LIST": 1,
    }  # fmt: skip


def test_without_reference_images() -> None:
    counts = plans("nominal", 16, 18, False)["l1b"].graph.counts()
    assert counts["L1BNoGRI"] == {"GEO1B_FINALIZE": 4, "FORMAT_METADATA_DS_L1B": 1, "GET_TILE_LIST": 1}
    assert "L1B" not in counts
    tile = plans("nominal", 16, 18, False)["tiles"].graph.jobs["L1CTile.TILE_INIT@tile=32TPA"]
    assert set(tile.producers) == {"L1BNoGRI.GET_TILE_LIST@all"}


def test_l1a_products_are_made_for_calibration_only() -> None:
    raw = plans("nominal", 16, 18, True, "INS-RAW")["datastrip"].graph.counts()
    assert raw["L1AFormatGR"] == {
        "FORMAT_IMG_L1A": 48, "FORMAT_METADATA_GR_L1A": 12, "OLQC_GR_L1A": 8, "INV_MTD_L1": 8,
    }  # fmt: skip
    assert raw["L1AFormatDS"] == {"FORMAT_METADATA_DS_L1A": 1, "OLQC_DS_L1A": 1, "INV_MTD_L1": 1}
    assert "L1AFormatGR" not in plans("nominal", 16, 18)["datastrip"].graph.counts()


def test_levels_choose_the_phases() -> None:
    dark = plans("single_machine", 4, 2, True, "INS-DASC")
    assert [len(dark[group].graph) for group in ("l1b", "tiles")] == [0, 0]
    assert "L1AFormatGR" in dark["datastrip"].graph.counts()
    assert set(plans("single_machine", 4, 2, True, "INS-VIC")["tiles"].graph.counts()) == {"OLQC_L1CDS", "L1CTile"}
    other = plans("single_machine", 4, 2, True, "INS-TST")["datastrip"].graph.counts()
    assert set(other) == {"L0", "OLQC_L0DS", "OLQC_L0GR"}


@pytest.mark.parametrize(("scenes", "tile_count"), [(4, 3), (16, 18), (4, 30)])
def test_granule_ranges_follow_scenes_and_not_tiles(scenes: int, tile_count: int) -> None:
    jobs = [job for job in plans("nominal", scenes, tile_count)["l1b"].graph if job.task == "FORMAT_METADATA_GR_L1B"]
    ends = {(job.parameters["PARALLEL_GRANULE_BEGIN"], job.parameters["PARALLEL_GRANULE_END"]) for job in jobs}
    assert ends == {(f"{number:03d}", f"{number:03d}") for number in range(1, scenes + 1)}
    assert len(jobs) == 12 * scenes


def test_single_machine_needs_few_jobs() -> None:
    plan = plans("single_machine", 4, 7)
    assert {group: len(plan[group].graph) for group in GROUPS} == {"l0u": 1, "datastrip": 25, "l1b": 19, "tiles": 105}
    assert sum(plan["tiles"].graph.counts()["L1CTile"].values()) == 7 * 9
    whole = plan["l1b"].graph.jobs["L1B.GEO1B_FINALIZE@all"].parameters
    assert whole["PARALLEL_DETECTOR_IDENT"] == "01-02-03-04-05-06-07-08-09-10-11-12"


@pytest.mark.parametrize("strategy", ["nominal", "single_machine"])
@pytest.mark.parametrize("gri", [True, False])
@pytest.mark.parametrize("kind", ["INS-NOBS", "INS-RAW"])
def test_every_producer_is_planned_in_its_own_group(strategy: str, gri: bool, kind: str) -> None:
    """Later groups name inputs by the ids that earlier plans gave to their jobs."""
    planned: set[str] = set()
    chain = plans(strategy, 4, 7, gri, kind)
    for group in GROUPS:
        for job in (chain[group].graph.jobs[name] for name in chain[group].prediction.order):
            assert set(job.producers) <= planned, job.id
            assert all(entry.jobs or entry.external for entry in job.inputs), job.id
            planned.add(job.id)


def test_earlier_jobs_keep_their_names_when_more_becomes_known() -> None:
    early = ObservationSpace(granules=4)
    plan = plan_phase(load_baseline(), load_strategy("nominal"), "datastrip", early, NOBS)
    assert list(plan.graph.jobs) == list(plans("nominal", 4, 3)["datastrip"].graph.jobs)


@pytest.mark.parametrize("strategy", ["nominal", "single_machine"])
def test_each_tile_has_its_own_clusters_and_waits_for_no_other(strategy: str) -> None:
    plan = plans(strategy, 4, 7)["tiles"]
    mine = {cluster.id: cluster for cluster in plan.clusters.clusters if cluster.data_id.parts}
    assert Counter(cluster.node for cluster in mine.values()) == {"l1c_tile": 7, "l2a_tile": 7}
    assert mine["l1c_tile@tile=32TPA"].label == "32TPA"
    for producer, consumer in plan.clusters.edges:
        if producer in mine and consumer in mine:
            assert mine[producer].label == mine[consumer].label
    assert ("l1c_tile@tile=32TPA", "l2a_tile@tile=32TPA") in plan.clusters.edges


def test_ids_can_name_folders() -> None:
    segment = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.;=@+,-]{0,199}")
    for group in GROUPS:
        plan = plans("nominal", 42, 4)[group]
        names = [*plan.graph.jobs, *(cluster.id for cluster in plan.clusters.clusters)]
        assert [name for name in names if not segment.fullmatch(name)] == []


def test_jobs_of_a_cluster_come_in_a_runnable_order() -> None:
    plan = plans("nominal", 16, 18)["datastrip"]
    done: set[str] = set()
    for cluster in plan.clusters.clusters:
        for job in plan.jobs_of(cluster.id):
            assert {name for name in job.producers if name in plan.graph.jobs} <= done, job.id
            done.add(job.id)
    assert done == set(plan.graph.jobs)


def test_an_unknown_cluster_is_named() -> None:
    with pytest.raises(PlanError, match="has no cluster l1z; expected: one of l0_"):
        plans("nominal", 16, 18)["datastrip"].cluster("l1z")


def test_an_unknown_phase_group_is_named() -> None:
    with pytest.raises(PlanError, match="no phase group 'l1c'; expected: one of l0u, datastrip"):
        plan_phase(load_baseline(), load_strategy("nominal"), "l1c", ObservationSpace(), NOBS)


def test_a_plan_survives_json() -> None:
    plan = plans("single_machine", 4, 7)["tiles"]
    assert Plan.from_json(plan.to_json()) == plan
    data = json.loads(plan.to_json())
    data["levels"] = ["L7"]
    with pytest.raises(PlanError, match="not a plan"):
        Plan.from_dict(data)
    with pytest.raises(PlanError, match="schema version 2"):
        Plan.from_dict({"schema_version": 2})
    with pytest.raises(PlanError, match="not JSON"):
        Plan.from_json("{")


def test_the_hash_follows_everything_that_matters() -> None:
    catalogue, strategy = load_baseline(), load_strategy("single_machine")
    space = ObservationSpace(granules=4)

    def digest(**changed: object) -> str:
        values = {"strategy": strategy, "space": space, "levels": NOBS, "parameters": {}, **changed}
        return plan_phase(catalogue, phase_group="datastrip", **values).plan_hash  # type: ignore[arg-type]

    hashes = [
        digest(),
        digest(strategy=strategy.model_copy(update={"respect_single": True})),
        digest(space=ObservationSpace(granules=5)),
        digest(levels=levels_of("INS-RAW")),
        digest(parameters={"CREATION_DATE": "2026-07-01T10:00:00Z"}),
    ]
    assert len(set(hashes)) == 5
    assert digest() == hashes[0]
    assert digest(levels=tuple(reversed(NOBS))) == hashes[0]
    assert re.fullmatch("[0-9a-f]{64}", hashes[0])


def test_parameters_of_the_run_reach_every_job() -> None:
    plan = plan_phase(
        load_baseline(),
        load_strategy("single_machine"),
        "datastrip",
        ObservationSpace(granules=4),
        NOBS,
        {"CREATION_DATE": "2026-07-01T10:00:00Z", "PROCESSING_CENTER": "TEST"},
    )
    for job in plan.graph:
        assert job.parameters["CREATION_DATE"] == "2026-07-01T10:00:00Z"
        assert job.parameters["PROCESSING_CENTER"] == "TEST"
        assert job.parameters["PROCESSING_BASELINE"] == "05.00"


def test_critical_path_is_a_chain_of_edges() -> None:
    plan = plans("nominal", 16, 18)["datastrip"]
    path = plan.prediction.critical_path
    edges = set(plan.graph.edges())
    assert all(pair in edges for pair in pairwise(path))
    assert path[0] == "L0.GSE@all"
    assert path[-1] == "L1A.GET_GRI@all"
    assert plan.prediction.critical_seconds == len(path) == 14
    assert plan.prediction.total_seconds == len(plan.graph)


def test_l0u_alone() -> None:
    plan = plan_phase(load_baseline(), load_strategy("nominal"), "l0u", ObservationSpace(), [Level.L0])
    assert list(plan.graph.jobs) == ["L0U.EISP_ING_TYP@all"]
    assert [cluster.id for cluster in plan.clusters.clusters] == ["l0u_ingestion"]
