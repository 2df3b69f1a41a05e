"""Neutral records of what a strategy wants as Airflow tasks; the planner makes them, the DAG factory reads them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Protocol, runtime_checkable

from s2ps.model.mission import Level

TILE = "tile"
SESSION_PHASE = "l0u"
DATASTRIP_PHASE = "datastrip"
L1B_PHASE = "l1b"
TILES_PHASE = "tiles"
DATATAKE_PHASES = (DATASTRIP_PHASE, L1B_PHASE, TILES_PHASE)


@runtime_checkable
class NodeRecord(Protocol):
    """One node of a strategy: a kind of cluster."""

    @property
    def name(self) -> str:
        """Unique name, also the task id."""

    @property
    def level(self) -> Level:
        """Level the node works on."""

    @property
    def phase_group(self) -> str:
        """Phase group it is planned in."""

    @property
    def tasks(self) -> Sequence[str]:
        """Processing steps inside the cluster."""

    @property
    def over(self) -> str:
        """What one cluster covers: "tile", or the whole datastrip."""

    @property
    def upstream(self) -> Sequence[str]:
        """Names of the nodes whose data it reads."""


@dataclass(frozen=True, slots=True)
class Node:
    """A node record made by hand (tests) or copied from the planner."""

    name: str
    level: Level
    phase_group: str
    tasks: tuple[str, ...] = ()
    over: str = "datastrip"
    upstream: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class NodeGraph:
    """The nodes of one strategy with the questions the DAG factory asks."""

    nodes: tuple[NodeRecord, ...]

    @classmethod
    def of(cls, nodes: Iterable[NodeRecord]) -> NodeGraph:
        """Check names and edges; raise ValueError naming the node that is wrong."""
        records = tuple(nodes)
        names = [node.name for node in records]
        if len(set(names)) != len(names):
            raise ValueError(f"node names are not unique: {sorted(n for n in names if names.count(n) > 1)}")
        for node in records:
            unknown = sorted(set(node.upstream) - set(names))
            if unknown:
                raise ValueError(f"node {node.name} reads from unknown nodes {unknown}; known: {sorted(names)}")
        return cls(records)

    def in_phase(self, phase_group: str) -> tuple[NodeRecord, ...]:
        """Return the nodes planned together."""
        return tuple(node for node in self.nodes if node.phase_group == phase_group)

    def get(self, name: str) -> NodeRecord:
        """Return a node by name."""
        return next(node for node in self.nodes if node.name == name)

    def is_tile(self, node: NodeRecord) -> bool:
        """Return whether a node runs once per tile."""
        return node.over == TILE

    def below_tiles(self, node: NodeRecord) -> bool:
        """Return whether a datastrip node reads, directly or not, what tile nodes of its phase make."""
        above = [self.get(name) for name in node.upstream]
        return any(self.is_tile(n) or (n.phase_group == node.phase_group and self.below_tiles(n)) for n in above)

    def leaves(self, nodes: Sequence[NodeRecord]) -> tuple[NodeRecord, ...]:
        """Return the nodes nobody else among them reads from."""
        read = {name for node in nodes for name in node.upstream}
        return tuple(node for node in nodes if node.name not in read)

    def shape(self) -> frozenset[tuple[str, str, str, frozenset[str]]]:
        """Return what decides the form of a DAG: names, phases, tile or not, edges."""
        return frozenset((n.name, n.phase_group, n.over, frozenset(n.upstream)) for n in self.nodes)


@cache
def nodes_of(strategy: str) -> NodeGraph:
    """Return the nodes of a packaged strategy; reads the YAML catalogue once per process."""
    from s2ps_airflow.production import strategy_nodes

    return NodeGraph.of(strategy_nodes(strategy))
