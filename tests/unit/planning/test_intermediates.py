"""What may stay beside a cluster: nothing another cluster, a quality control or a publication reads."""

from __future__ import annotations

from collections import defaultdict

import pytest

from s2ps.graph.space import ObservationSpace
from s2ps.model.errors import ConfigurationError
from s2ps.model.mission import Level
from s2ps.planning.intermediates import scratch_types
from s2ps.planning.plan import Plan
from s2ps.planning.planner import plan_phase
from s2ps.planning.strategy import Strategy, load_strategy
from s2ps.processors.catalogue import Catalogue
from s2ps.processors.loader import load_baseline
from s2ps.processors.phases import PhaseGroup
from s2ps.production.places import Placement
from s2ps.settings import Settings

pytestmark = pytest.mark.unit
SPACE = ObservationSpace(granules=4, has_gri=True, tiles=("32TPQ", "32TPR"))


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load_baseline("05.00")


def placed(place: str, *names: str) -> Strategy:
    """Return the nominal strategy with another place for the intermediates of some clusters, or of all."""
    data = load_strategy("nominal").model_dump(mode="json")
    for cluster in data["clusters"]:
        if not names or cluster["name"] in names:
            cluster["intermediates"] = place
    return Strategy.model_validate(data)


def planned(catalogue: Catalogue, strategy: Strategy, group: PhaseGroup) -> Plan:
    return plan_phase(catalogue, strategy, group, SPACE, list(Level))


def by_task(found: dict[str, frozenset[str]]) -> dict[str, set[str]]:
    types: dict[str, set[str]] = defaultdict(set)
    for job, names in found.items():
        types[job.split("@")[0]] |= names
    return types


def test_only_what_its_own_cluster_reads_stays(catalogue: Catalogue) -> None:
    strategy = placed("scratch", "l1a_radiometry", "l1c_tile")
    found: dict[str, frozenset[str]] = {}
    for group in PhaseGroup:
        found |= scratch_types(planned(catalogue, strategy, group), strategy.bind(catalogue), catalogue)
    assert by_task(found) == {
        "L1A.DECOMP": {"PDI_ATF_LIST", "PDI_DS_GR_LIST", "VECTOR"},
        "L1CTile.TILE_INIT": {"PDI_DS_TILE_LIST"},
        "L1CTile.GEN_ORTHO_TOA": {"PDI_DS_TILE_LIST"},
        "L1CTile.MASK_S2": {"PDI_DS_TILE_LIST", "VECTOR"},
    }


@pytest.mark.parametrize("group", list(PhaseGroup))
def test_nothing_that_leaves_a_cluster_stays_even_if_all_say_scratch(catalogue: Catalogue, group: PhaseGroup) -> None:
    strategy = placed("scratch")
    plan = planned(catalogue, strategy, group)
    found = scratch_types(plan, strategy.bind(catalogue), catalogue)
    cluster_of = {name: cluster.id for cluster in plan.clusters.clusters for name in cluster.jobs}
    for job in plan.graph:
        for entry in job.inputs:
            for producer in entry.jobs:
                if (entry.source_type or entry.type) in found.get(producer, ()):
                    assert cluster_of[producer] == cluster_of[job.id]
                    assert not job.task.startswith(("OLQC_", "INV_MTD_"))
    for job in plan.graph:
        if job.task.startswith(("FORMAT_METADATA_", "OLQC_", "INV_MTD_", "GET_", "EISP")):
            assert job.id not in found


def test_as_long_as_no_cluster_says_scratch_everything_goes_to_the_staging(catalogue: Catalogue) -> None:
    strategy = load_strategy("nominal")
    plan = planned(catalogue, strategy, PhaseGroup.TILES)
    assert scratch_types(plan, strategy.bind(catalogue), catalogue) == {}


def test_the_place_of_intermediates_does_not_change_the_plan(catalogue: Catalogue) -> None:
    plans = [planned(catalogue, placed(place), PhaseGroup.TILES) for place in ("staging", "scratch", "ceph")]
    assert len({plan.plan_hash for plan in plans}) == 1


def test_a_named_store_comes_from_the_settings(catalogue: Catalogue) -> None:
    strategy = placed("bulk", "l1c_tile")
    plan = planned(catalogue, strategy, PhaseGroup.TILES)
    settings = Settings(stores={"bulk": "s3://bulk/demo"})
    stores = Placement.of(plan, strategy, catalogue, settings).stores
    assert set(stores.values()) == {"s3://bulk/demo"}
    assert set(stores) == {
        job for cluster in plan.clusters.clusters if cluster.node == "l1c_tile" for job in cluster.jobs
    }
    with pytest.raises(ConfigurationError, match="there is no store 'bulk'"):
        Placement.of(plan, strategy, catalogue, Settings())
