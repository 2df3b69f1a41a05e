"""Processors that fail, hang or forget an output; running again; datatakes and levels of a run."""

from __future__ import annotations

from collections import Counter

import pytest
from integration.missions import Mission, Record
from integration.story import SLOW_LIMIT_S, TILE, Story

from s2ps.execution.result import ClusterResult, JobResult
from s2ps.graph.space import ObservationSpace
from s2ps.model.mission import Level, levels_of
from s2ps.model.names import PdiName, UserProductName
from s2ps.planning.planner import plan_phase
from s2ps.processors.phases import PhaseGroup, phase_of
from s2ps.production import RunKey
from s2ps.production.definitions import catalogue_of, strategy_of

pytestmark = pytest.mark.integration

OTHERS = {"32TMR", "32TPR", "32TQR", "32TMQ", "32TNQ", "32TPQ", "32TQQ"}


def _job(result: ClusterResult, task: str) -> JobResult:
    return next(job for job in result.jobs if job.task == task)


def _tiles(listing: list[str], level: str) -> Counter[str]:
    names = [entry.split("/")[1] for entry in listing if entry.startswith(f"{level}/") and entry.endswith(".SAFE")]
    return Counter(UserProductName.parse(name).tile for name in names)


def _jobs(names: list[str]) -> set[str]:
    return {name.split("/", 1)[1] for name in names}


def test_an_output_that_is_missing_fails_the_job(story: Story) -> None:
    result = story.cluster("omit")
    assert result.state == "failed"
    job = _job(result, "TILE_INIT")
    assert (job.state, job.exit_code) == ("failed", 0)
    assert job.error is not None
    assert f"TILE_INIT tile={TILE}" in job.error
    assert "PDI_DS_TILE_LIST is missing" in job.error
    assert result.error == job.error
    assert {other.state for other in result.jobs if other.id != job.id} == {"not_run"}


def test_a_job_that_takes_too_long_is_killed(story: Story) -> None:
    result = story.cluster("slow")
    assert result.state == "failed"
    job = _job(result, "TILE_INIT")
    assert job.state == "failed"
    assert job.error is not None
    assert f"TILE_INIT tile={TILE} was killed after" in job.error
    assert f"its limit is {SLOW_LIMIT_S:g} s" in job.error
    assert SLOW_LIMIT_S <= job.seconds < 60
    assert {other.state for other in result.jobs if other.id != job.id} == {"not_run"}


def test_a_failure_names_processor_data_code_and_log(story: Story) -> None:
    told = story.told("fail")
    assert told.record.error_type == "ProcessorFailure"
    assert f"cluster l1c_tile@tile={TILE}" in told.record.error
    assert f"GEN_ORTHO_TOA tile={TILE} ended with exit code 133" in told.record.error
    assert "[E] GEN_ORTHO_TOA: fault injected by S2PS_FAULT" in told.record.error
    assert told.record.next_step
    logs = story.mission.home / "staging" / "runs" / story.mission.datatake / "logs"
    assert (logs / f"L1CTile.GEN_ORTHO_TOA@tile={TILE}.log").is_file()
    assert (logs / f"L1CTile.GEN_ORTHO_TOA@tile={TILE}.JobOrder.xml").is_file()


def test_the_other_tiles_are_finished_all_the_same(story: Story) -> None:
    told = story.told("fail")
    assert _tiles(told.listing, "L1C") == dict.fromkeys(OTHERS, 1)
    assert _tiles(told.listing, "L2A") == dict.fromkeys(OTHERS, 1)
    assert not [entry for entry in told.listing if TILE in entry]
    assert not told.partial


def test_running_again_runs_what_is_missing(story: Story) -> None:
    """TILE_INIT of the tile had ended well before the fault; everything after it had not."""
    before, record = story.told("fail").record, story.told("mended").record
    assert record.error == ""
    done = _jobs(record.done)
    assert done
    assert all(f"tile={TILE}" in job for job in done), sorted(done)
    assert f"L1CTile.TILE_INIT@tile={TILE}" not in done
    assert {f"L1CTile.GEN_ORTHO_TOA@tile={TILE}", f"L2ATL.SEN2COR_TL@tile={TILE}"} <= done
    assert set(before.done) | set(before.reused) <= set(record.reused)
    assert len(record.done) + len(record.reused) == len(record.planned_jobs) == len(set(record.planned_jobs))
    listing = story.told("mended").listing
    assert _tiles(listing, "L1C") == _tiles(listing, "L2A") == dict.fromkeys({*OTHERS, TILE}, 1)


