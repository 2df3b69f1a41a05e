"""Check that the definitions of a catalogue fit together; list by name what does not."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import networkx as nx

from s2ps.model.errors import CatalogueError, InputError
from s2ps.processors.catalogue import Catalogue, Step

Pair = tuple[str, str]


@dataclass(frozen=True, slots=True)
class CheckReport:
    """What a check found; an empty report means the catalogue is complete and consistent."""

    missing_producers: tuple[str, ...] = ()
    unknown_types: tuple[str, ...] = ()
    unnamed_executables: tuple[str, ...] = ()
    cycles: tuple[str, ...] = ()
    missing_pairs: tuple[Pair, ...] = ()

    @property
    def passed(self) -> bool:
        """Tell whether nothing was found."""
        return not self.lines()

    def lines(self) -> list[str]:
        """Return one line per finding."""
        return [
            *(f"no producer: {text}" for text in self.missing_producers),
            *(f"unknown type: {text}" for text in self.unknown_types),
            *(f"no executable: {text}" for text in self.unnamed_executables),
            *(f"cycle: {text}" for text in self.cycles),
            *(f"no data goes from {producer} to {consumer}" for producer, consumer in self.missing_pairs),
        ]

    def raise_if_failed(self) -> None:
        """Raise CatalogueError with all findings unless there are none."""
        if not self.passed:
            raise CatalogueError("; ".join(self.lines()), next_step="correct the definition files")


def check(catalogue: Catalogue, expected_pairs: Iterable[Pair] = ()) -> CheckReport:
    """Check producers, types, executables and cycles, and that data goes from producer to consumer of each pair."""
    present = producer_consumer_pairs(catalogue)
    return CheckReport(
        missing_producers=tuple(_missing_producers(catalogue)),
        unknown_types=tuple(_unknown_types(catalogue)),
        unnamed_executables=tuple(
            p.name for p in catalogue.processors.values() if not p.command.endswith((".bash", ".sh"))
        ),
        cycles=tuple(_cycles(catalogue)),
        missing_pairs=tuple(pair for pair in sorted(set(expected_pairs)) if pair not in present),
    )


def producer_consumer_pairs(catalogue: Catalogue) -> set[Pair]:
    """Return who feeds whom; a step answers to the name of its processor and to that of its task."""
    pairs: set[Pair] = set()
    for step in catalogue:
        for entry in step.spec.inputs:
            for source in entry.producers:
                key = step.source_key(source)
                if key in catalogue:
                    pairs.update(product(_names(catalogue.step(key)), _names(step)))
    return pairs


def expected_pairs() -> list[Pair]:
    """Return the pairs that come with S2PS: who feeds whom in the real chain."""
    return read_pairs(Path(__file__).parent / "definitions" / "producer_consumer_pairs.txt")


def read_pairs(path: Path) -> list[Pair]:
    """Read lines "PRODUCER CONSUMER"; raises InputError naming a line of another shape."""
    pairs = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        words = line.split()
        if len(words) != 2:
            raise InputError(f"{path.name} line {number}: {line!r}", expected="PRODUCER CONSUMER")
        pairs.append((words[0], words[1]))
    return pairs


def _names(step: Step) -> set[str]:
    return {step.processor.name, step.key.task}


def _missing_producers(catalogue: Catalogue) -> Iterable[str]:
    for step in catalogue:
        for entry in step.spec.inputs:
            for source in entry.producers:
                key = step.source_key(source)
                if key not in catalogue:
                    yield f"{step.key} input {entry.type} from {key}"


def _unknown_types(catalogue: Catalogue) -> Iterable[str]:
    for step in catalogue:
        for entry in step.spec.inputs:
            for source in entry.producers:
                key = step.source_key(source)
                wanted = step.output_type(entry, source)
                if key in catalogue and wanted not in {item.type for item in catalogue.step(key).spec.outputs}:
                    yield f"{step.key} input {entry.type}: {key} makes no {wanted}"


def _cycles(catalogue: Catalogue) -> Iterable[str]:
    graph: nx.DiGraph[str] = nx.DiGraph()
    for step in catalogue:
        graph.add_edges_from((str(step.source_key(s)), str(step.key)) for e in step.spec.inputs for s in e.producers)
    for component in nx.strongly_connected_components(graph):
        if len(component) > 1 or any(graph.has_edge(name, name) for name in component):
            yield " and ".join(sorted(component))
