"""The smallest numbers of nodes found with which every simulated datatake keeps its time limits."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce

from s2ps.model.errors import PlanError
from s2ps.model.mission import Level
from s2ps.planning.sizing.demand import Pod, earliest
from s2ps.planning.sizing.fleet import SYSTEM, NodeType, Room, assign, ceiling, need, out_of_reach
from s2ps.planning.sizing.load import Load
from s2ps.planning.sizing.schedule import Pool, Schedule, simulate
from s2ps.planning.strategy import ClusterSpec

BUSY = 0.9
"""Share of its room a pool may use in the long run."""
RETRIES = 1.1
"""Quota for pods that exist beside what is planned: retries, and those that are being removed."""


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked: the pods of one datatake, how many datatakes, on which nodes, within which limits."""

    pods: tuple[Pod, ...]
    specs: tuple[ClusterSpec, ...]
    """The clusters of the strategy."""
    load: Load
    types: tuple[NodeType, ...]
    limits: Mapping[Level, float]
    """Seconds from the arrival of a datatake to the end of its last pod of a level."""
    start_s: float = 8.0
    """Seconds from a cluster being wanted to its first job."""
    node_start_s: float = 180.0
    """Seconds until a node that is asked for takes pods."""
    system: Room = SYSTEM

    @property
    def used(self) -> tuple[ClusterSpec, ...]:
        """Return the clusters a datatake has."""
        names = {pod.node for pod in self.pods}
        return tuple(spec for spec in self.specs if spec.name in names)


@dataclass(frozen=True, slots=True)
class PoolSize:
    """The nodes of one pool."""

    type: NodeType
    always: int
    most: int
    clusters: tuple[str, ...]
    """Names in the strategy."""


@dataclass(frozen=True, slots=True)
class Quota:
    """What pods of a kind may ask for together."""

    pods: int
    room: Room


@dataclass(frozen=True, slots=True)
class Answer:
    """Pools, quotas, and the schedule that shows the limits are kept."""

    pools: tuple[PoolSize, ...]
    schedule: Schedule
    near_real_time: Quota
    reprocessing: Quota
    largest: Room
    """The most one pod may ask for, retries with more memory included."""
    out_of_reach: tuple[str, ...]
    """Clusters whose retry with more memory fits on no node."""


def size(question: Question, reprocessing_share: float = 0.5) -> Answer:
    """Return how many nodes of each kind are needed, always and at most.

    Nodes are counted up over all smaller loads, so more datatakes never give fewer nodes. Reprocessing may ask for
    `reprocessing_share` of all nodes. Raises PlanError when no number of nodes is enough, ConfigurationError when a
    cluster fits on no node.
    """
    search = _Search(question, assign(question.used, question.types, question.system))
    search.check_critical_path()
    most = dict.fromkeys(sorted({kind.name for kind in search.kinds.values()}), 1)
    for step in question.load.steps():
        most = search.most(step, most)
    always = search.always(most)
    schedule = search.simulate(question.load, most, always)
    pods, asked = schedule.peak(search.needs)
    types = {kind.name: kind for kind in search.kinds.values()}
    whole = _total([types[name].free(question.system).times(count) for name, count in most.items()])
    largest = _largest(question.used)
    smallest = min((search.needs[pod.node] for pod in question.pods), key=lambda room: room.cpu)
    return Answer(
        pools=tuple(
            PoolSize(kind, always[name], most[name], tuple(c for c, t in search.kinds.items() if t.name == name))
            for name, kind in sorted(types.items())
        ),
        schedule=schedule,
        near_real_time=Quota(math.ceil(pods * RETRIES), asked.times(RETRIES)),
        reprocessing=Quota(
            max(1, math.ceil(reprocessing_share * whole.cpu / smallest.cpu)),
            largest.at_least(whole.times(reprocessing_share)),
        ),
        largest=largest,
        out_of_reach=tuple(out_of_reach(question.used, question.types, question.system)),
    )


def _total(rooms: Sequence[Room]) -> Room:
    return reduce(Room.plus, rooms)


def _largest(specs: Sequence[ClusterSpec]) -> Room:
    return reduce(Room.at_least, map(ceiling, specs))


class _Search:
    """Tries numbers of nodes."""

    def __init__(self, question: Question, kinds: Mapping[str, NodeType]) -> None:
        self.question = question
        self.kinds = kinds
        self.needs = {spec.name: need(spec) for spec in question.used}
        self.pool_of = {name: kind.name for name, kind in kinds.items()}
        self.free = {kind.name: kind.free(question.system) for kind in kinds.values()}
        self.price = {kind.name: kind.price for kind in kinds.values()}

    def check_critical_path(self) -> None:
        ends = earliest(self.question.pods, self.question.start_s)
        for level, limit in self.question.limits.items():
            last = max(
                (end for pod, end in zip(self.question.pods, ends, strict=True) if pod.level is level), default=0
            )
            if last > limit:
                raise PlanError(
                    f"{level} needs {last / 60:.1f} minutes on any number of nodes, its limit is {limit / 60:.1f}",
                    expected="a chain of clusters shorter than the limit",
                    next_step="cut the tasks of the critical path finer (`s2ps plan` shows it) or give more slots",
                )

    def simulate(self, load: Load, most: Mapping[str, int], always: Mapping[str, int]) -> Schedule:
        pools = {name: Pool(self.free[name], count, always[name]) for name, count in most.items()}
        arrivals = load.arrivals(max(self.question.limits.values()))
        return simulate(
            self.question.pods, arrivals, self.pool_of, self.needs, pools,
            start_s=self.question.start_s, node_start_s=self.question.node_start_s,
        )  # fmt: skip

    def kept(self, schedule: Schedule) -> bool:
        return all(schedule.latency(level) <= limit for level, limit in self.question.limits.items())

    def most(self, load: Load, floor: Mapping[str, int]) -> dict[str, int]:
        """Return the nodes one load needs, not fewer than `floor`."""
        floor = {name: max(count, self._steady(load, name)) for name, count in floor.items()}
        most = dict(floor)
        schedule = self.simulate(load, most, most)
        while not self.kept(schedule):
            slowest = max(most, key=schedule.waiting)
            most[slowest] += max(1, most[slowest] // 8)
            schedule = self.simulate(load, most, most)
        for name in sorted(most, key=lambda each: (-self.price[each], each)):
            while most[name] > floor[name] and self.kept(self.simulate(load, *[{**most, name: most[name] - 1}] * 2)):
                most[name] -= 1
        return most

    def _steady(self, load: Load, pool: str) -> int:
        """Return the nodes a pool needs in the long run, whatever the limits are."""
        used = Room(0, 0, 0)
        for pod in self.question.pods:
            if self.pool_of[pod.node] == pool:
                used = used.plus(self.needs[pod.node].times((pod.seconds + self.question.start_s) * load.per_second))
        free = self.free[pool].times(BUSY)
        return math.ceil(max(used.cpu / free.cpu, used.memory_gb / free.memory_gb, used.disk_gb / free.disk_gb) - 1e-9)

    def always(self, most: Mapping[str, int]) -> dict[str, int]:
        """Return the nodes that must not be waited for; dear pools are emptied first."""
        always = dict(most)
        for name in sorted(most, key=lambda each: (-self.price[each] * most[each], each)):
            low, high = 0, most[name]
            while low < high:
                middle = (low + high) // 2
                if self.kept(self.simulate(self.question.load, most, {**always, name: middle})):
                    high = middle
                else:
                    low = middle + 1
            always[name] = high
        return always
