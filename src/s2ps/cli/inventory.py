"""`s2ps inventory`: the database of what exists."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from s2ps.cli.terminal import FINDINGS, console, escape, guarded, table
from s2ps.inventory.care import check_database, upgrade_database
from s2ps.inventory.lineage import lineage
from s2ps.inventory.migration import head
from s2ps.inventory.removal import remove as remove_entries
from s2ps.inventory.store import Inventory
from s2ps.publication.placing import remove_folder
from s2ps.publication.publisher import Publisher
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


@app.command(name="lineage")
def lineage_(
    name: Annotated[str, typer.Argument(help="Product, datastrip, session, session file or auxiliary file.")],
    home: Home = None,
    as_json: Annotated[bool, typer.Option("--json", help="As one JSON document.")] = False,
) -> None:
    """Show what something was made of, and what was made of it.

    Examples:
      s2ps inventory lineage S2B_MSIL2A_20260701T101559_N0500_R022_T32TPQ_20260701T120000.SAFE
      s2ps inventory lineage S2__OPER_AUX_UT1UTC_PDMC_20260625T000000_V20260625T000000_20260814T000000.txt

    Exit codes: 0 fine, 2 error.
    """
    guarded(lambda: _lineage(name, home, as_json))


@app.command()
def remove(
    name: Annotated[str, typer.Argument(help="Session, datatake or product.")],
    home: Home = None,
    files: Annotated[bool, typer.Option(help="Remove folders, packages and STAC items as well.")] = True,
) -> None:
    """Remove a session, datatake or product with everything made of it.

    Nobody finds it any more from one moment to the next; then folders, packages
    and STAC items of its products go. Raw data and staging stay. When it is
    interrupted, `s2ps publication expire` goes on.

    Example:
      s2ps inventory remove GS2B_20260701T101559_048123_N05.00 --home var/mine

    Exit codes: 0 fine, 2 error.
    """
    guarded(lambda: _remove(name, home, files))


def _lineage(name: str, home: Path | None, as_json: bool) -> None:
    found = lineage(Inventory(Settings.load(home).inventory_location), name)
    if as_json:
        console.print_json(json.dumps(asdict(found)))
        return
    for title, links in (("made of", found.origins), ("made into", found.results)):
        rows = [(link.kind, link.name, link.run) for link in links]
        table(f"{name} {title}", ("kind", "name", "run"), rows or [("-", "nothing known", "-")])


def _remove(name: str, home: Path | None, files: bool) -> None:
    settings = Settings.load(home)
    inventory = Inventory(settings.inventory_location)
    withdrawals = Publisher.of(settings, inventory).withdrawals
    removed = remove_entries(inventory, name, withdrawals.begin if files else None)
    if files:
        for publication in removed.published:
            withdrawals.finish(publication.name, keep_folder=True)
        for path in removed.paths:
            remove_folder(path)
    console.print(
        f"removed: {len(removed.sessions)} sessions, {len(removed.datatakes)} datatakes, "
        f"{len(removed.datastrips)} datastrips, {len(removed.products)} products, {len(removed.published)} publications"
    )
    for publication in () if files else removed.published:
        console.print(f"package left: {escape(publication.location)}")


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
