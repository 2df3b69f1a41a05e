"""Predicted order and critical path of jobs, from expected durations."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import networkx as nx

from s2ps.graph.job_graph import Job, JobGraph
from s2ps.model.errors import PlanError


@dataclass(frozen=True, slots=True)
class Prediction:
    """Jobs by urgency (producers first), and the longest chain of them."""

    order: tuple[str, ...]
    critical_path: tuple[str, ...]
    critical_seconds: float
    total_seconds: float
    """All jobs one after the other."""


def predict(graph: JobGraph, seconds: Callable[[Job], float]) -> Prediction:
    """Order jobs by the time that must still pass once they start, longest first; raises PlanError on a circle."""
    digraph: nx.DiGraph[str] = nx.DiGraph()
    digraph.add_nodes_from(graph.jobs)
    digraph.add_edges_from(graph.edges())
    try:
        chain = list(nx.topological_sort(digraph))
    except nx.NetworkXUnfeasible as error:
        circle = " -> ".join(edge[0] for edge in nx.find_cycle(digraph))
        raise PlanError(f"jobs wait for each other: {circle}", expected="jobs without a circle") from error
    remaining: dict[str, float] = {}
    following: dict[str, str] = {}
    for name in reversed(chain):
        successors = sorted(digraph.successors(name), key=lambda item: (-remaining[item], item))
        if successors:
            following[name] = successors[0]
        remaining[name] = seconds(graph.jobs[name]) + (remaining[successors[0]] if successors else 0.0)
    place = {name: number for number, name in enumerate(chain)}
    order = tuple(sorted(chain, key=lambda name: (-remaining[name], place[name])))
    path = [order[0]] if order else []
    while path and path[-1] in following:
        path.append(following[path[-1]])
    total = sum(seconds(job) for job in graph)
    return Prediction(order, tuple(path), remaining[order[0]] if order else 0.0, total)
