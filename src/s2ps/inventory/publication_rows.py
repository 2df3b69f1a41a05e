"""Published products as rows of the tables, and back."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import CompoundSelect, Connection, Row, Select, cast, null, select, union_all

from s2ps.inventory.geometry import BOX, footprint_values
from s2ps.inventory.publication_records import Attribute, Checksum, Publication
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
    found: dict[int, list[Attribute]] = {key: [] for key in keys}
    if not keys:
        return found
    for row in connection.execute(_attributes_of(keys)):
        value = next(each for each in row[2:] if each is not None)
        found[row[0]].append(Attribute(row[1], value))
    for some in found.values():
        some.sort(key=lambda each: each.name)
    return found


def _attributes_of(keys: Sequence[int]) -> CompoundSelect[Any]:
    """Return one statement for the attributes of all types: key, name, and a column for each type."""
    selects: list[Select[Any]] = []
    for kind, table in ATTRIBUTES.items():
        values = [table.c.value if other is kind else cast(null(), of.c.value.type) for other, of in ATTRIBUTES.items()]
        selects.append(select(table.c.publication, table.c.name, *values).where(table.c.publication.in_(keys)))
    return union_all(*selects)
