"""From steps to jobs: counts, parts, parameters, and the join of producers to consumers."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from s2ps.graph.expand import expand
from s2ps.graph.job_graph import JobGraph
from s2ps.graph.partitions import Partitions
from s2ps.graph.processor_graph import ProcessorGraph
from s2ps.graph.space import ObservationSpace
from s2ps.model.dimensions import Dimension
from s2ps.model.errors import PlanError
from s2ps.processors.catalogue import Catalogue, StepKey
from s2ps.processors.loader import load_baseline
from s2ps.processors.spec import InputSpec, OutputSpec, ProcessorSpec, Source, StepSpec

D = Dimension
CUT = (D.DETECTOR, D.BAND, D.ATF)


def step(phase: str, task: str, split: tuple[Dimension, ...], *producers: str, **more: object) -> ProcessorSpec:
    inputs: tuple[InputSpec, ...] = (InputSpec(type="STO_CADU_S", external="session"),)
    if producers:
        inputs = (InputSpec(type="DATA", producers=tuple(Source.parse(name) for name in producers)),)
    spec = StepSpec(phase=phase, task=task, split=split, inputs=inputs, outputs=(OutputSpec(type="DATA"),), **more)
    return ProcessorSpec(name=task, version="1", exit_policy="strict", function="Test.", timeout=60, steps=(spec,))


def jobs_of(
    *specs: ProcessorSpec,
    granules: int = 4,
    partitions: Mapping[str, Mapping[Dimension, int]] | None = None,
    **space: object,
) -> JobGraph:
    observed = ObservationSpace(granules=granules, **space)
    return expand(ProcessorGraph.of(Catalogue("x", specs)), observed, Partitions(partitions or {}))


def test_jobs_are_all_combinations_of_parts() -> None:
    graph = jobs_of(step("L1A", "RAW", CUT), partitions={"L1A": {D.DETECTOR: 2, D.ATF: 3}})
    assert list(graph.jobs) == [
        f"L1A.RAW@atf={atf};detector={detectors}"
        for atf, detectors in product(("001", "002", "003-004"), ("01-02-03-04-05-06", "07-08-09-10-11-12"))
    ]


def test_consumers_get_the_jobs_whose_data_they_share() -> None:
    graph = jobs_of(
        step("L0", "MAKE", CUT),
        step("L1A", "TAKE", CUT, "MAKE@L0"),
        partitions={"L0": {D.DETECTOR: 12, D.ATF: 2}, "L1A": {D.DETECTOR: 6, D.ATF: 4, D.BAND: 13}},
    )
    take = graph.jobs["L1A.TAKE@atf=003;band=B05;detector=03-04"]
    assert take.producers == ("L0.MAKE@atf=003-004;detector=03", "L0.MAKE@atf=003-004;detector=04")


def test_granules_and_fragments_count_the_same_scenes() -> None:
    graph = jobs_of(
        step("L0", "MAKE", (D.ATF,)),
        step("L1A", "TAKE", (D.GRANULE,), "MAKE@L0"),
        partitions={"L0": {D.ATF: 2}, "L1A": {D.GRANULE: 4}},
    )
    assert graph.jobs["L1A.TAKE@granule=002"].producers == ("L0.MAKE@atf=001-002",)


def test_entries_of_the_gri_list_are_no_scenes() -> None:
    graph = jobs_of(
        step("L0", "MAKE", (D.GRANULE,), granules_of="gri"),
        step("L1A", "TAKE", (D.GRANULE,), "MAKE@L0"),
        partitions={"L0": {D.GRANULE: 2}, "L1A": {D.GRANULE: 2}},
        gri_granules=7,
    )
    assert graph.jobs["L1A.TAKE@granule=001-002"].producers == (
        "L0.MAKE@granule=001-002-003",
        "L0.MAKE@granule=004-005-006-007",
    )


def test_product_parts_match_only_with_the_same_modulo() -> None:
    specs = [step("L0", "MAKE", (D.PRODUCT,)), step("L1A", "TAKE", (D.PRODUCT,), "MAKE@L0")]
    same = jobs_of(*specs, partitions={"L0": {D.PRODUCT: 3}, "L1A": {D.PRODUCT: 3}})
    assert same.jobs["L1A.TAKE@product=001"].producers == ("L0.MAKE@product=001",)
    assert same.jobs["L1A.TAKE@product=001"].parameters == {
        "PARALLEL_PRODUCT_MODULO": "3",
        "PARALLEL_PRODUCT_REMAINDER": "1",
    }
    other = jobs_of(*specs, partitions={"L0": {D.PRODUCT: 3}, "L1A": {D.PRODUCT: 2}})
    assert len(other.jobs["L1A.TAKE@product=001"].producers) == 3


def test_a_tile_always_has_a_job_of_its_own() -> None:
    graph = jobs_of(step("L1CTile", "MAKE", (D.TILE,)), tiles=("32TPQ",))
    assert list(graph.jobs) == ["L1CTile.MAKE@tile=32TPQ"]


def test_single_values_are_forced_unless_the_strategy_knows_better() -> None:
    spec = step("L0", "MAKE", (D.DETECTOR,), single=(D.DETECTOR,))
    graph = ProcessorGraph.of(Catalogue("x", [spec]))
    space = ObservationSpace(granules=4)
    assert len(expand(graph, space, Partitions({"L0": {D.DETECTOR: 2}}))) == 12
    assert len(expand(graph, space, Partitions({"L0": {D.DETECTOR: 2}}, respect_single=False))) == 2


def test_several_datastrips_are_kept_apart() -> None:
    graph = jobs_of(step("L0", "MAKE", ()), step("L1A", "TAKE", (), "MAKE@L0"), datastrips=("A", "B"))
    assert {job.id: job.producers for job in graph if job.task == "TAKE"} == {
        "L1A.TAKE@datastrip=A": ("L0.MAKE@datastrip=A",),
        "L1A.TAKE@datastrip=B": ("L0.MAKE@datastrip=B",),
    }


def test_producers_of_several_types_become_several_entries() -> None:
    maker = step("L0", "MAKE", ())
    spec = maker.steps[0].model_copy(update={"outputs": (OutputSpec(type="DATA"), OutputSpec(type="MORE"))})
    maker = maker.model_copy(update={"steps": (spec,)})
    graph = jobs_of(maker, step("L1A", "TAKE", (), "MAKE@L0", "MAKE@L0:MORE"))
    assert [(item.type, item.source_type, item.jobs) for item in graph.jobs["L1A.TAKE@all"].inputs] == [
        ("DATA", None, ("L0.MAKE@all",)),
        ("DATA", "MORE", ("L0.MAKE@all",)),
    ]


def test_an_input_nobody_makes_is_refused() -> None:
    specs = Catalogue("x", [step("L0", "MAKE", ()), step("L1A", "TAKE", (), "MAKE@L0")])
    with pytest.raises(PlanError, match="TAKE@L1A: no job makes its input DATA; expected: a job of MAKE@L0"):
        expand(ProcessorGraph.of(specs, ["L1A"]), ObservationSpace(granules=4), Partitions())


def test_nothing_observed_is_refused() -> None:
    with pytest.raises(PlanError, match="MAKE@L0: nothing was observed on dimension atf"):
        jobs_of(step("L0", "MAKE", (D.ATF,)), granules=0)


def test_job_ids_stay_short_enough_for_folders() -> None:
    graph = jobs_of(step("L0", "MAKE", CUT), granules=140, partitions={"L0": {D.ATF: 2, D.DETECTOR: 1}})
    assert list(graph.jobs) == ["L0.MAKE@atf=001..070", "L0.MAKE@atf=071..140"]


def test_real_parts_in_job_order_form() -> None:
    catalogue = load_baseline()
    partitions = Partitions(
        {"L0": {D.DETECTOR: 6, D.QL_BAND: 5, D.GRANULE: 2}, "L1A": {D.DETECTOR: 12, D.BAND: 13, D.ATF: 2}},
        {StepKey("L0", "FORMAT_METADATA_GR_L0C"): {D.GRANULE: 1}},
    )
    phases = ["L0U", "L0", "OLQC_L0DS", "OLQC_L0GR", "L1A"]
    graph = expand(
        ProcessorGraph.of(catalogue, phases), ObservationSpace(granules=5), partitions, {"CREATION_DATE": "x"}
    )
    decomp = graph.jobs["L1A.DECOMP@atf=003-004-005;band=B12;detector=07"].parameters
    expected = {
        "PARALLEL_ATF": "true", "PARALLEL_ATF_BEGIN_GRANULE": "003", "PARALLEL_ATF_END_GRANULE": "005",
        "PARALLEL_ATF_BEGIN_MARGIN": "0000", "PARALLEL_ATF_DETECTOR_IDENT": "07", "PARALLEL_BAND": "true",
        "PARALLEL_BAND_IDENT": "B12", "DATABLOCK_NUMBER": "001", "CREATION_DATE": "x",
    }  # fmt: skip
    assert expected.items() <= decomp.items()
    quicklook = graph.jobs["L0.QL_GEO@detector=01-02;ql_band=B11"].parameters
    assert (quicklook["PARALLEL_BAND_QL_IDENT"], quicklook["PARALLEL_DETECTOR_IDENT"]) == ("B11", "01-02")
    isp = graph.jobs["L0.FORMAT_ISP@detector=11-12;granule=003-004-005"].parameters
    assert (isp["PARALLEL_GRANULE_BEGIN"], isp["PARALLEL_GRANULE_END"]) == ("003", "005")
    whole = graph.jobs["L0.FORMAT_METADATA_GR_L0C@detector=01-02"].parameters
    assert (whole["PARALLEL_GRANULE"], whole["PARALLEL_GRANULE_BEGIN"], whole["PARALLEL_GRANULE_END"]) == (
        "false",
        "001",
        "005",
    )


def test_options_of_a_step_win() -> None:
    graph = expand(
        ProcessorGraph.of(load_baseline(), ["L0U", "L0", "OLQC_L0DS", "OLQC_L0GR", "L1A", "L1B"]),
        ObservationSpace(granules=4, has_gri=True, gri_granules=9),
        Partitions({"L1B": {D.GRANULE: 2}}),
        {"GRI_BAND_ID": "B04"},
    )
    unpack = graph.jobs["L1B.UNFORMAT_GRI@granule=005-006-007-008-009"]
    assert unpack.parameters["PARALLEL_DETECTOR_IDENT"] == "01"
    assert unpack.parameters["GRI_DECOMPRESSION"] == "true"
    assert (unpack.parameters["PARALLEL_GRANULE_BEGIN"], unpack.parameters["PARALLEL_GRANULE_END"]) == ("005", "009")
    assert graph.jobs["L1A.GET_GRI@all"].parameters["GRI_BAND_ID"] == "B03"
    assert len([job for job in graph if job.task == "UNFORMAT_GRI_MASK"]) == 12


def test_tiles_are_numbered_by_the_tile_list() -> None:
    spec = step("L1CTile", "MAKE", (D.TILE,), parameters={"PARALLEL_TILE": "false", "PARALLEL_TILE_IDENT": "001"})
    graph = jobs_of(spec, tiles=("32TQR", "32TPQ", "32TNQ"))
    assert {job.id: dict(job.parameters) for job in graph} == {
        "L1CTile.MAKE@tile=32TQR": {"PARALLEL_TILE": "true", "PARALLEL_TILE_IDENT": "001"},
        "L1CTile.MAKE@tile=32TPQ": {"PARALLEL_TILE": "true", "PARALLEL_TILE_IDENT": "002"},
        "L1CTile.MAKE@tile=32TNQ": {"PARALLEL_TILE": "true", "PARALLEL_TILE_IDENT": "003"},
    }


def test_outputs_of_the_session_are_marked() -> None:
    graph = expand(
        ProcessorGraph.of(load_baseline(), ["L0U", "L0"]), ObservationSpace(granules=4), Partitions({"L0": {}})
    )
    entry = next(item for item in graph.jobs["L0.INIT_LOC_L0@all"].inputs if item.type == "PDI_DS")
    assert (entry.jobs, entry.source_type, entry.from_session) == (("L0U.EISP_ING_TYP@all",), "DS_GR_FOLDER", True)
    session = graph.jobs["L0U.EISP_ING_TYP@all"].inputs
    assert [(item.type, item.external, item.jobs) for item in session] == [("STO_CADU_S", "session", ())]


_NUMBERS = st.fixed_dictionaries({}, optional={dimension: st.integers(1, 5) for dimension in CUT})


@settings(max_examples=40, deadline=None)
@given(granules=st.integers(1, 9), first=_NUMBERS, second=_NUMBERS)
def test_nothing_is_lost_or_doubled(granules: int, first: dict[Dimension, int], second: dict[Dimension, int]) -> None:
    """Parts of a step tile the space; a job has an edge exactly to the jobs whose data id overlaps its own."""
    space = ObservationSpace(granules=granules)
    graph = jobs_of(
        step("L0", "MAKE", CUT),
        step("L1A", "TAKE", CUT, "MAKE@L0"),
        granules=granules,
        partitions={"L0": first, "L1A": second},
    )
    for task, numbers in (("MAKE", first), ("TAKE", second)):
        mine = [job for job in graph if job.task == task]
        cells: list[tuple[str, ...]] = []
        for job in mine:
            cells += product(*(job.data_id.values(dim) or space.values(dim) for dim in CUT))
        assert sorted(cells) == sorted(product(*(space.values(dim) for dim in CUT)))
        expected = 1
        for dim in CUT:
            expected *= min(numbers.get(dim, 1), len(space.values(dim)))
        assert len(mine) == expected
    makers = [job for job in graph if job.task == "MAKE"]
    for job in graph:
        if job.task == "TAKE":
            assert set(job.producers) == {maker.id for maker in makers if maker.data_id.overlaps(job.data_id)}


def test_the_join_looks_only_at_pairs_it_forms() -> None:
    """5,200 jobs: a naive join would look at 6.7 million pairs."""
    graph = jobs_of(
        step("L0", "MAKE", CUT),
        step("L1A", "TAKE", CUT, "MAKE@L0"),
        granules=20,
        partitions={"L0": {D.DETECTOR: 10, D.BAND: 13, D.ATF: 20}, "L1A": {D.DETECTOR: 10, D.BAND: 13, D.ATF: 20}},
    )
    assert len(graph) == 5200
    assert sum(1 for _ in graph.edges()) == 2600
    assert graph.comparisons <= 2600 + 2 * (10 + 13 + 20)


def test_a_job_graph_survives_json() -> None:
    graph = jobs_of(step("L0", "MAKE", CUT), step("L1A", "TAKE", CUT, "MAKE@L0"), partitions={"L0": {D.ATF: 2}})
    data = graph.to_dict()
    assert JobGraph.from_dict(data) == graph
    assert data["jobs"][0]["id"] == "L0.MAKE@atf=001-002"
    assert data["jobs"][2]["inputs"] == [
        {
            "type": "DATA",
            "kind": "Directory",
            "jobs": ["L0.MAKE@atf=001-002", "L0.MAKE@atf=003-004"],
            "source_type": None,
            "from_session": False,
            "external": None,
        }
    ]
