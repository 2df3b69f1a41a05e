"""Kinds of nodes, what fits on them, and which kind each cluster of a strategy gets."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from s2ps.model.errors import ConfigurationError
from s2ps.planning.strategy import ClusterSpec

ROUNDING = 1e-6
"""Sums of tenths are not exact."""
POOL_LABEL = "s2ps/pool"
"""Label of nodes; a strategy that selects by it decides itself which kind of node a cluster gets."""


@dataclass(frozen=True, slots=True)
class Room:
    """Cores, memory (GB) and local disk (GB): what a pod asks for, or what a node has for pods."""

    cpu: float
    memory_gb: float
    disk_gb: float

    def holds(self, other: Room) -> bool:
        """Tell whether `other` fits in."""
        left = self.minus(other)
        return min(left.cpu, left.memory_gb, left.disk_gb) > -ROUNDING

    @property
    def text(self) -> str:
        """Return it in words."""
        return f"{self.cpu:g} cores, {self.memory_gb:g} GB memory, {self.disk_gb:g} GB disk"

    def minus(self, other: Room) -> Room:
        """Return what is left."""
        return Room(self.cpu - other.cpu, self.memory_gb - other.memory_gb, self.disk_gb - other.disk_gb)

    def plus(self, other: Room) -> Room:
        """Return both together."""
        return Room(self.cpu + other.cpu, self.memory_gb + other.memory_gb, self.disk_gb + other.disk_gb)

    def at_least(self, other: Room) -> Room:
        """Return the larger one of each part."""
        return Room(max(self.cpu, other.cpu), max(self.memory_gb, other.memory_gb), max(self.disk_gb, other.disk_gb))

    def times(self, factor: float) -> Room:
        """Return a multiple."""
        return Room(self.cpu * factor, self.memory_gb * factor, self.disk_gb * factor)

    def times_in(self, whole: Room) -> int:
        """Return how many of this fit in `whole`."""
        parts = (whole.cpu / self.cpu, whole.memory_gb / self.memory_gb, whole.disk_gb / self.disk_gb)
        return math.floor(min(parts) + ROUNDING)


SYSTEM = Room(0.5, 2.0, 20.0)
"""Kept on every node for its own services, unless the caller says otherwise."""


@dataclass(frozen=True, slots=True)
class NodeType:
    """A kind of node."""

    name: str
    capacity: Room
    price: float
    """Per hour, in any currency."""

    @classmethod
    def parse(cls, text: str) -> NodeType:
        """Read `name=cpu,memory_gb,disk_gb,price`; raises ConfigurationError."""
        name, equals, rest = text.partition("=")
        try:
            cpu, memory, disk, price = (float(part) for part in rest.split(","))
        except ValueError as error:
            raise ConfigurationError(
                f"node type {text!r} cannot be read", expected="name=cpu,memory_gb,disk_gb,price, as big=16,64,500,0.80"
            ) from error
        if not (name and equals) or min(cpu, memory, disk) <= 0 or price < 0:
            raise ConfigurationError(f"node type {text!r} has no name or no room", expected="numbers above 0")
        return cls(name, Room(cpu, memory, disk), price)

    def free(self, system: Room) -> Room:
        """Return what pods may use."""
        return self.capacity.minus(system)


def need(spec: ClusterSpec) -> Room:
    """Return what the pod of a cluster asks for."""
    return Room(spec.resources.cpu, spec.resources.memory_gb, spec.resources.disk_gb)


def ceiling(spec: ClusterSpec) -> Room:
    """Return the most a retry of the pod may ask for, after it ran out of memory."""
    asked = need(spec)
    return Room(asked.cpu, max(asked.memory_gb, spec.pod.memory_ceiling_gb or 0.0), asked.disk_gb)


def assign(specs: Iterable[ClusterSpec], types: Sequence[NodeType], system: Room = SYSTEM) -> dict[str, NodeType]:
    """Return the kind of node of each cluster: the one its node selector names, else the one with the cheapest place.

    Raises ConfigurationError when a cluster fits on none.
    """
    _check_names(types)
    chosen: dict[str, NodeType] = {}
    for spec in specs:
        wanted = spec.pod.node_selector.get(POOL_LABEL)
        offered = [kind for kind in types if wanted in (None, kind.name)]
        fitting = [kind for kind in offered if kind.free(system).holds(need(spec))]
        if not fitting:
            place = f"node of pool {wanted}" if wanted else "given node type"
            raise ConfigurationError(
                f"cluster {spec.name} asks for {need(spec).text}: no {place} has that free",
                expected=f"more than that, and {system.text} for the node's own services",
                next_step="give a larger --node-type",
            )
        chosen[spec.name] = min(fitting, key=lambda kind: (_place_price(kind, need(spec), system), kind.name))
    return chosen


def out_of_reach(specs: Iterable[ClusterSpec], types: Sequence[NodeType], system: Room = SYSTEM) -> list[str]:
    """Return the clusters whose retry with more memory fits on no node: it would stay pending."""
    return [spec.name for spec in specs if not any(kind.free(system).holds(ceiling(spec)) for kind in types)]


def _place_price(kind: NodeType, asked: Room, system: Room) -> float:
    return kind.price / asked.times_in(kind.free(system))


def _check_names(types: Sequence[NodeType]) -> None:
    names = [kind.name for kind in types]
    if not names or len(set(names)) != len(names):
        raise ConfigurationError(f"node types {', '.join(names) or 'none'}", expected="one or more, each named once")
