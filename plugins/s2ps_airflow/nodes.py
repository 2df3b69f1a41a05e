"""Neutral records of what a strategy wants as Airflow tasks; the planner makes them, the DAG factory reads them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache

from s2ps.model.mission import Level

TILE = "tile"
SESSION_PHASE = "l0u"
DATASTRIP_PHASE = "datastrip"
L1B_PHASE = "l1b"
TILES_PHASE = "tiles"
DATATAKE_PHASES = (DATASTRIP_PHASE, L1B_PHASE, TILES_PHASE)


@dataclass(frozen=True, slots=True)
class Node:
    """One node of a strategy: a kind of cluster."""

    name: str
    """Unique; also the task id."""
    level: Level
    phase_group: str
    """Phase group it is planned in."""
    tasks: tuple[str, ...] = ()
    """Processing steps inside the cluster."""
    over: tuple[str, ...] = ()
    """Dimensions with one cluster per value; empty: one cluster for the datastrip."""
    upstream: tuple[str, ...] = ()
    """Nodes whose data it reads."""
    time_s: int = 3600
    """Time limit of a cluster, seconds."""

    @property
    def is_tile(self) -> bool:
        """Return whether it runs once per tile."""
        return TILE in self.over


@dataclass(frozen=True, slots=True)
class NodeGraph:
    """The nodes of one strategy with the questions the DAG factory asks."""

    nodes: tuple[Node, ...]

    @classmethod
    def of(cls, nodes: Iterable[Node]) -> NodeGraph:
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

    def in_phase(self, phase_group: str) -> tuple[Node, ...]:
        """Return the nodes planned together."""
        return tuple(node for node in self.nodes if node.phase_group == phase_group)

    def get(self, name: str) -> Node:
        """Return a node by name."""
        return next(node for node in self.nodes if node.name == name)

    def below_tiles(self, node: Node) -> bool:
        """Return whether a datastrip node reads, directly or not, what tile nodes of its phase make."""
        above = [self.get(name) for name in node.upstream]
        return any(n.is_tile or (n.phase_group == node.phase_group and self.below_tiles(n)) for n in above)

    def leaves(self, nodes: Sequence[Node]) -> tuple[Node, ...]:
        """Return the nodes nobody else among them reads from."""
        read = {name for node in nodes for name in node.upstream}
        return tuple(node for node in nodes if node.name not in read)

    def shape(self) -> frozenset[tuple[str, str, bool, frozenset[str]]]:
        """Return what decides the form of a DAG: names, phases, tile or not, edges."""
        return frozenset((n.name, n.phase_group, n.is_tile, frozenset(n.upstream)) for n in self.nodes)

    def cut(self) -> frozenset[str]:
        """Return the datastrip nodes that may have several clusters."""
        return frozenset(n.name for n in self.nodes if n.over and not n.is_tile)


@cache
def nodes_of(strategy: str) -> NodeGraph:
    """Return the nodes of a packaged strategy; reads the YAML catalogue once per process."""
    from s2ps_airflow.production import strategy_nodes

    return NodeGraph.of(
        Node(r.name, r.level, r.phase_group, r.tasks, r.over, r.upstream, r.resources.time_s)
        for r in strategy_nodes(strategy)
    )