def test_results_are_those_of_an_undisturbed_run(story: Story) -> None:
    """The tile, made anew without any fault and with the same creation date, is the same bit by bit."""
    record = story.told("undisturbed").record
    assert record.error == ""
    planned = {job for job in _jobs(record.planned_jobs) if f"tile={TILE}" in job}
    assert _jobs(record.done) == planned
    assert len(planned) >= 13
    assert story.outputs("outputs undisturbed") == story.outputs("outputs")


def test_publishing_twice_gives_no_second_product(story: Story) -> None:
    assert story.told("undisturbed").listing == story.told("mended").listing
    mission = story.mission
    before = mission.listing()
    run = RunKey("datatake", mission.datatake, "single_machine")
    again = mission.production.publish(run, "l1c", TILE)
    assert mission.listing() == before
    assert {path.name for path in again} <= {entry.split("/")[1] for entry in before}


def test_from_a_level_on_everything_is_new_and_nothing_before(story: Story) -> None:
    told, before = story.told("from L2A"), story.told("undisturbed")
    assert told.record.error == ""
    plan = story.mission.production.stored_plan(story.mission.datatake, PhaseGroup.TILES)
    of_l2a = {job.id for job in plan.graph if phase_of(job.phase).level is Level.L2A}
    assert _jobs(told.record.done) == of_l2a
    assert len(of_l2a) > 30
    added = set(told.listing) - set(before.listing)
    assert set(before.listing) <= set(told.listing)
    assert {entry.split("/")[0] for entry in added} == {"L2A"}
    old = {UserProductName.parse(e.split("/")[1]).discriminator for e in before.listing if e.startswith("L2A/S2B_MSI")}
    new = {UserProductName.parse(e.split("/")[1]).discriminator for e in added if e.endswith(".SAFE")}
    assert len(old) == len(new) == 1
    assert min(new) > max(old)
    assert _tiles(sorted(added), "L2A") == dict.fromkeys({*OTHERS, TILE}, 1)


def test_two_datatakes_of_a_session_are_two_runs(three_scenes: tuple[Mission, Record]) -> None:
    mission, record = three_scenes
    expected = [take.name for take in mission.truth.mission.takes()]
    assert len(expected) == 2
    assert record.datatakes == expected
    for datatake in expected:
        assert len([job for job in record.done if job.startswith(f"{datatake}/")]) > 10
        assert (mission.home / "staging" / "runs" / datatake / "state.json").is_file()
    datastrips = [PdiName.parse(path.name) for path in mission.items("L0") if "_L0__DS_" in path.name]
    assert [name.sensing_start for name in datastrips] == [take.start for take in mission.truth.mission.takes()]


def test_a_raw_observation_gets_every_level(story: Story) -> None:
    """INS-RAW, really run: L1A products too."""
    levels = {entry.split("/")[0] for entry in story.told("mended").listing}
    assert levels == {"L0", "L1A", "L1B", "L1C", "L2A", "HKTM", "SAD"}
    kinds = Counter(PdiName.parse(path.name).file_type for path in story.mission.items("L1A"))
    assert kinds == {"MSI_L1A_DS": 1, "MSI_L1A_GR": 48}


@pytest.mark.parametrize(
    ("datatake_type", "expected"),
    [
        ("INS-NOBS", {"L0", "L1A", "L1B", "L1C", "L2A"}),
        ("INS-VIC", {"L0", "L1A", "L1B", "L1C"}),
        ("INS-DASC", {"L0", "L1A"}),
        ("INS-ABSR", {"L0", "L1A"}),
        ("INS-EOBS", {"L0", "L1A"}),
        ("INS-NOBS-DEGRADED", {"L0"}),
    ],
)
@pytest.mark.parametrize("strategy", ["single_machine", "nominal"])
def test_levels_that_are_planned(refined: Mission, datatake_type: str, expected: set[str], strategy: str) -> None:
    """L1A jobs (radiometry) belong to every level above; its items are made only where L1A is a product."""
    space = ObservationSpace(granules=4, has_gri=True, gri_granules=4, tiles=("32TNR", "32TPR"))
    catalogue, chosen = catalogue_of(refined.settings), strategy_of(refined.settings, strategy)
    levels = levels_of(datatake_type, 48)
    groups = (PhaseGroup.DATASTRIP, PhaseGroup.L1B, PhaseGroup.TILES)
    jobs = [job for group in groups for job in plan_phase(catalogue, chosen, group, space, levels).graph]
    assert {phase_of(job.phase).level.value for job in jobs} == expected
    items = {job.task for job in jobs}
    assert ("FORMAT_METADATA_GR_L1A" in items) == (Level.L1A in levels)


def test_a_nominal_observation_gets_no_l1a_products(refined: Mission) -> None:
    assert not (refined.products_folder / "PDI" / "L1A").exists()
