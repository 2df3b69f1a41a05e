"""Neutral node records: the stable structure an orchestrator's DAG is generated from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import networkx as nx

from s2ps.graph.processor_graph import ProcessorGraph
from s2ps.model.errors import ConfigurationError
from s2ps.model.mission import DatatakeType, Level, levels_of
from s2ps.planning.strategy import BoundStrategy, ClusterSpec, Resources, Strategy
from s2ps.processors.catalogue import Catalogue, StepKey
from s2ps.processors.phases import phase_of, wanted_phases


@dataclass(frozen=True, slots=True)
class NodeRecord:
    """A cluster of the strategy, before anything was observed."""

    name: str
    level: Level
    phase_group: str
    tasks: tuple[str, ...]
    """As TASK@PHASE, in the order of the chain."""
    over: tuple[str, ...]
    """Dimensions it is mapped over; empty: one cluster."""
    resources: Resources
    slots: int
    upstream: tuple[str, ...]
    """Nodes it must wait for; those that follow from others are left out."""
    needed_by: tuple[Level, ...]
    """The node has work when one of these levels is asked for."""
    with_gri: bool | None
    """True: only with reference images; False: only without; None: always."""

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for JSON."""
        data = {name: getattr(self, name) for name in self.__slots__}
        plain = {name: list(value) if isinstance(value, tuple) else value for name, value in data.items()}
        return {**plain, "resources": self.resources.model_dump()}


def plan_nodes(catalogue: Catalogue, strategy: Strategy) -> list[NodeRecord]:
    """Return the nodes of a strategy in an order in which upstream nodes come first.

    Raises ConfigurationError when the strategy does not fit the catalogue or its nodes wait for each other.
    """
    bound = strategy.bind(catalogue)
    graph = ProcessorGraph.of(catalogue)
    upstream = _upstream(catalogue, bound)
    tasks: dict[str, list[StepKey]] = {}
    for key in graph.keys:
        tasks.setdefault(bound.owners[key].name, []).append(key)
    return [_record(spec, tasks[spec.name], upstream[spec.name]) for spec in _ordered(strategy, upstream)]


def _record(spec: ClusterSpec, keys: list[StepKey], upstream: set[str]) -> NodeRecord:
    phases = [phase_of(key.phase) for key in keys]
    conditions = {phase.with_gri for phase in phases}
    return NodeRecord(
        name=spec.name,
        level=spec.level,
        phase_group=spec.phase_group.value,
        tasks=tuple(map(str, keys)),
        over=tuple(dimension.value for dimension in spec.over),
        resources=spec.resources,
        slots=spec.slots,
        upstream=tuple(sorted(upstream)),
        needed_by=tuple(level for level in Level if any(level in phase.needed_by for phase in phases)),
        with_gri=conditions.pop() if len(conditions) == 1 else None,
    )


def _upstream(catalogue: Catalogue, bound: BoundStrategy) -> dict[str, set[str]]:
    """Reduce the edges of every kind of run on its own: what follows from a node that may be absent must stay."""
    upstream: dict[str, set[str]] = {spec.name: set() for spec in bound.strategy.clusters}
    for levels, has_gri in _kinds_of_run():
        phases = [phase.name for phase in wanted_phases(levels | {Level.L0U}, has_gri)]
        digraph: nx.DiGraph[str] = nx.DiGraph()
        for edge in ProcessorGraph.of(catalogue, phases).edges:
            pair = (bound.owners[edge.producer].name, bound.owners[edge.consumer].name)
            if pair[0] != pair[1]:
                digraph.add_edge(*pair)
        _raise_on_circle(bound.strategy, digraph)
        for producer, consumer in nx.transitive_reduction(digraph).edges:
            upstream[consumer].add(producer)
    return upstream


def _kinds_of_run() -> Iterator[tuple[frozenset[Level], bool]]:
    for levels in sorted({levels_of(kind) for kind in DatatakeType}):
        yield frozenset(levels), True
        yield frozenset(levels), False


def _ordered(strategy: Strategy, upstream: dict[str, set[str]]) -> list[ClusterSpec]:
    digraph: nx.DiGraph[str] = nx.DiGraph()
    digraph.add_nodes_from(spec.name for spec in strategy.clusters)
    digraph.add_edges_from((producer, name) for name, names in upstream.items() for producer in names)
    _raise_on_circle(strategy, digraph)
    place = {spec.name: number for number, spec in enumerate(strategy.clusters)}
    names = nx.lexicographical_topological_sort(digraph, key=place.__getitem__)
    return [strategy.clusters[place[name]] for name in names]


def _raise_on_circle(strategy: Strategy, digraph: nx.DiGraph[str]) -> None:
    if not nx.is_directed_acyclic_graph(digraph):
        circle = " -> ".join(edge[0] for edge in nx.find_cycle(digraph))
        raise ConfigurationError(
            f"strategy {strategy.name}: clusters {circle} wait for each other",
            next_step="move a task to another cluster",
        )
