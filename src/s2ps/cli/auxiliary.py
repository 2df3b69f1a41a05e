"""`s2ps auxiliary`: the auxiliary files of an installation."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from s2ps.cli.terminal import FINDINGS, console, errors, escape, guarded
from s2ps.inventory.auxiliary_files import AuxiliaryFiles
from s2ps.inventory.intake import Intake
from s2ps.inventory.store import Inventory
from s2ps.settings import Settings

app = typer.Typer(
    no_args_is_help=True,
    help="""Auxiliary files: parameters (GIPP), Earth rotation, meteorology.

    Example:
      s2ps auxiliary add downloads --home var/mine""",
)
Home = Annotated[Path | None, typer.Option(help="What this installation wrote. Default: var.", envvar="S2PS_HOME")]


@app.command()
def add(
    source: Annotated[Path, typer.Argument(help="A file, or a folder of files.")],
    home: Home = None,
) -> None:
    """Take auxiliary files in: documents, pairs of .DBL and .HDR, packages.

    Packages (.TGZ, .tar, .zip) are opened with care: links, names that lead
    elsewhere and archive bombs are refused. Meteorology is read message by
    message. What is accepted lies in the auxiliary folder (S2PS_AUXILIARY) as
    processors expect it, and may be chosen from then on.

    Example:
      s2ps auxiliary add S2B_OPER_GIP_DATATI_MPC__20200101T000000_V20200101T000000_B00.TGZ

    Exit codes: 0 fine, 1 some were refused, 2 error.
    """
    guarded(lambda: _add(source, home))


def _add(source: Path, home: Path | None) -> None:
    settings = Settings.load(home)
    files = AuxiliaryFiles(Inventory(settings.inventory_location))
    taken = Intake(files, settings.place("auxiliary")).take(source)
    for record in taken.added:
        console.print(f"added {escape(record.name)}")
    for name, error in taken.refused:
        errors.print(f"[bold red]refused[/] {escape(name)}: {escape(str(error))}")
    console.print(f"{len(taken.added)} added, {len(taken.present)} there already, {len(taken.refused)} refused")
    if taken.refused:
        raise SystemExit(FINDINGS)
