"""Taking things out of the inventory: with all that hangs on them, in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import Connection, select

from s2ps.inventory.publication_records import Publication
from s2ps.inventory.publication_rows import publication_of
from s2ps.inventory.publication_tables import PUBLICATIONS
from s2ps.inventory.schema import CLAIMS, DATASTRIPS, DATATAKES, LINEAGE, PRODUCTS, RUNS, SESSION_FILES, SESSIONS
from s2ps.inventory.store import Inventory
from s2ps.model.errors import InputError

PACKAGES = (".tar", ".zip")


@dataclass(slots=True)
class Removed:
    """What is no longer in the inventory; its files are there still and may be removed now."""

    sessions: list[str] = field(default_factory=list)
    datatakes: list[str] = field(default_factory=list)
    datastrips: list[str] = field(default_factory=list)
    products: list[str] = field(default_factory=list)
    paths: list[Path] = field(default_factory=list)
    """Folders of the products."""
    published: list[Publication] = field(default_factory=list)
    """What users could find of it (without attributes)."""


def remove(inventory: Inventory, name: str, before: Callable[[Publication], None] | None = None) -> Removed:
    """Take a session, datatake or product out, with everything found in or made of it, and its publications.

    Rows go first and all at once: nobody finds a product whose files are being removed. `before` is called with the
    publications that go, in the same transaction before it is committed: it writes down what is to be removed then.
    Raises InputError for a name that is none of them.
    """

    def once(connection: Connection) -> Removed:
        removed = Removed()
        if _has(connection, SESSIONS.c.id == name):
            _remove_session(connection, name, removed)
        elif _has(connection, DATATAKES.c.id == name):
            _remove_datatake(connection, name, removed)
        elif _has(connection, PRODUCTS.c.name == name):
            _remove_products(connection, [name], removed)
        else:
            raise InputError(f"{name} is not in the inventory", expected="a session, datatake or product")
        if before is not None:
            for publication in removed.published:
                before(publication)
        return removed

    return inventory.write(once)


def _remove_session(connection: Connection, name: str, removed: Removed) -> None:
    for datatake in connection.scalars(select(DATATAKES.c.id).where(DATATAKES.c.session_id == name)).all():
        _remove_datatake(connection, datatake, removed)
    _remove_runs(connection, name)
    connection.execute(SESSION_FILES.delete().where(SESSION_FILES.c.session_id == name))
    connection.execute(SESSIONS.delete().where(SESSIONS.c.id == name))
    removed.sessions.append(name)


def _remove_datatake(connection: Connection, name: str, removed: Removed) -> None:
    products = connection.scalars(select(PRODUCTS.c.name).where(PRODUCTS.c.datatake == name)).all()
    _remove_products(connection, products, removed)
    datastrips = connection.scalars(select(DATASTRIPS.c.id).where(DATASTRIPS.c.datatake == name)).all()
    _remove_runs(connection, name)
    for datastrip in datastrips:
        connection.execute(LINEAGE.delete().where(LINEAGE.c.name == datastrip))
    connection.execute(DATASTRIPS.delete().where(DATASTRIPS.c.datatake == name))
    connection.execute(CLAIMS.delete().where(CLAIMS.c.datatake == name))
    connection.execute(DATATAKES.delete().where(DATATAKES.c.id == name))
    removed.datastrips += datastrips
    removed.datatakes.append(name)


def _remove_products(connection: Connection, names: Sequence[str], removed: Removed) -> None:
    for name in names:
        packages = (name, *(f"{stem}{end}" for stem in (name, name.removesuffix(".SAFE")) for end in PACKAGES))
        published = PUBLICATIONS.c.name.in_(packages)
        rows = connection.execute(select(PUBLICATIONS).where(published))
        removed.published += [publication_of(row, ()) for row in rows]
        connection.execute(PUBLICATIONS.delete().where(published))
        removed.paths += connection.scalars(select(PRODUCTS.c.path).where(PRODUCTS.c.name == name)).all()
        connection.execute(PRODUCTS.delete().where(PRODUCTS.c.name == name))
        connection.execute(LINEAGE.delete().where(LINEAGE.c.name == name))
        removed.products.append(name)


def _remove_runs(connection: Connection, subject: str) -> None:
    runs = select(RUNS.c.key).where(RUNS.c.subject == subject)
    connection.execute(LINEAGE.delete().where(LINEAGE.c.run.in_(runs)))
    connection.execute(RUNS.delete().where(RUNS.c.subject == subject))


def _has(connection: Connection, condition: object) -> bool:
    return connection.execute(select(1).where(condition)).first() is not None  # type: ignore[arg-type]
