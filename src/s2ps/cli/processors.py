"""`s2ps processors`: the catalogue, listed, explained and checked."""

from __future__ import annotations

from typing import Annotated

import typer

from s2ps.cli.terminal import console, errors, escape, guarded, table
from s2ps.processors.catalogue import Catalogue
from s2ps.processors.check import check, expected_pairs, producer_consumer_pairs
from s2ps.production.definitions import catalogue_of
from s2ps.settings import Settings

app = typer.Typer(no_args_is_help=True, help="List, explain and check the processors.")
Baseline = Annotated[str, typer.Option(help="Processing baseline.")]


@app.command("list")
def list_processors(baseline: Baseline = "05.00") -> None:
    """List every processor with version, phases, what it is parallel over and its executable."""
    guarded(lambda: _list(catalogue_of(Settings.load(), baseline)))


@app.command()
def show(name: str, baseline: Baseline = "05.00") -> None:
    """Explain one processor: what it reads, writes and is parallel over."""
    guarded(lambda: _show(catalogue_of(Settings.load(), baseline), name))


@app.command("check")
def check_processors(baseline: Baseline = "05.00") -> None:
    """Prove that the catalogue is whole: no input without origin, no cycle, every known pair."""
    guarded(lambda: _check(catalogue_of(Settings.load(), baseline)))


def _list(catalogue: Catalogue) -> None:
    rows = []
    for processor in catalogue.processors.values():
        phases = ", ".join(dict.fromkeys(step.phase for step in processor.steps))
        split = ", ".join(dict.fromkeys(str(dim) for step in processor.steps for dim in step.split)) or "-"
        rows.append((processor.name, processor.version, phases, split, processor.exit_policy))
    columns = ("processor", "version", "phases", "parallel over", "exit codes")
    table(f"{len(rows)} processors of baseline {catalogue.baseline}", columns, rows)


def _show(catalogue: Catalogue, name: str) -> None:
    processor = catalogue.processors.get(name)
    if processor is None:
        near = (
            ", ".join(known for known in catalogue.processors if name.upper() in known) or "see `s2ps processors list`"
        )
        errors.print(f"[bold red]error:[/] no processor {escape(name)}\n  expected: {near}")
        raise SystemExit(2)
    console.print(f"[bold]{processor.name}[/] {processor.version}\n{processor.function}\ncommand: {processor.command}")
    for step in processor.steps:
        console.print(f"\n[bold]{step.task}[/] in phase {step.phase}")
        for entry in step.inputs:
            origin = ", ".join(f"{s.task}@{s.phase or step.phase}" for s in entry.producers) or f"the {entry.external}"
            console.print(f"  reads  {entry.type} from {origin}")
        for label, names in (("auxiliary", step.all_auxiliary), ("static", step.all_static)):
            if names:
                console.print(f"  {label}: {', '.join(names)}")
        for output in step.outputs:
            console.print(f"  writes {output.type}{'' if output.mandatory else ' (optional)'}")


def _check(catalogue: Catalogue) -> None:
    pairs = expected_pairs()
    report = check(catalogue, pairs)
    for line in report.lines():
        errors.print(f"[red]{escape(line)}[/]")
    if not report.passed:
        raise SystemExit(1)
    tasks, present = len(catalogue), len(producer_consumer_pairs(catalogue))
    console.print(
        f"catalogue {catalogue.baseline}: {len(catalogue.processors)} processors, {tasks} tasks; every input has a "
        f"producer or comes from outside; no cycle; all {len(pairs)} known producer-consumer pairs are there (of {present} in all)"
    )
