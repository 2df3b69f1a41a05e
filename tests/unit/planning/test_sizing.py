"""Nodes for a load: small cases computed by hand, and what holds for every load."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from s2ps.graph.job_graph import Job, JobInput
from s2ps.graph.space import ObservationSpace
from s2ps.model.dimensions import DataId
from s2ps.model.errors import ConfigurationError, PlanError
from s2ps.model.mission import Level, levels_of
from s2ps.planning.sizing import manifests
from s2ps.planning.sizing.demand import Pod, datatake, duration, earliest
from s2ps.planning.sizing.durations import median_seconds
from s2ps.planning.sizing.fleet import NodeType, Room, assign, out_of_reach
from s2ps.planning.sizing.load import Load
from s2ps.planning.sizing.schedule import Schedule
from s2ps.planning.sizing.size import Answer, Question, size
from s2ps.planning.strategy import ClusterSpec, load_strategy
from s2ps.processors.loader import load_baseline

pytestmark = pytest.mark.unit

ONE = NodeType("one", Room(4, 16, 100), 1.0)
"""Holds one pod of `spec()`."""
NOTHING = Room(0, 0, 0)


def spec(name: str = "work", cpu: float = 4, memory: float = 8, disk: float = 10, **pod: object) -> ClusterSpec:
    return ClusterSpec.model_validate(
        {
            "name": name, "level": "L1C", "phase_group": "tiles", "tasks": ["GEN_ORTHO_TOA"], "pod": pod,
            "resources": {"cpu": cpu, "memory_gb": memory, "disk_gb": disk, "time_s": 3600},
        }
    )  # fmt: skip


DIAMOND = (
    Pod("a", "work", Level.L1C, 10, (), 1),
    Pod("b", "work", Level.L1C, 20, (0,), 1),
    Pod("c", "work", Level.L1C, 20, (0,), 1),
    Pod("d", "work", Level.L1C, 5, (1, 2), 1),
)
"""Two in the middle may run together. With 1 s to start a pod: 59 s on one node, 38 s on two."""


def ask(limit: float, load: Load | None = None, node_start_s: float = 0.0, **more: object) -> Question:
    values = {
        "pods": DIAMOND, "specs": (spec(),), "load": load or Load(concurrent=1), "types": (ONE,),
        "limits": {Level.L1C: limit}, "start_s": 1.0, "node_start_s": node_start_s, "system": NOTHING,
    }  # fmt: skip
    return Question(**{**values, **more})  # type: ignore[arg-type]


def nodes(answer: Answer) -> tuple[int, int]:
    (pool,) = answer.pools
    return pool.always, pool.most


def test_one_node_runs_one_pod_after_the_other() -> None:
    answer = size(ask(60))
    assert nodes(answer) == (0, 1)
    assert answer.schedule.latency(Level.L1C) == 11 + 21 + 21 + 6


def test_two_nodes_run_the_middle_together() -> None:
    answer = size(ask(40))
    assert nodes(answer)[1] == 2
    assert answer.schedule.latency(Level.L1C) == 11 + 21 + 6


def test_no_number_of_nodes_beats_the_critical_path() -> None:
    with pytest.raises(PlanError, match=r"L1C needs 0\.6 minutes on any number of nodes, its limit is 0\.5"):
        size(ask(30))


def test_nodes_that_come_late_must_be_there_always() -> None:
    assert nodes(size(ask(40, node_start_s=2))) == (0, 2)
    # Two seconds are to spare: the first pod may wait for its node, but not for three.
    assert nodes(size(ask(40, node_start_s=3)))[0] > 0
    assert nodes(size(ask(40, node_start_s=100))) == (2, 2)


@pytest.mark.parametrize(("count", "limit", "most"), [(1, 59, 1), (2, 118, 1), (2, 117, 2), (3, 38, 6)])
def test_datatakes_at_once_share_nodes(count: int, limit: float, most: int) -> None:
    assert nodes(size(ask(limit, Load(concurrent=count))))[1] == most


def test_a_rate_needs_what_it_uses_in_the_long_run() -> None:
    # 59 s of one node every 60 s are 98 percent of it: more than the 90 that a pool may use.
    assert nodes(size(ask(10000, Load(per_hour=60))))[1] == 2
    assert nodes(size(ask(10000, Load(per_hour=50))))[1] == 1


def test_quotas_count_pods_that_wait() -> None:
    answer = size(ask(60))
    assert answer.schedule.peak({"work": Room(4, 8, 10)}) == (2, Room(8, 16, 20))
    assert answer.near_real_time.pods == 3
    assert answer.near_real_time.room.cpu == pytest.approx(8 * 1.1)


def test_a_cluster_goes_where_its_place_is_cheapest() -> None:
    small, large = NodeType("small", Room(8, 16, 100), 1.0), NodeType("large", Room(32, 256, 1000), 5.0)
    specs = [
        spec("lean", 4, 4),
        spec("fat", 4, 16),
        spec("huge", 16, 64),
        spec("pinned", 4, 4, node_selector={"s2ps/pool": "large"}),
    ]
    chosen = {name: kind.name for name, kind in assign(specs, (small, large), NOTHING).items()}
    # lean: 0.50 on small, 0.63 on large; fat: 1.00 on small, 0.63 on large.
    assert chosen == {"lean": "small", "fat": "large", "huge": "large", "pinned": "large"}


def test_a_cluster_that_fits_nowhere_is_named() -> None:
    with pytest.raises(ConfigurationError, match="cluster work asks for 4 cores, 8 GB memory, 10 GB disk"):
        assign([spec()], (NodeType("tiny", Room(4, 16, 100), 1),))
    with pytest.raises(ConfigurationError, match="no node of pool other has that free"):
        assign([spec(node_selector={"s2ps/pool": "other"})], (ONE,), NOTHING)


def test_a_retry_that_fits_nowhere_is_told() -> None:
    specs = [spec("calm", memory_ceiling_gb=16), spec("greedy", memory_ceiling_gb=17)]
    assert out_of_reach(specs, (ONE,), NOTHING) == ["greedy"]


@pytest.mark.parametrize("text", ["big", "big=1,2,3", "=1,2,3,4", "big=0,2,3,4", "big=1,2,3,x"])
def test_a_wrong_node_type_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError, match="node type"):
        NodeType.parse(text)


def test_a_load_is_one_of_two() -> None:
    for concurrent, per_hour in ((None, None), (1, 1.0), (0, None), (None, -1.0)):
        with pytest.raises(ConfigurationError, match="one of the two"):
            Load(concurrent, per_hour)
    assert Load(per_hour=1.2).text == "1.5 datatakes per hour"


def job(name: str, *producers: str) -> Job:
    inputs = (JobInput("X", "Directory", producers),) if producers else ()
    return Job(f"L1A.{name}@all", "L1A", name, name, "1", "", "strict", 1, DataId.of({}), {}, inputs, (), (), (), ())


def test_jobs_of_a_cluster_share_its_slots() -> None:
    four = [job(name) for name in "ABCD"]
    assert [duration(four, slots, lambda _: 10.0) for slots in (1, 2, 3, 4, 9)] == [40, 20, 20, 10, 10]
    chain = [job("A"), job("B", "L1A.A@all"), job("C", "L1A.A@all"), job("D", "L1A.B@all", "L1A.C@all", "L0.E@all")]
    took = {"A": 1.0, "B": 2.0, "C": 5.0, "D": 3.0}
    assert duration(chain, 2, lambda each: took[each.task]) == 1 + 5 + 3
    assert duration(chain, 1, lambda each: took[each.task]) == 11


def test_the_median_of_what_was_measured() -> None:
    measured = [
        ("L1A.DECOMP@band=B01", 3.0),
        ("L1A.DECOMP@band=B02", 9.0),
        ("L1A.DECOMP@band=B03", 4.0),
        ("L0.GSE@all", 1.5),
    ]
    assert median_seconds(measured) == {"DECOMP@L1A": 4.0, "GSE@L0": 1.5}


SPACE = ObservationSpace(granules=4, has_gri=True, tiles=("32TPQ", "32TPR"))


def test_the_pods_of_a_real_datatake() -> None:
    strategy = load_strategy("nominal")
    pods = datatake(load_baseline(), strategy, SPACE, levels_of("INS-NOBS"), lambda _: 1.0)
    place = {pod.id: number for number, pod in enumerate(pods)}
    assert all(earlier < number for number, pod in enumerate(pods) for earlier in pod.after)
    assert {spec.name for spec in strategy.clusters} >= {pod.node for pod in pods}
    above = pods[place["l2a_tile@tile=32TPQ"]].after
    assert place["l1c_tile@tile=32TPQ"] in above
    assert place["l1c_tile@tile=32TPR"] not in above
    # Tiles are planned when GET_TILE_LIST has told which there are.
    assert place["l1b_geometry"] in pods[place["l1c_tile@tile=32TPQ"]].after
    assert pods[place["l0_location"]].after == (place["l0u_ingestion"],)


@st.composite
def graphs(draw: st.DrawFn) -> tuple[Pod, ...]:
    count = draw(st.integers(1, 8))
    pods = []
    for number in range(count):
        after = draw(st.sets(st.integers(0, number - 1), max_size=3)) if number else set()
        kind = draw(st.sampled_from(["lean", "fat"]))
        seconds = draw(st.integers(1, 60))
        pods.append(Pod(f"p{number}", kind, Level.L1C, seconds, tuple(sorted(after)), 1))
    return tuple(pods)


TYPES = (NodeType("small", Room(8, 16, 100), 1.0), NodeType("large", Room(16, 128, 1000), 4.0))
SPECS = (spec("lean", 3, 5), spec("fat", 5, 40))


def loaded(pods: tuple[Pod, ...], load: Load, slack: float, node_start_s: float) -> Question:
    path = max(earliest(pods, 1.0))
    return ask(path * slack, load, node_start_s, pods=pods, specs=SPECS, types=TYPES)


def check_schedule(schedule: Schedule, question: Question) -> None:
    ends = {(item.datatake, item.pod.id): item.end for item in schedule.placed}
    assert len(ends) == len(schedule.arrivals) * len(question.pods)
    needs = {item.name: Room(item.resources.cpu, item.resources.memory_gb, item.resources.disk_gb) for item in SPECS}
    free = {kind.name: kind.capacity for kind in TYPES}
    for item in schedule.placed:
        for place in item.pod.after:
            assert ends[item.datatake, question.pods[place].id] <= item.start
        used = [
            needs[other.pod.node]
            for other in schedule.placed
            if (other.pool, other.node) == (item.pool, item.node) and other.start <= item.start < other.end
        ]
        assert sum(room.cpu for room in used) <= free[item.pool].cpu
        assert sum(room.memory_gb for room in used) <= free[item.pool].memory_gb


@settings(max_examples=60, deadline=None)
@given(pods=graphs(), count=st.integers(1, 4), slack=st.floats(1.0, 3.0), wait=st.sampled_from([0.0, 5.0, 90.0]))
def test_limits_are_kept_and_more_load_never_needs_fewer_nodes(
    pods: tuple[Pod, ...], count: int, slack: float, wait: float
) -> None:
    question = loaded(pods, Load(concurrent=count), slack, wait)
    answer = size(question)
    assert answer.schedule.latency(Level.L1C) <= question.limits[Level.L1C]
    check_schedule(answer.schedule, question)
    fewer = {pool.type.name: pool.most for pool in answer.pools}
    more = {pool.type.name: pool.most for pool in size(loaded(pods, Load(concurrent=count + 1), slack, wait)).pools}
    assert all(more[name] >= least for name, least in fewer.items())
    for pool in answer.pools:
        assert 0 <= pool.always <= pool.most >= answer.schedule.nodes(pool.type.name)


@settings(max_examples=25, deadline=None)
@given(pods=graphs(), rate=st.floats(0.5, 40.0), more=st.floats(0.0, 10.0))
def test_a_higher_rate_never_needs_fewer_nodes(pods: tuple[Pod, ...], rate: float, more: float) -> None:
    first, second = (size(loaded(pods, Load(per_hour=each), 1.5, 0.0)) for each in (rate, rate + more))
    assert all(b.most >= a.most for a, b in zip(first.pools, second.pools, strict=True))


def test_documents_say_what_was_sized() -> None:
    answer = size(ask(40, Load(concurrent=2), node_start_s=100))
    both, reprocessing, limits = manifests.quotas(answer)
    assert both["spec"]["hard"]["pods"] == str(answer.near_real_time.pods + answer.reprocessing.pods)
    assert int(reprocessing["spec"]["hard"]["requests.cpu"]) < int(both["spec"]["hard"]["requests.cpu"])
    assert set(reprocessing["spec"]["hard"]) == {"pods", "requests.cpu", "requests.memory"}
    assert limits["spec"]["limits"][0]["max"] == {"cpu": "4", "memory": "8G", "ephemeral-storage": "10G"}
    (pool,) = answer.pools
    assert manifests.cluster_autoscaler(answer.pools)["autoscalingGroups"] == [
        {"name": "s2ps-one", "minSize": pool.always, "maxSize": pool.most}
    ]
    assert manifests.cluster_api(answer.pools)["s2ps-one"].popitem()[1] == str(pool.most)


def test_karpenter_pools_take_no_node_from_a_running_processor() -> None:
    answer = size(ask(40, Load(concurrent=2), node_start_s=100))
    (pool,) = answer.pools
    assert pool.always == pool.most
    (fixed,) = manifests.karpenter(answer.pools)
    assert fixed["metadata"]["name"] == "s2ps-one-always"
    assert fixed["spec"]["replicas"] == pool.most
    assert "limits" not in fixed["spec"]
    (elastic,) = manifests.karpenter(size(ask(60)).pools)
    assert elastic["spec"]["limits"] == {"cpu": "4"}
    for item in (fixed, elastic):
        assert item["spec"]["disruption"]["consolidationPolicy"] == "WhenEmpty"
        assert item["spec"]["template"]["metadata"]["labels"] == {"s2ps/pool": "one"}
