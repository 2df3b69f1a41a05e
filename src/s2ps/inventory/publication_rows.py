"""Published products as rows of the tables, and back."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection, Row, bindparam, select

from s2ps.inventory.geometry import BOX, footprint_values
from s2ps.inventory.publication_records import Attribute, AttributeValue, Checksum, Publication
from s2ps.inventory.publication_tables import ATTRIBUTES, PUBLICATIONS
from s2ps.model.timestamps import format_utc, parse_utc

_OTHERWISE = ("key", "id", "checksums", "footprint", *BOX, "item", "collection")
_PLAIN = tuple(column.name for column in PUBLICATIONS.c if column.name not in _OTHERWISE)


def row_of(publication: Publication) -> dict[str, Any]:
    """Return the values of the row of a product, without its key."""
    row = {name: getattr(publication, name) for name in _PLAIN}
    row["id"] = publication.id
    row["checksums"] = [
        {"Algorithm": each.algorithm, "Value": each.value, "ChecksumDate": format_utc(each.date)}
        for each in publication.checksums
    ]
    item = publication.stac_item or {}
    row |= {"item": item.get("id"), "collection": item.get("collection")}
    return {**row, **footprint_values(publication.footprint)}


def publication_of(row: Row[Any], attributes: Iterable[Attribute]) -> Publication:
    """Return the product of a row of `publications` (all columns)."""
    given = {name: getattr(row, name) for name in _PLAIN}
    return Publication(
        **given,
        checksums=tuple(
            Checksum(each["Algorithm"], each["Value"], parse_utc(each["ChecksumDate"])) for each in row.checksums
        ),
        footprint=row.footprint,
        attributes=tuple(attributes),
    )


def write_attributes(connection: Connection, key: int, attributes: Iterable[Attribute]) -> None:
    """Insert the attributes of a product, each into the table of its type."""
    rows: dict[type, list[dict[str, Any]]] = defaultdict(list)
    for attribute in attributes:
        kind = datetime if isinstance(attribute.value, datetime) else type(attribute.value)
        rows[kind].append({"publication": key, "name": attribute.name, "value": attribute.value})
    for kind, some in rows.items():
        connection.execute(ATTRIBUTES[kind].insert(), some)


def read_attributes(connection: Connection, keys: Sequence[int]) -> dict[int, list[Attribute]]:
    """Return the attributes of products by their keys, in the order of their names."""
    found = read_values(connection, keys)
    return {key: [Attribute(name, value) for name, value in some] for key, some in found.items()}


def read_values(connection: Connection, keys: Sequence[int]) -> dict[int, list[tuple[str, AttributeValue]]]:
    """Return names and values of the attributes of products by their keys, in the order of their names."""
    found: dict[int, list[tuple[str, AttributeValue]]] = {key: [] for key in keys}
    if keys:
        for statement in _VALUES:
            for key, name, value in connection.execute(statement, {"keys": keys}).all():
                found[key].append((name, value))
    for some in found.values():
        some.sort(key=itemgetter(0))
    return found


_VALUES = tuple(
    select(table.c.publication, table.c.name, table.c.value).where(
        table.c.publication.in_(bindparam("keys", expanding=True))
    )
    for table in ATTRIBUTES.values()
)
"""One statement for each type, made once."""
