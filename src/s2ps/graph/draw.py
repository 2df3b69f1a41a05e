"""Draw graphs as text: Mermaid, Graphviz dot, and a table of jobs by level."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from s2ps.graph.job_graph import JobGraph
from s2ps.graph.processor_graph import ProcessorGraph
from s2ps.processors.catalogue import StepKey
from s2ps.processors.phases import PHASES

Edge = tuple[str, str]


def mermaid(graph: ProcessorGraph) -> str:
    """Return a Mermaid flow chart with one box per phase."""
    names = {key: f"n{number}" for number, key in enumerate(graph.keys)}
    lines = ["flowchart LR"]
    for phase in dict.fromkeys(key.phase for key in graph.keys):
        lines.append(f"  subgraph {phase}")
        lines += [f'    {names[key]}["{key.task}"]' for key in graph.keys if key.phase == phase]
        lines.append("  end")
    for (producer, consumer), types in _by_pair(graph).items():
        lines.append(f"  {names[producer]} -->|{', '.join(types)}| {names[consumer]}")
    return "\n".join(lines) + "\n"


def dot(graph: ProcessorGraph) -> str:
    """Return a Graphviz graph with one cluster per phase."""
    lines = ["digraph processors {", "  rankdir=LR; node [shape=box];"]
    for phase in dict.fromkeys(key.phase for key in graph.keys):
        members = " ".join(f'"{key}" [label="{key.task}"];' for key in graph.keys if key.phase == phase)
        lines.append(f'  subgraph "cluster_{phase}" {{ label="{phase}"; {members} }}')
    for (producer, consumer), types in _by_pair(graph).items():
        lines.append(f'  "{producer}" -> "{consumer}" [label="{", ".join(types)}"];')
    return "\n".join([*lines, "}"]) + "\n"


def mermaid_edges(nodes: Iterable[str], edges: Iterable[Edge]) -> str:
    """Return a Mermaid flow chart of named nodes, such as clusters."""
    names = {node: f"n{number}" for number, node in enumerate(nodes)}
    lines = ["flowchart LR", *(f'  {short}["{node}"]' for node, short in names.items())]
    return "\n".join([*lines, *(f"  {names[a]} --> {names[b]}" for a, b in edges)]) + "\n"


def summary(graph: JobGraph) -> str:
    """Return a table of job counts: level, phase, jobs, and the tasks with several jobs."""
    counts = graph.counts()
    rows: list[Sequence[str]] = [("level", "phase", "jobs", "tasks")]
    for phase in PHASES:
        if phase.name in counts:
            tasks = counts[phase.name]
            detail = ", ".join(task if n == 1 else f"{task} {n}" for task, n in tasks.items())
            rows.append((phase.level.value, phase.name, str(sum(tasks.values())), detail))
    rows.append(("", "total", str(len(graph)), ""))
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    return "\n".join(
        "  ".join([row[0].ljust(widths[0]), row[1].ljust(widths[1]), row[2].rjust(widths[2]), row[3]]).rstrip()
        for row in rows
    )


def _by_pair(graph: ProcessorGraph) -> dict[tuple[StepKey, StepKey], list[str]]:
    pairs: dict[tuple[StepKey, StepKey], list[str]] = {}
    for edge in graph.edges:
        types = pairs.setdefault((edge.producer, edge.consumer), [])
        if edge.input not in types:
            types.append(edge.input)
    return pairs
