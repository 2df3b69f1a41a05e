"""The graph of steps of the chain: which step feeds which, through which data."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import networkx as nx

from s2ps.model.errors import CatalogueError
from s2ps.processors.catalogue import Catalogue, Step, StepKey
from s2ps.processors.phases import PHASE_NAMES


@dataclass(frozen=True, slots=True, order=True)
class StepEdge:
    """Data that goes from one step to another."""

    producer: StepKey
    consumer: StepKey
    output: str
    """Type as the producer makes it."""
    input: str
    """Type as the consumer asks for it."""


@dataclass(frozen=True, slots=True)
class ProcessorGraph:
    """Steps in the order of the chain, and the data edges between them."""

    steps: tuple[Step, ...]
    edges: tuple[StepEdge, ...]

    @classmethod
    def of(cls, catalogue: Catalogue, phases: Iterable[str] = PHASE_NAMES) -> ProcessorGraph:
        """Build the graph of some phases; raises CatalogueError when the data goes round in a circle.

        An input whose producers all lie in phases left out has no edge.
        """
        chosen = set(phases)
        steps = {step.key: step for step in catalogue if step.key.phase in chosen}
        edges = [
            StepEdge(key, step.key, step.output_type(entry, source), entry.type)
            for step in steps.values()
            for entry in step.spec.inputs
            for source in entry.producers
            if (key := step.source_key(source)) in steps
        ]
        order = _chain_order(list(steps), edges)
        return cls(tuple(steps[key] for key in order), tuple(edges))

    @property
    def keys(self) -> tuple[StepKey, ...]:
        """Names of the steps in the order of the chain."""
        return tuple(step.key for step in self.steps)

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for JSON."""
        return {
            "steps": [
                {
                    "task": s.key.task,
                    "phase": s.key.phase,
                    "processor": s.processor.name,
                    "version": s.processor.version,
                }
                for s in self.steps
            ],
            "edges": [[str(e.producer), str(e.consumer), e.output, e.input] for e in self.edges],
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any], catalogue: Catalogue) -> ProcessorGraph:
        """Read what `to_dict` writes, with the definitions of a catalogue; raises CatalogueError."""
        steps = tuple(catalogue.step(StepKey(item["phase"], item["task"])) for item in data["steps"])
        edges = tuple(
            StepEdge(catalogue.named(producer), catalogue.named(consumer), output, entry)
            for producer, consumer, output, entry in data["edges"]
        )
        return cls(steps, edges)


def _chain_order(keys: list[StepKey], edges: list[StepEdge]) -> list[StepKey]:
    graph: nx.DiGraph[StepKey] = nx.DiGraph()
    graph.add_nodes_from(keys)
    graph.add_edges_from((edge.producer, edge.consumer) for edge in edges)
    try:
        return list(nx.lexicographical_topological_sort(graph, key=lambda k: (PHASE_NAMES.index(k.phase), k.task)))
    except nx.NetworkXUnfeasible as error:
        circle = " -> ".join(str(edge[0]) for edge in nx.find_cycle(graph))
        raise CatalogueError(f"data goes round in a circle: {circle}", expected="producers before consumers") from error
