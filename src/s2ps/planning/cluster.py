"""Clusters: jobs fused to run in one place, and the edges the data induces between them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import networkx as nx

from s2ps.graph.job_graph import Job, JobGraph
from s2ps.model.dimensions import DataId
from s2ps.model.errors import PlanError
from s2ps.planning.strategy import BoundStrategy, ClusterSpec
from s2ps.processors.catalogue import StepKey


@dataclass(frozen=True, slots=True)
class Cluster:
    """Jobs that run in one place, in an order in which producers come first."""

    id: str
    node: str
    """Name in the strategy."""
    label: str
    """What is particular to it among its siblings, as "32TPQ"; empty when it has none."""
    level: str
    data_id: DataId
    jobs: tuple[str, ...]
    slots: int
    cpu: float
    memory_gb: float
    disk_gb: float
    time_s: int

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for JSON."""
        data = {name: getattr(self, name) for name in self.__slots__}
        return {**data, "data_id": self.data_id.key, "jobs": list(self.jobs)}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Cluster:
        """Read what `to_dict` writes."""
        return cls(**{**data, "data_id": DataId.parse(data["data_id"]), "jobs": tuple(data["jobs"])})


@dataclass(frozen=True, slots=True)
class ClusterGraph:
    """Clusters in an order in which producers come first, and the edges between them."""

    clusters: tuple[Cluster, ...]
    edges: tuple[tuple[str, str], ...]

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for JSON."""
        return {"clusters": [item.to_dict() for item in self.clusters], "edges": [list(edge) for edge in self.edges]}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> ClusterGraph:
        """Read what `to_dict` writes."""
        clusters = tuple(Cluster.from_dict(item) for item in data["clusters"])
        return cls(clusters, tuple((producer, consumer) for producer, consumer in data["edges"]))


def fuse(graph: JobGraph, strategy: BoundStrategy, order: Mapping[str, int]) -> ClusterGraph:
    """Fuse jobs as the strategy says; `order` numbers the jobs so that producers come first.

    Raises PlanError naming the jobs when a job fits no cluster or clusters would wait for each other.
    """
    members: dict[str, list[Job]] = {}
    specs: dict[str, ClusterSpec] = {}
    owner: dict[str, str] = {}
    for job in sorted(graph, key=lambda item: order[item.id]):
        spec = strategy.owners.get(StepKey(job.phase, job.task))
        if spec is None:
            raise PlanError(
                f"job {job.id} is in no cluster of strategy {strategy.strategy.name}",
                next_step="add its task to a cluster",
            )
        name = _cluster_id(spec, job)
        members.setdefault(name, []).append(job)
        specs[name] = spec
        owner[job.id] = name
    _check_cuts(members, specs)
    edges = _induced(graph, owner)
    names = _order(graph, owner, list(members), edges)
    return ClusterGraph(
        tuple(_cluster(name, specs[name], members[name]) for name in names),
        tuple(sorted(edges)),
    )


def validate(graph: JobGraph, clusters: ClusterGraph) -> None:
    """Raise PlanError naming jobs that are lost, doubled, or in clusters that wait for each other."""
    owner: dict[str, str] = {}
    for cluster in clusters.clusters:
        for name in cluster.jobs:
            if name in owner:
                raise PlanError(f"job {name} is in clusters {owner[name]} and {cluster.id}", expected="one cluster")
            if name not in graph.jobs:
                raise PlanError(f"cluster {cluster.id} has job {name}, that does not exist", expected="planned jobs")
            owner[name] = cluster.id
    if lost := [name for name in graph.jobs if name not in owner]:
        raise PlanError(f"jobs in no cluster: {', '.join(lost[:5])} ({len(lost)} in all)", expected="one cluster each")
    for cluster in clusters.clusters:
        _check_inner_order(graph, cluster)
    edges = _induced(graph, owner)
    if missing := sorted(edges - set(clusters.edges)):
        raise PlanError(f"clusters {missing[0][0]} -> {missing[0][1]}: data goes there, but there is no edge")
    _order(graph, owner, [cluster.id for cluster in clusters.clusters], edges)


def _check_inner_order(graph: JobGraph, cluster: Cluster) -> None:
    place = {name: number for number, name in enumerate(cluster.jobs)}
    for name in cluster.jobs:
        for producer in graph.jobs[name].producers:
            if place.get(producer, -1) > place[name]:
                raise PlanError(f"cluster {cluster.id}: job {name} comes before {producer}, which it needs")


def _cluster_data(spec: ClusterSpec, job: Job) -> DataId:
    values = {dimension: job.data_id.values(dimension) for dimension in spec.over}
    return DataId.of({dimension: part for dimension, part in values.items() if part is not None})


def _cluster_id(spec: ClusterSpec, job: Job) -> str:
    data = _cluster_data(spec, job)
    return spec.name if not data.parts else f"{spec.name}@{data.key}"


def _check_cuts(members: Mapping[str, list[Job]], specs: Mapping[str, ClusterSpec]) -> None:
    """A strategy that cuts the tasks of one cluster differently would mix parts."""
    kinds: dict[str, dict[tuple[object, ...], Job]] = {}
    for name, jobs in members.items():
        spec = specs[name]
        for job in jobs:
            kinds.setdefault(spec.name, {}).setdefault(_cluster_data(spec, job).dimensions, job)
    for node, cuts in kinds.items():
        if len(cuts) > 1:
            names = " and ".join(job.id for job in cuts.values())
            raise PlanError(
                f"cluster {node}: jobs {names} are cut over different dimensions",
                expected="every job of it cut over all dimensions in `over`, or none",
                next_step="give their tasks the same partitions or other clusters",
            )


def _induced(graph: JobGraph, owner: Mapping[str, str]) -> set[tuple[str, str]]:
    pairs = ((owner[producer], owner[consumer]) for producer, consumer in graph.edges())
    return {(producer, consumer) for producer, consumer in pairs if producer != consumer}


def _order(graph: JobGraph, owner: Mapping[str, str], names: list[str], edges: set[tuple[str, str]]) -> list[str]:
    digraph: nx.DiGraph[str] = nx.DiGraph()
    digraph.add_nodes_from(names)
    digraph.add_edges_from(sorted(edges))
    place = {name: number for number, name in enumerate(names)}
    try:
        return list(nx.lexicographical_topological_sort(digraph, key=place.__getitem__))
    except nx.NetworkXUnfeasible as error:
        circle = [(edge[0], edge[1]) for edge in nx.find_cycle(digraph)]
        wanted = set(circle)
        reasons: dict[tuple[str, str], str] = {}
        for producer, consumer in graph.edges():
            pair = (owner[producer], owner[consumer])
            if pair in wanted:
                reasons.setdefault(pair, f"{producer} -> {consumer}")
        raise PlanError(
            f"clusters {' -> '.join(edge[0] for edge in circle)} wait for each other: {', '.join(reasons.values())}",
            expected="clusters without a circle",
            next_step="move one of these tasks to another cluster",
        ) from error


def _cluster(name: str, spec: ClusterSpec, jobs: list[Job]) -> Cluster:
    data = _cluster_data(spec, jobs[0])
    return Cluster(
        id=name,
        node=spec.name,
        label=" ".join("-".join(values) for _, values in data.parts),
        level=spec.level.value,
        data_id=data,
        jobs=tuple(job.id for job in jobs),
        slots=spec.slots,
        cpu=spec.resources.cpu,
        memory_gb=spec.resources.memory_gb,
        disk_gb=spec.resources.disk_gb,
        time_s=spec.resources.time_s,
    )
