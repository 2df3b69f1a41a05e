"""`s2ps inventory`: the database of what exists."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from s2ps.cli.terminal import FINDINGS, console, escape, guarded
from s2ps.inventory.care import check_database, upgrade_database
from s2ps.inventory.migration import head
from s2ps.settings import Settings

app = typer.Typer(
    no_args_is_help=True,
    help="""Take care of the inventory, the database of what exists (S2PS_INVENTORY).

    Example:
      s2ps inventory check --home var/mine""",
)
Home = Annotated[Path | None, typer.Option(help="What this installation wrote. Default: var.", envvar="S2PS_HOME")]


@app.command(name="upgrade")
def upgrade_(home: Home = None) -> None:
    """Bring the tables of the inventory to those of this version.

    A SQLite inventory is brought up whenever it is opened; one in PostgreSQL
    by this command, which its owner runs before the service is started. The
    database needs PostGIS; the extension is made when the user may do so.

    Example:
      export S2PS_INVENTORY=postgresql+psycopg2://s2ps@db/s2ps
      s2ps inventory upgrade

    Exit codes: 0 fine, 2 error.
    """
    guarded(lambda: _upgrade(home))


@app.command()
def check(home: Home = None) -> None:
    """Say whether the tables of the inventory are those this version expects.

    Nothing is changed.

    Example:
      s2ps inventory check --home var/mine

    Exit codes: 0 they are, 1 they are not, 2 error.
    """
    guarded(lambda: _check(home))


def _upgrade(home: Path | None) -> None:
    before, after = upgrade_database(Settings.load(home).inventory_location)
    console.print(f"inventory is at revision {after}" + (f" (was {before or 'empty'})" if before != after else ""))


def _check(home: Path | None) -> None:
    revision, found = check_database(Settings.load(home).inventory_location)
    for line in found:
        console.print(escape(line))
    if revision != head() or found:
        console.print(f"inventory is of revision {revision or 'none'}, expected {head()}: run s2ps inventory upgrade")
        raise SystemExit(FINDINGS)
    console.print(f"inventory is at revision {revision}")
