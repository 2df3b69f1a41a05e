"""Simulated running of datatakes on a number of nodes: pods wait in one line per pool, first come first served."""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from s2ps.model.mission import Level
from s2ps.planning.sizing.demand import Pod, remaining
from s2ps.planning.sizing.fleet import Room


@dataclass(frozen=True, slots=True)
class Pool:
    """Nodes of one kind: how many there are at most, and how many of them always."""

    free: Room
    """For pods, per node."""
    most: int
    always: int


@dataclass(frozen=True, slots=True)
class Placed:
    """One pod as it ran; times in seconds from the arrival of the first datatake."""

    datatake: int
    pod: Pod
    pool: str
    node: int
    ready: float
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Schedule:
    """Every pod of all datatakes, in the order in which they started."""

    placed: tuple[Placed, ...]
    arrivals: tuple[float, ...]

    def latency(self, level: Level) -> float:
        """Return the longest time, in seconds, from the arrival of a datatake to the end of its last pod of a level."""
        ends = [item.end - self.arrivals[item.datatake] for item in self.placed if item.pod.level is level]
        return max(ends, default=0.0)

    def waiting(self, pool: str) -> float:
        """Return the seconds all pods of a pool waited for room."""
        return sum(item.start - item.ready for item in self.placed if item.pool == pool)

    def nodes(self, pool: str) -> int:
        """Return how many nodes of a pool were used."""
        return 1 + max((item.node for item in self.placed if item.pool == pool), default=-1)

    def peak(self, needs: Mapping[str, Room]) -> tuple[int, Room]:
        """Return the most pods that existed at once, running or waiting, and the most they asked for together."""
        events = sorted(
            [(item.ready, 1, item.pod.node) for item in self.placed]
            + [(item.end, 0, item.pod.node) for item in self.placed]
        )
        count, asked, most_pods, most = 0, Room(0, 0, 0), 0, Room(0, 0, 0)
        for _, begins, node in events:
            count += 1 if begins else -1
            asked = asked.plus(needs[node]) if begins else asked.minus(needs[node])
            most_pods = max(most_pods, count)
            most = most.at_least(asked)
        return most_pods, most


@dataclass(slots=True)
class _Line:
    """One pool while it runs: the room left on its nodes, and who waits."""

    pool: Pool
    room: list[Room]
    asked_for_nodes: bool = False
    queue: list[tuple[float, float, int, int]] = field(default_factory=list)
    """(ready, minus the seconds that follow, datatake, place): first come, first served; then the longest rest."""


@dataclass(slots=True)
class _Simulation:
    pods: Sequence[Pod]
    arrivals: Sequence[float]
    pool_of: Mapping[str, str]
    needs: Mapping[str, Room]
    lines: dict[str, _Line]
    start_s: float
    node_start_s: float
    events: list[tuple[float, int, str, int, int]] = field(default_factory=list)
    open: dict[tuple[int, int], int] = field(default_factory=dict)
    followers: dict[int, list[int]] = field(default_factory=dict)
    urgency: list[float] = field(default_factory=list)
    placed: list[Placed] = field(default_factory=list)
    homes: dict[tuple[int, int], int] = field(default_factory=dict)

    def run(self) -> Schedule:
        self.urgency = remaining(self.pods, self.start_s)
        for place, pod in enumerate(self.pods):
            for earlier in pod.after:
                self.followers.setdefault(earlier, []).append(place)
        for number, time in enumerate(self.arrivals):
            self._push(time, "arrived", number, 0)
        while self.events:
            now = self.events[0][0]
            touched: set[str] = set()
            while self.events and self.events[0][0] <= now:
                _, _, what, datatake, place = heapq.heappop(self.events)
                touched |= self._happen(now, what, datatake, place)
            for name in sorted(touched):
                self._place(now, name)
        return Schedule(tuple(self.placed), tuple(self.arrivals))

    def _push(self, time: float, what: str, datatake: int, place: int) -> None:
        heapq.heappush(self.events, (time, len(self.events), what, datatake, place))

    def _happen(self, now: float, what: str, datatake: int, place: int) -> set[str]:
        """Return the pools in which something changed."""
        if what == "nodes":
            name = sorted(self.lines)[place]
            line = self.lines[name]
            line.room += [line.pool.free] * (line.pool.most - line.pool.always)
            return {name}
        if what == "arrived":
            for each, pod in enumerate(self.pods):
                self.open[datatake, each] = len(pod.after)
            return {self._queue(now, datatake, each) for each, pod in enumerate(self.pods) if not pod.after}
        touched = {self.pool_of[self.pods[place].node]}
        line = self.lines[self.pool_of[self.pods[place].node]]
        home = self.homes.pop((datatake, place))
        line.room[home] = line.room[home].plus(self.needs[self.pods[place].node])
        for follower in self.followers.get(place, ()):
            self.open[datatake, follower] -= 1
            if not self.open[datatake, follower]:
                touched.add(self._queue(now, datatake, follower))
        return touched

    def _queue(self, now: float, datatake: int, place: int) -> str:
        name = self.pool_of[self.pods[place].node]
        heapq.heappush(self.lines[name].queue, (now, -self.urgency[place], datatake, place))
        return name

    def _place(self, now: float, name: str) -> None:
        """Start whatever fits, in the order of the line; a pod that does not fit lets smaller ones pass."""
        line, refused = self.lines[name], set()
        left = []
        while line.queue:
            entry = heapq.heappop(line.queue)
            ready, _, datatake, place = entry
            asked = self.needs[self.pods[place].node]
            home = None if asked in refused else next((i for i, r in enumerate(line.room) if r.holds(asked)), None)
            if home is None:
                refused.add(asked)
                left.append(entry)
                continue
            line.room[home] = line.room[home].minus(asked)
            self.homes[datatake, place] = home
            end = now + self.start_s + self.pods[place].seconds
            self.placed.append(Placed(datatake, self.pods[place], name, home, ready, now, end))
            self._push(end, "ended", datatake, place)
        line.queue = left
        if left and not line.asked_for_nodes and line.pool.always < line.pool.most:
            line.asked_for_nodes = True
            self._push(now + self.node_start_s, "nodes", 0, sorted(self.lines).index(name))


def simulate(
    pods: Sequence[Pod],
    arrivals: Sequence[float],
    pool_of: Mapping[str, str],
    needs: Mapping[str, Room],
    pools: Mapping[str, Pool],
    *,
    start_s: float,
    node_start_s: float,
) -> Schedule:
    """Run datatakes of the same pods that arrive at the given seconds.

    `start_s` is the time from a pod being wanted to its first job; nodes that are not there always come `node_start_s`
    after a pod of their pool first found no room. Every pod must fit on a node of its pool, and a used pool must
    have one.
    """
    lines = {name: _Line(pool, [pool.free] * pool.always) for name, pool in pools.items()}
    return _Simulation(pods, arrivals, pool_of, needs, lines, start_s, node_start_s).run()
