"""The properties of a product: their names in the service, and the columns they come from."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Column, Table

from s2ps.inventory.publication_tables import ATTRIBUTES, PUBLICATIONS
from s2ps.prip.odata.operands import Kind


@dataclass(frozen=True, slots=True)
class Property:
    """A property that can be compared and ordered by."""

    name: str
    column: Column[Any]
    kind: Kind

    @property
    def nullable(self) -> bool:
        """Return whether products without it exist."""
        return bool(self.column.nullable)


def _property(name: str, column: str, kind: Kind) -> Property:
    return Property(name, PUBLICATIONS.c[column], kind)


PROPERTIES: dict[str, Property] = {
    each.name: each
    for each in (
        _property("Id", "id", Kind.GUID),
        _property("Name", "name", Kind.STRING),
        _property("ContentType", "content_type", Kind.STRING),
        _property("ContentLength", "content_length", Kind.NUMBER),
        _property("OriginDate", "origin_date", Kind.TIME),
        _property("PublicationDate", "published_at", Kind.TIME),
        _property("EvictionDate", "eviction_date", Kind.TIME),
        _property("ProductionType", "production_type", Kind.STRING),
        _property("ContentDate/Start", "content_start", Kind.TIME),
        _property("ContentDate/End", "content_end", Kind.TIME),
    )
}
ONLINE = "Online"
"""Always true: a product that is not online is withdrawn."""
GEOGRAPHIC = ("Footprint", "GeoFootprint")
SHOWN = (
    "Id",
    "Name",
    "ContentType",
    "ContentLength",
    "OriginDate",
    "PublicationDate",
    "EvictionDate",
    "Online",
    "ProductionType",
    "Checksum",
    "ContentDate",
    "Footprint",
    "GeoFootprint",
)
"""The properties of a product in an answer, in order; $select takes these names."""
NAVIGATION = ("Attributes", "Quicklooks")


@dataclass(frozen=True, slots=True)
class AttributeType:
    """A type of attributes: its name in the service, `ValueType`, table and kind."""

    name: str
    value_type: str
    table: Table
    kind: Kind


ATTRIBUTE_TYPES: dict[type, AttributeType] = {
    str: AttributeType("StringAttribute", "String", ATTRIBUTES[str], Kind.STRING),
    int: AttributeType("IntegerAttribute", "Integer", ATTRIBUTES[int], Kind.NUMBER),
    float: AttributeType("DoubleAttribute", "Double", ATTRIBUTES[float], Kind.NUMBER),
    bool: AttributeType("BooleanAttribute", "Boolean", ATTRIBUTES[bool], Kind.BOOLEAN),
    datetime: AttributeType("DateTimeOffsetAttribute", "DateTimeOffset", ATTRIBUTES[datetime], Kind.TIME),
}
BY_NAME: dict[str, AttributeType] = {each.name: each for each in ATTRIBUTE_TYPES.values()}
