"""`s2ps staging`: care of the place where intermediate data lie."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from s2ps.cli.terminal import console, guarded
from s2ps.model.errors import ConfigurationError
from s2ps.settings import Settings
from s2ps.staging.location import open_store

app = typer.Typer(
    no_args_is_help=True,
    help="""Take care of the staging: what unfinished work has left behind.

    Example:
      s2ps staging sweep --older-than 24h""",
)
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}


@app.command()
def sweep(
    home: Annotated[
        Path | None, typer.Option(help="What this installation wrote. Default: var.", envvar="S2PS_HOME")
    ] = None,
    older_than: Annotated[
        str, typer.Option(help="Age of what is removed: a number with m (minutes), h (hours) or d (days).")
    ] = "24h",
) -> None:
    """Remove what interrupted work has left in the staging and nobody has touched since.

    That are folders that were never committed, uploads that never ended, and
    local copies of processes that are gone. What is committed stays. It may run
    at any time and beside running jobs, as often as one likes; the age must be
    longer than a job may take.

    Example:
      s2ps staging sweep --home var/mine --older-than 24h

    Exit codes: 0 fine, 2 error.
    """
    guarded(lambda: _sweep(home, older_than))


def _sweep(home: Path | None, older_than: str) -> None:
    age = age_of(older_than)
    settings = Settings.load(home)
    removed = open_store(settings.staging_uri).sweep(datetime.now(UTC) - age)
    console.print(f"{removed} leftovers removed from {settings.staging_uri}")


def age_of(text: str) -> timedelta:
    """Return "90m", "24h" or "2d" as a duration; raise ConfigurationError for anything else."""
    found = re.fullmatch(r"(\d{1,6})([mhd])", text.strip())
    if found is None:
        raise ConfigurationError(f"{text!r} is no age", expected="a number with m, h or d, as 24h")
    return timedelta(**{_UNITS[found[2]]: int(found[1])})
