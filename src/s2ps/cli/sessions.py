"""`s2ps sessions`: how far sessions are, what they lack, and care of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from s2ps.cli.ingest import open_ingestion
from s2ps.cli.simulate import Home
from s2ps.cli.terminal import console, escape, guarded, table
from s2ps.ingestion.arriving import ArrivalFolders
from s2ps.ingestion.expiry import Expiry
from s2ps.ingestion.service import Ingestion, SessionStatus
from s2ps.inventory.store import Inventory
from s2ps.model.errors import ConfigurationError, NotReady
from s2ps.model.timestamps import format_utc
from s2ps.settings import Settings


class ShowFirst(TyperGroup):
    """A group whose first command is meant when none is named: `sessions ID` is `sessions show ID`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put the first command before arguments that name none."""
        if not args or (args[0] not in self.commands and args[0] not in ctx.help_option_names):
            args = [next(iter(self.commands)), *args]
        return super().parse_args(ctx, args)


app = typer.Typer(
    cls=ShowFirst,
    help="""Sessions seen at stations: their state, what is missing, and care of them.

    Examples:
      s2ps sessions --home var/mine
      s2ps sessions S2B_20260701101559000001 --home var/mine""",
)


@app.command()
def show(
    session: Annotated[str | None, typer.Argument(help="Session to look at closely.")] = None,
    home: Home = Path("var"),
) -> None:
    """List the sessions seen at stations, their state, and what is missing.

    The word `show` may be left out.

    Examples:
      s2ps sessions --home var/mine
      s2ps sessions show S2B_20260701101559000001 --home var/mine

    Exit codes: 0 fine, 2 error.
    """
    guarded(lambda: _show(home, session))


@app.command()
def resume(
    session: Annotated[str, typer.Argument(help="Session that was given up.")], home: Home = Path("var")
) -> None:
    """Take up a session that was given up: the next polls ask for its files again.

    A new file at the station does the same.

    Example:
      s2ps sessions resume S2B_20260701101559000001 --home var/mine

    Exit codes: 0 fine, 2 error.
    """
    guarded(lambda: _resume(home, session))


@app.command()
def expire(
    home: Home = Path("var"),
    older_than_days: Annotated[
        float | None, typer.Option(min=0, help="Days since the last work on it. Default: S2PS_SESSION_DAYS.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only tell what would be removed.")] = False,
) -> None:
    """Remove the raw data of sessions whose time is over.

    Those are sessions from stations of which every datatake is made, and
    what has come of sessions that were given up. What is known of a session
    stays: it is not fetched again. A session in work is left alone.

    Examples:
      s2ps sessions expire --older-than-days 10 --dry-run --home var/mine
      s2ps sessions expire --older-than-days 10 --home var/mine

    Exit codes: 0 fine, 2 error.
    """
    guarded(lambda: _expire(home, older_than_days, dry_run))


def _expire(home: Path, older_than_days: float | None, dry_run: bool) -> None:
    settings = Settings.load(home)
    days = settings.session_days if older_than_days is None else older_than_days
    if days is None:
        raise ConfigurationError(
            "nothing says how long raw data stay", next_step="give --older-than-days or set S2PS_SESSION_DAYS"
        )
    expiry = Expiry(Inventory(settings.inventory_location), ArrivalFolders(settings.place("sessions")))
    before = datetime.now(UTC) - timedelta(days=days)
    if dry_run:
        found = [(arrival.session, arrival.state) for arrival in expiry.due(before)]
        table("raw data that would be removed", ("session", "state"), found)
        return
    removed = 0
    for session in expiry.expire(before):
        console.print(f"removed: raw data of {session}")
        removed += 1
    console.print(f"raw data of {removed} sessions removed")


def _resume(home: Path, session: str) -> None:
    open_ingestion(home).resume(session)
    console.print(f"session {session} is received again")


def _show(home: Path, session: str | None) -> None:
    service = open_ingestion(home)
    if session is None:
        rows = [_row(status) for status in service.sessions()]
        table("sessions", ("session", "station", "state", ">files", ">MB", "t0", "missing"), rows)
        refused = service.arrivals.refused()
        if refused:
            table("refused", ("station", "address", "reason"), [tuple(map(escape, row)) for row in refused])
        return
    found = [status for status in service.sessions() if status.arrival.session == session]
    if not found:
        raise NotReady(f"session {session} was never seen at a station", next_step="list them with: s2ps sessions")
    _details(service, found[0])


def _row(status: SessionStatus) -> tuple[str, ...]:
    arrival = status.arrival
    lacks = "; ".join((arrival.note, *arrival.missing) if arrival.note else arrival.missing)
    return (
        arrival.session,
        arrival.station,
        arrival.state,
        f"{status.here}/{status.files}",
        f"{status.here_size / 1e6:.0f}/{status.size / 1e6:.0f}",
        format_utc(arrival.t0) if arrival.t0 else "",
        escape(lacks),
    )


def _details(service: Ingestion, status: SessionStatus) -> None:
    arrival = status.arrival
    console.print(
        f"{arrival.session} of {arrival.station}: {arrival.state}, {status.here} of {status.files} files here"
    )
    if arrival.folder:
        console.print(f"folder {arrival.folder}, t0 {format_utc(arrival.t0) if arrival.t0 else ''}")
    for lack in (*((arrival.note,) if arrival.note else ()), *arrival.missing):
        console.print(f"  missing: {escape(lack)}")
    rows = [
        (file.name, file.state, file.size, format_utc(file.published), escape(file.problem))
        for file in service.arrivals.files(arrival.session)
    ]
    table("files", ("file", "state", ">bytes", "published", "problem"), rows)
