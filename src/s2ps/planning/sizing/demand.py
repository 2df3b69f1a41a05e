"""What one datatake asks of Kubernetes: its clusters as pods, with durations and what each waits for."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from s2ps.graph.job_graph import Job
from s2ps.graph.space import ObservationSpace
from s2ps.model.mission import Level
from s2ps.planning.plan import Plan
from s2ps.planning.planner import plan_phase
from s2ps.planning.strategy import Strategy
from s2ps.processors.catalogue import Catalogue
from s2ps.processors.phases import PhaseGroup

GATES: Mapping[PhaseGroup, str] = {PhaseGroup.L1B: "GET_GRI", PhaseGroup.TILES: "GET_TILE_LIST"}
"""A group is planned when this task has told what there is; the group after L0U needs all of it."""
Seconds = Callable[[Job], float]


@dataclass(frozen=True, slots=True)
class Pod:
    """One cluster of a datatake."""

    id: str
    node: str
    """Name of the cluster in the strategy."""
    level: Level
    seconds: float
    """From the start of its first job to its end."""
    after: tuple[int, ...]
    """Places in the list of the pods it waits for; all of them come before it."""
    jobs: int


def datatake(
    catalogue: Catalogue, strategy: Strategy, space: ObservationSpace, levels: Iterable[Level], seconds: Seconds
) -> tuple[Pod, ...]:
    """Return the pods of a datatake, producers first; `seconds` gives the duration of a job."""
    wanted = tuple(levels)
    pods: list[Pod] = []
    owner: dict[str, int] = {}
    gate: tuple[int, ...] = ()
    for group in PhaseGroup:
        plan = plan_phase(catalogue, strategy, group, space, wanted)
        if group in GATES:
            gate = tuple(sorted({place for job, place in owner.items() if _task(job) == GATES[group]}))
        elif group is not PhaseGroup.L0U:
            gate = tuple(range(len(pods)))
        _add(plan, seconds, gate, pods, owner)
    return tuple(pods)


def _task(job: str) -> str:
    return job.partition("@")[0].rpartition(".")[2]


def _add(plan: Plan, seconds: Seconds, gate: tuple[int, ...], pods: list[Pod], owner: dict[str, int]) -> None:
    for cluster in plan.clusters.clusters:
        for name in cluster.jobs:
            owner[name] = len(pods)
        jobs = [plan.graph.jobs[name] for name in cluster.jobs]
        producers = {owner[name] for job in jobs for name in job.producers if name in owner}
        after = tuple(sorted((producers | set(gate)) - {len(pods)}))
        took = duration(jobs, cluster.slots, seconds)
        pods.append(Pod(cluster.id, cluster.node, Level(cluster.level), took, after, len(jobs)))


def duration(jobs: Sequence[Job], slots: int, seconds: Seconds) -> float:
    """Return the seconds a cluster takes: jobs start in the given order, producers first, `slots` at a time."""
    ends: dict[str, float] = {}
    running: list[tuple[float, str]] = []
    waiting = list(jobs)
    names = {job.id for job in jobs}
    now = 0.0
    while waiting or running:
        done = set(ends)
        for job in list(waiting):
            if len(running) < slots and all(name in done for name in job.producers if name in names):
                heapq.heappush(running, (now + seconds(job), job.id))
                waiting.remove(job)
        now, name = heapq.heappop(running)
        ends[name] = now
        while running and running[0][0] <= now:
            ends[heapq.heappop(running)[1]] = now
    return now


def remaining(pods: Sequence[Pod], start: float) -> list[float]:
    """Return for each pod the seconds until all that follows is done, `start` seconds before each pod included."""
    left = [pod.seconds + start for pod in pods]
    for place in range(len(pods) - 1, -1, -1):
        for earlier in pods[place].after:
            left[earlier] = max(left[earlier], pods[earlier].seconds + start + left[place])
    return left


def earliest(pods: Sequence[Pod], start: float) -> list[float]:
    """Return when each pod is done, in seconds after the datatake arrived, if no pod ever waits for room."""
    ends: list[float] = []
    for pod in pods:
        ends.append(max((ends[place] for place in pod.after), default=0.0) + start + pod.seconds)
    return ends
