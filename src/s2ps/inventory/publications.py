"""What users can find and download: products appear whole, by one transaction, and go by one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import unquote, urlsplit
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, select
from sqlalchemy.dialects import postgresql, sqlite

from s2ps.inventory.columns import POSTGRESQL
from s2ps.inventory.publication_records import (
    Attribute,
    AttributeValue,
    Checksum,
    Publication,
    check,
    identify,
)
from s2ps.inventory.publication_rows import publication_of, read_attributes, row_of, write_attributes
from s2ps.inventory.publication_tables import ATTRIBUTES, CLOCK, PUBLICATIONS
from s2ps.inventory.store import Inventory
from s2ps.model.errors import PublicationError

__all__ = ["Attribute", "AttributeValue", "Checksum", "Publication", "PublicationStore", "identify"]

_TICK = timedelta(microseconds=1)
_CLOCK_ROW = 1


def size_of_file(location: str) -> int:
    """Return the bytes of the package at a file:// URI; raise PublicationError for another URI or a missing file."""
    parts = urlsplit(location)
    path = Path(unquote(parts.path))
    if parts.scheme != "file" or not path.is_file():
        raise PublicationError(
            f"package {location} is not there",
            expected="the URI of an existing file, or `size_of` of the store that holds it",
            next_step="write the package before its product is published",
        )
    return path.stat().st_size


class PublicationStore:
    """Publishes, finds and withdraws products.

    A product is in the store if, and only if, its package was there with the size that is told, with at least one
    checksum. `size_of` gives the bytes at a location (default: files); it raises PublicationError for a missing one.
    """

    def __init__(self, inventory: Inventory, size_of: Callable[[str], int] = size_of_file) -> None:
        self._inventory = inventory
        self._engine = inventory.engine
        self._size_of = size_of

    def publish(self, publication: Publication) -> Publication:
        """Make a product visible and return it as it is kept.

        Publication dates grow in the order in which products become visible: a date that is not later than the last
        one given is moved behind it, so a client that asks for what is newer than what it has seen misses nothing.
        The same name with the same checksums changes nothing and returns what is there. Raises PublicationError when
        the record is not whole, the package is missing or has another size, or the name stands for other data.
        """
        check(publication)
        size = self._size_of(publication.location)
        if size != publication.content_length:
            raise PublicationError(
                f"package {publication.location} has {size} bytes",
                expected=f"{publication.content_length} bytes, as product {publication.name} says",
                next_step="write the package again",
            )
        return self._inventory.write(lambda connection: _publish(connection, publication))

    def withdraw(self, name: str) -> Publication | None:
        """Make a product invisible and return it; None when there is none of that name. The package stays."""
        return self._inventory.write(lambda connection: _withdraw(connection, name))

    def get(self, product_id: UUID) -> Publication | None:
        """Return the product with this id; None when it is not published."""
        with self._engine.connect() as connection:
            return _find(connection, PUBLICATIONS.c.id == product_id)

    def expired(self, now: datetime, limit: int = 1000) -> tuple[Publication, ...]:
        """Return the products whose eviction date has come, the oldest first, at most `limit`."""
        columns = PUBLICATIONS.c
        query = select(PUBLICATIONS).where(columns.eviction_date <= now)
        with self._engine.connect() as connection:
            rows = connection.execute(query.order_by(columns.eviction_date, columns.key).limit(limit)).all()
            attributes = read_attributes(connection, [row.key for row in rows])
        return tuple(publication_of(row, attributes[row.key]) for row in rows)


def _publish(connection: Connection, publication: Publication) -> Publication:
    latest = _take_turn(connection)
    known = _find(connection, PUBLICATIONS.c.name == publication.name)
    if known is not None:
        return _same(known, publication)
    moment = publication.published_at.astimezone(UTC)
    moment = moment if latest is None or moment > latest else latest + _TICK
    connection.execute(CLOCK.update().where(CLOCK.c.id == _CLOCK_ROW).values(last=moment))
    row = {**row_of(publication), "published_at": moment}
    key = connection.execute(PUBLICATIONS.insert().returning(PUBLICATIONS.c.key), row).scalar_one()
    write_attributes(connection, key, publication.attributes)
    return replace(publication, published_at=moment)


def _withdraw(connection: Connection, name: str) -> Publication | None:
    _take_turn(connection)
    row = connection.execute(select(PUBLICATIONS).where(PUBLICATIONS.c.name == name)).first()
    if row is None:
        return None
    attributes = read_attributes(connection, [row.key])[row.key]
    for table in ATTRIBUTES.values():
        connection.execute(table.delete().where(table.c.publication == row.key))
    connection.execute(PUBLICATIONS.delete().where(PUBLICATIONS.c.key == row.key))
    return publication_of(row, attributes)


def _find(connection: Connection, condition: ColumnElement[bool]) -> Publication | None:
    row = connection.execute(select(PUBLICATIONS).where(condition)).first()
    return None if row is None else publication_of(row, read_attributes(connection, [row.key])[row.key])


def _take_turn(connection: Connection) -> datetime | None:
    """Wait until no other process publishes or withdraws, and return the latest publication date ever given."""
    insert = postgresql.insert if connection.dialect.name == POSTGRESQL else sqlite.insert
    connection.execute(insert(CLOCK).values(id=_CLOCK_ROW, turns=0).on_conflict_do_nothing())
    connection.execute(CLOCK.update().where(CLOCK.c.id == _CLOCK_ROW).values(turns=CLOCK.c.turns + 1))
    latest: datetime | None = connection.execute(select(CLOCK.c.last).where(CLOCK.c.id == _CLOCK_ROW)).scalar_one()
    return latest


def _same(known: Publication, given: Publication) -> Publication:
    """Return what is known if it is the same package: they share a checksum, and none of one algorithm differs."""
    algorithms = {algorithm for algorithm, _ in known.digests} & {algorithm for algorithm, _ in given.digests}
    differing = {algorithm for algorithm, _ in known.digests ^ given.digests} & algorithms
    if algorithms and not differing and known.content_length == given.content_length:
        return known
    raise PublicationError(
        f"product {given.name} is published already, with other checksums",
        expected=", ".join(sorted(f"{algorithm} {value}" for algorithm, value in known.digests)),
        next_step="publish the other package under a name of its own, or withdraw the product first",
    )
