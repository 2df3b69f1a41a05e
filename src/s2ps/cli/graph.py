"""`s2ps graph`: draw the graph of processors, or of the nodes of a strategy."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from s2ps.cli.processors import Baseline
from s2ps.cli.terminal import guarded
from s2ps.graph.draw import dot, mermaid, mermaid_edges
from s2ps.graph.processor_graph import ProcessorGraph
from s2ps.model.errors import ConfigurationError
from s2ps.planning.nodes import plan_nodes
from s2ps.processors.phases import PHASE_NAMES
from s2ps.production.definitions import catalogue_of, strategy_of
from s2ps.settings import Settings

app = typer.Typer(no_args_is_help=True, help="Draw the graph of processors, or of the clusters of a strategy.")


class Format(StrEnum):
    """Text forms of a drawing."""

    MERMAID = "mermaid"
    DOT = "dot"


@app.callback()
def graph() -> None:
    """Draw the graph of processors, or of the clusters of a strategy.

    Example:
      s2ps graph draw --phase L1CTile
    """


@app.command()
def draw(
    form: Annotated[Format, typer.Option("--format", help="Text form of the drawing.")] = Format.MERMAID,
    phase: Annotated[list[str] | None, typer.Option(help="Only these phases, as L1A; several are allowed.")] = None,
    strategy: Annotated[str | None, typer.Option(help="Draw the clusters of this strategy instead.")] = None,
    output: Annotated[Path | None, typer.Option(help="Write to this file instead of the terminal.")] = None,
    baseline: Baseline = None,
) -> None:
    """Draw which processor feeds which, through which data types (one box per phase).

    Examples:
      s2ps graph draw --phase L1A --phase L1B > l1.mmd
      s2ps graph draw --format dot | dot -Tsvg > chain.svg
      s2ps graph draw --strategy single_machine    clusters, as in Airflow

    The text goes to the terminal unless --output is given.
    Exit codes: 0 fine, 2 error.
    """
    guarded(lambda: _draw(form, tuple(phase or PHASE_NAMES), strategy, output, baseline))


def _draw(
    form: Format, phases: tuple[str, ...], strategy: str | None, output: Path | None, baseline: str | None
) -> None:
    settings = Settings.load()
    catalogue = catalogue_of(settings, baseline)
    if unknown := sorted(set(phases) - set(PHASE_NAMES)):
        raise ConfigurationError(f"no phase {', '.join(unknown)}", expected=f"of {', '.join(PHASE_NAMES)}")
    if strategy is not None:
        if form is not Format.MERMAID:
            raise ConfigurationError("clusters are drawn as mermaid only", next_step="leave out --format")
        nodes = plan_nodes(catalogue, strategy_of(settings, strategy))
        edges = [(producer, node.name) for node in nodes for producer in node.upstream]
        text = mermaid_edges([node.name for node in nodes], edges)
    else:
        processors = ProcessorGraph.of(catalogue, phases)
        text = mermaid(processors) if form is Format.MERMAID else dot(processors)
    if output is None:
        typer.echo(text, nl=False)
    else:
        output.write_text(text, encoding="utf-8")
