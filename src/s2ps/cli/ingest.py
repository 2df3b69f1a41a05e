"""`s2ps ingest`: what stations publish is fetched."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy.exc import SQLAlchemyError

from s2ps.cli.simulate import Home
from s2ps.cli.terminal import ERROR, FINDINGS, INTERRUPTED, console, errors, escape, guarded
from s2ps.ingestion.report import PollReport
from s2ps.ingestion.service import Ingestion
from s2ps.ingestion.stations import Station, Stations
from s2ps.inventory.store import Inventory
from s2ps.model.errors import InputError, S2psError
from s2ps.model.timestamps import format_utc
from s2ps.settings import Settings


def ingest(
    home: Home = Path("var"),
    station: Annotated[list[str] | None, typer.Option(help="Station to poll. Default: all of the file.")] = None,
    once: Annotated[bool, typer.Option("--once", help="Poll once and end.")] = False,
) -> None:
    """Fetch sessions and auxiliary files from the stations of S2PS_STATIONS (default: HOME/stations.yaml).

    Sessions arrive in HOME/sessions and are registered when they are complete.
    What is fetched is kept: after a break the same command goes on where it
    stopped. Several processes may run at once; a station is polled by one.

    Examples:
      s2ps ingest --home var/mine                    for ever
      s2ps ingest --home var/mine --station SGS --once

    Exit codes of --once: 0 fine, 1 a station could not be polled or a file
    not be fetched, 2 error, 130 interrupted.
    """
    guarded(lambda: _ingest(home, tuple(station or ()), once))


def open_ingestion(home: Path) -> Ingestion:
    """Return the ingestion of an installation; one without a file of stations has none."""
    settings = Settings.load(home)
    path = settings.stations_file
    stations = Stations.load(path) if path.exists() or settings.stations else Stations()
    return Ingestion(settings, Inventory(settings.inventory_location), stations)


def _ingest(home: Path, names: Sequence[str], once: bool) -> None:
    service = open_ingestion(home)
    wanted = [service.stations.station(name) for name in names] or list(service.stations.stations)
    if not wanted:
        raise InputError(
            f"{service.settings.stations_file} lists no station", next_step="write it as docs/ingestion.md shows"
        )
    outcomes: list[bool | S2psError] = []
    threads = [
        threading.Thread(target=_watch, args=(service, station, once, outcomes), name=station.name, daemon=True)
        for station in wanted
    ]
    for thread in threads:
        thread.start()
    try:
        _wait(threads, outcomes)
    except KeyboardInterrupt:
        errors.print("\n[yellow]interrupted[/]; what is fetched is kept, the same command goes on from there")
        os._exit(INTERRUPTED)  # transfers are left where they are, as after a crash
    service.close()
    for outcome in outcomes:
        if isinstance(outcome, S2psError):
            raise outcome
    if not all(outcomes):
        raise SystemExit(FINDINGS)


def _wait(threads: Sequence[threading.Thread], outcomes: Sequence[object]) -> None:
    """Wait for all threads; one that ends without an outcome has met a fault of ours: then the process ends."""
    while alive := [thread for thread in threads if thread.is_alive()]:
        if len(threads) - len(alive) > len(outcomes):
            break
        alive[0].join(1.0)
    if len(outcomes) < len(threads):
        errors.print("[red]a station is not polled any more, see above[/]: report it; ingestion ends, start it again")
        os._exit(ERROR)  # whoever supervises the process starts it again; what is fetched is kept


def _watch(service: Ingestion, station: Station, once: bool, outcomes: list[bool | S2psError]) -> None:
    """Poll one station, once or for ever; a long download keeps no other station waiting."""
    while True:
        began = time.monotonic()
        try:
            fine = _poll(service, station)
        except S2psError as error:
            console.print(f"{_now()} {station.name}: [red]{escape(str(error))}[/]: it is not polled any more")
            outcomes.append(error)
            return
        if once:
            outcomes.append(fine)
            return
        time.sleep(max(0.0, began + station.poll_s - time.monotonic()))


def _poll(service: Ingestion, station: Station) -> bool:
    """Poll a station and say what happened; what may pass is tried again at its next turn."""
    try:
        report = service.poll(station.name)
    except (S2psError, OSError, SQLAlchemyError) as error:
        if isinstance(error, S2psError) and not error.retryable:
            raise
        console.print(f"{_now()} {station.name}: [red]{escape(str(error))}[/]")
        return False
    if report.busy:
        who = f"{report.elsewhere} ingests for this inventory" if report.elsewhere else "another process polls it"
        console.print(f"{_now()} {station.name}: {escape(who)}")
    elif report.fetched or report.completed or report.abandoned or report.problems or report.disk_full:
        console.print(f"{_now()} {_said(report)}")
    return not report.problems


def _said(report: PollReport) -> str:
    lines = [f"{report.station}: {report.listed} listed, {report.fetched} fetched ({report.bytes / 1e6:.1f} MB)"]
    lines += [f"  complete: {name}" for name in report.completed]
    lines += [f"  [yellow]{escape(problem)}[/]" for problem in report.problems]
    lines += [
        f"  [red]given up: {name}, it lacks {escape('; '.join(lacks))}[/]" for name, lacks in report.abandoned.items()
    ]
    lines += [f"  waits: {name}" for name in report.waiting]
    if report.disk_full:
        lines.append("  [yellow]the disk is full: nothing more is fetched until there is room[/]")
    return "\n".join(lines)


def _now() -> str:
    return format_utc(datetime.now(UTC), digits=0)
