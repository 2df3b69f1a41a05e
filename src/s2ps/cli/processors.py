"""`s2ps processors`: the catalogue, listed, explained, checked and compared."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from s2ps.cli.terminal import FINDINGS, console, errors, escape, guarded, table
from s2ps.formats.task_table import read_task_table
from s2ps.model.errors import CatalogueError, ConfigurationError
from s2ps.processors.catalogue import Catalogue
from s2ps.processors.check import check, expected_pairs, producer_consumer_pairs
from s2ps.processors.comparison import compare_with_catalogue, undeclared
from s2ps.processors.spec import ProcessorSpec
from s2ps.production.definitions import catalogue_of
from s2ps.production.executables import find_executable
from s2ps.settings import Settings, reference_executables

app = typer.Typer(
    no_args_is_help=True,
    help="""List, explain and check the processors.

    The catalogue is one entry per processor: those that come with S2PS, and on
    top of them those in the folder S2PS_DEFINITIONS. Executables are looked for
    in S2PS_EXECUTABLES first, then among the reference processors.

    Example:
      s2ps processors show DECOMP""",
)
Baseline = Annotated[str | None, typer.Option(help="Processing baseline. Default: S2PS_BASELINE, else 05.00.")]


@app.command("list")
def list_processors(baseline: Baseline = None) -> None:
    """List every processor: version, phases, what it is parallel over, exit codes, whose executable runs.

    Example:
      s2ps processors list

    Results go to the terminal. Exit codes: 0 fine, 2 error.
    """
    guarded(lambda: _list(Settings.load(), baseline))


@app.command()
def show(
    name: Annotated[str, typer.Argument(help="Name of the processor, as DECOMP.")], baseline: Baseline = None
) -> None:
    """Explain one processor: what it reads and from whom, what it writes, which file runs.

    Example:
      s2ps processors show GEN_ORTHO_TOA

    Results go to the terminal. Exit codes: 0 fine, 2 error, such as an unknown name.
    """
    guarded(lambda: _show(Settings.load(), baseline, name))


@app.command("check")
def check_processors(baseline: Baseline = None) -> None:
    """Prove that the catalogue is whole: every input has an origin, no cycle, every known pair, every executable.

    Example:
      s2ps processors check

    Findings go to the terminal, one per line. Exit codes: 0 whole, 1 findings, 2 error.
    """
    guarded(lambda: _check(Settings.load(), baseline))


@app.command()
def compare(
    tables: Annotated[list[Path], typer.Argument(help="Task tables, as TaskTable_L1A.xml.")], baseline: Baseline = None
) -> None:
    """Compare task tables of real processors with the catalogue: tasks, inputs, outputs, options.

    Example:
      s2ps processors compare TaskTable_L1A.xml TaskTable_L1B.xml

    Differences that an entry itself declares (`added`, `omitted`) are shown
    but do not count.
    Exit codes: 0 they agree, 1 findings, 2 error.
    """
    guarded(lambda: _compare(Settings.load(), baseline, tables))


def _list(settings: Settings, baseline: str | None) -> None:
    catalogue = catalogue_of(settings, baseline)
    rows = []
    for processor in catalogue.processors.values():
        phases = ", ".join(dict.fromkeys(step.phase for step in processor.steps))
        split = ", ".join(dict.fromkeys(str(dim) for step in processor.steps for dim in step.split)) or "-"
        rows.append(
            (processor.name, processor.version, phases, split, processor.exit_policy, _origin(settings, processor))
        )
    columns = ("processor", "version", "phases", "parallel over", "exit codes", "executable")
    table(f"{len(rows)} processors of baseline {catalogue.baseline}", columns, rows)


def _origin(settings: Settings, processor: ProcessorSpec) -> str:
    try:
        found = find_executable(settings, processor.name, processor.command)
    except ConfigurationError:
        return "none"
    return "reference" if found.is_relative_to(reference_executables()) else "own"


def _show(settings: Settings, baseline: str | None, name: str) -> None:
    catalogue = catalogue_of(settings, baseline)
    processor = catalogue.processors.get(name)
    if processor is None:
        near = ", ".join(known for known in catalogue.processors if name.upper() in known)
        raise CatalogueError(
            f"no processor {name}",
            expected=near or f"one of the {len(catalogue.processors)} of the catalogue",
            next_step="see `s2ps processors list`",
        )
    console.print(f"[bold]{processor.name}[/] {processor.version}\n{processor.function}")
    try:
        console.print(f"runs {find_executable(settings, processor.name, processor.command)}")
    except ConfigurationError as error:
        console.print(f"[red]cannot run:[/] {escape(error.message)}")
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


def _check(settings: Settings, baseline: str | None) -> None:
    catalogue = catalogue_of(settings, baseline)
    pairs = expected_pairs()
    found = [*check(catalogue, pairs).lines(), *_without_executable(settings, catalogue)]
    for line in found:
        errors.print(f"[red]{escape(line)}[/]")
    if found:
        raise SystemExit(FINDINGS)
    tasks, present = len(catalogue), len(producer_consumer_pairs(catalogue))
    console.print(
        f"catalogue {catalogue.baseline}: {len(catalogue.processors)} processors, {tasks} tasks; every input has a "
        f"producer or comes from outside; no cycle; all {len(pairs)} known producer-consumer pairs are there (of "
        f"{present} in all); every processor has an executable"
    )


def _without_executable(settings: Settings, catalogue: Catalogue) -> list[str]:
    lines = []
    for processor in catalogue.processors.values():
        try:
            find_executable(settings, processor.name, processor.command)
        except ConfigurationError as error:
            lines.append(f"no executable: {error.message}")
    return lines


def _compare(settings: Settings, baseline: str | None, tables: list[Path]) -> None:
    catalogue = catalogue_of(settings, baseline)
    count = 0
    for path in tables:
        content = read_task_table(path)
        differences = compare_with_catalogue(content, catalogue)
        count += len(undeclared(differences))
        for item in differences:
            console.print(escape(f"{content.name}: {item}"), style=None if item.declared else "red")
        for warning in content.warnings:
            console.print(f"[dim]{escape(warning)}[/]")
    if count:
        errors.print(f"{count} differences that the catalogue does not declare")
        raise SystemExit(FINDINGS)
    console.print(f"{len(tables)} task tables agree with catalogue {catalogue.baseline}")
