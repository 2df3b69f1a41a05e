"""Tables of what is published: one row per product, and one table per type of attribute."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    Table,
    Text,
    Uuid,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import TypeEngine

from s2ps.inventory.columns import UtcText
from s2ps.inventory.geometry import footprint_columns, footprint_indexes
from s2ps.inventory.schema import METADATA

KEY = BigInteger().with_variant(Integer(), "sqlite")
DOCUMENT = JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")

PUBLICATIONS = Table(
    "publications",
    METADATA,
    Column("key", KEY, primary_key=True, autoincrement=True),
    Column("id", Uuid, nullable=False, unique=True),
    Column("name", Text, nullable=False, unique=True),
    Column("content_type", Text, nullable=False),
    Column("content_length", BigInteger, nullable=False),
    Column("checksums", DOCUMENT, nullable=False),
    Column("origin_date", UtcText, nullable=False),
    Column("published_at", UtcText, nullable=False),
    Column("eviction_date", UtcText),
    Column("production_type", Text, nullable=False),
    Column("content_start", UtcText, nullable=False),
    Column("content_end", UtcText, nullable=False),
    *footprint_columns(),
    Column("location", Text, nullable=False),
    Column("quicklook", Text),
    Column("stac_item", DOCUMENT),
    Column("datatake", Text, nullable=False),
    Column("level", Text, nullable=False),
    Index("publications_by_publication", "published_at", "key"),
    Index("publications_by_sensing", "content_start", "key"),
    Index("publications_by_origin", "origin_date", "key"),
    Index("publications_by_eviction", "eviction_date"),
    Index("publications_by_datatake", "datatake"),
    *footprint_indexes("publications"),
    sqlite_autoincrement=True,
)

CLOCK = Table(
    "publication_clock",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("turns", BigInteger, nullable=False),
    Column("last", UtcText),
)
"""One row, which publishers take turns to hold: the latest publication date ever given."""


def _attributes(kind: str, value: type[TypeEngine[Any]]) -> Table:
    name = f"publication_{kind}s"
    return Table(
        name,
        METADATA,
        Column("publication", KEY, ForeignKey(PUBLICATIONS.c.key, ondelete="CASCADE"), primary_key=True),
        Column("name", Text, primary_key=True),
        Column("value", value, nullable=False),
        Index(f"{name}_by_value", "name", "value", "publication"),
    )


ATTRIBUTES: dict[type, Table] = {
    str: _attributes("string", Text),
    int: _attributes("integer", BigInteger),
    float: _attributes("double", Double),
    bool: _attributes("boolean", Boolean),
    datetime: _attributes("time", UtcText),
}
"""The table of attributes by the Python type of their values."""
