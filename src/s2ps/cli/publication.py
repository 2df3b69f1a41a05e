"""`s2ps publication`: care of what users find."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from s2ps.cli.terminal import console, guarded, table
from s2ps.inventory.publications import Publication
from s2ps.inventory.store import Inventory
from s2ps.inventory.usage import UsageStore
from s2ps.model.timestamps import format_utc
from s2ps.publication.publisher import Publisher
from s2ps.settings import Settings

app = typer.Typer(
    no_args_is_help=True,
    help="""Take care of published products: what has had its time, what shall not be there.

    Example:
      s2ps publication expire --dry-run""",
)
Home = Annotated[Path | None, typer.Option(help="What this installation wrote. Default: var.", envvar="S2PS_HOME")]


@app.command()
def expire(
    home: Home = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only tell what would be removed.")] = False,
) -> None:
    """Remove the products whose time is over, and what interrupted work has left.

    Old counts of the web service's users go too.

    A product is invisible at once; its STAC item, package and folder follow.
    Whatever was interrupted in between is finished first. How long products
    stay was fixed by the rules when they were published (S2PS_RETENTION).

    Example:
      s2ps publication expire --home var/mine --dry-run

    Exit codes: 0 fine, 2 error.
    """
    guarded(lambda: _expire(home, dry_run))


@app.command()
def withdraw(
    name: Annotated[str, typer.Argument(help="Name of a product folder or of its package.")], home: Home = None
) -> None:
    """Remove one product, whenever it was published.

    Example:
      s2ps publication withdraw S2B_MSIL1C_20260701T101559_N0500_R022_T32TPQ_20260701T120000.SAFE

    Exit codes: 0 fine, 2 error.
    """
    guarded(lambda: console.print(f"{_publisher(home).withdrawals.withdraw(name).name} removed"))


@app.command()
def refresh(home: Home = None) -> None:
    """Bring the static STAC catalogue into agreement with the items that are there.

    Publication and removal do so themselves; this is for a catalogue that
    somebody has changed by hand.

    Example:
      s2ps publication refresh --home var/mine

    Exit codes: 0 fine, 2 error.
    """
    guarded(lambda: _publisher(home).catalogue.refresh_all())


def _expire(home: Path | None, dry_run: bool) -> None:
    settings = Settings.load(home)
    inventory = Inventory(settings.inventory_location)
    publisher, now = Publisher.of(settings, inventory), datetime.now(UTC)
    if dry_run:
        found = publisher.withdrawals.expired(now)
        _show("products that would be removed", found)
        console.print(f"{len(found)} products would be removed, {len(publisher.withdrawals.pending())} are half-way")
        return
    UsageStore(inventory.engine).forget(now)
    removed = list(publisher.withdrawals.expire(now))
    _show("removed products", removed)
    console.print(f"{len(removed)} products removed")


def _show(title: str, found: list[Publication] | tuple[Publication, ...]) -> None:
    if found:
        rows = [
            (each.name, each.level, format_utc(each.eviction_date or each.published_at, digits=0)) for each in found
        ]
        table(title, ("product", "level", "its time was over"), rows)


def _publisher(home: Path | None) -> Publisher:
    settings = Settings.load(home)
    return Publisher.of(settings, Inventory(settings.inventory_location))
