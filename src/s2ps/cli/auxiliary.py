"""`s2ps auxiliary`: the auxiliary files of an installation."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from s2ps.cli.terminal import FINDINGS, console, errors, escape, guarded, table
from s2ps.inventory.auxiliary_files import AuxiliaryFiles
from s2ps.inventory.intake import Intake
from s2ps.inventory.store import Inventory
from s2ps.model.errors import ConfigurationError
from s2ps.model.timestamps import format_utc, parse_utc
from s2ps.production.explanation import explain_auxiliary
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


@app.command()
def explain(
    name: Annotated[str, typer.Argument(help="Datatake, or session (for L0U).")],
    home: Home = None,
    level: Annotated[list[str] | None, typer.Option(help="L0U, L0, L1 or L2; may be repeated. Default: all.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="As one JSON document, with every rejected file.")] = False,
    at: Annotated[str | None, typer.Option(help="Moment to judge by (ISO, UTC). Default: now.")] = None,
) -> None:
    """Say which auxiliary files a datatake would get, and why.

    For each type and band: the file and the rule, the files left out with the
    reason, and until when a missing one is waited for. After that a fallback
    stands in where its type allows one, and the products are marked degraded.

    Examples:
      s2ps auxiliary explain GS2B_20260701T101559_048123_N05.00 --level L1
      s2ps auxiliary explain GS2B_20260701T101559_048123_N05.00 --json

    Exit codes: 0 all is there, 1 something mandatory is missing, 2 error.
    """
    guarded(lambda: _explain(name, home, tuple(level or ()), as_json, at))


def _explain(name: str, home: Path | None, levels: tuple[str, ...], as_json: bool, at: str | None) -> None:
    settings = Settings.load(home)
    moment = _moment(at)
    explained = explain_auxiliary(settings, Inventory(settings.inventory_location), name, levels, moment)
    if as_json:
        typer.echo(json.dumps(asdict(explained), default=_json, indent=1))
    for stage in () if as_json else explained.stages:
        waiting = "has passed: fallbacks are allowed" if stage.late else "missing files are waited for until then"
        title = f"{stage.level} of {name}: latest useful time {format_utc(stage.latest_useful, digits=0)}, {waiting}"
        rows: list[tuple[str, str, str, str]] = []
        for item in stage.types:
            what = f"{item.type} B{item.band}" if item.band else item.type
            rows.append((what, item.state, ", ".join(item.chosen) or "-", item.why))
            rows += [("", "not", rejected.name, escape(rejected.why)) for rejected in item.rejected]
        table(title, ("type", "state", "file", "why"), rows)
    if not all(stage.complete for stage in explained.stages):
        raise SystemExit(FINDINGS)


def _moment(text: str | None) -> datetime:
    try:
        return parse_utc(text) if text else datetime.now(UTC)
    except ValueError as error:
        raise ConfigurationError(f"{text!r} is no time", expected="2026-07-01T10:15:59Z") from error


def _json(value: object) -> str:
    return format_utc(value) if isinstance(value, datetime) else str(value)


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
