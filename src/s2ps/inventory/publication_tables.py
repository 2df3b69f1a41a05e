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
from sqlalchemy.dialects import postgresql
from sqlalchemy.types import TypeEngine

from s2ps.inventory.columns import BIG, ONLY, POSTGRESQL, UtcText
from s2ps.inventory.geometry import footprint_columns, footprint_indexes
from s2ps.inventory.schema import METADATA

DOCUMENT = JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), POSTGRESQL)
PLAIN_TEXT = Text().with_variant(postgresql.TEXT(collation="C"), POSTGRESQL)
"""A text that is ordered by its code points wherever it is kept."""

PUBLICATIONS = Table(
    "publications",
    METADATA,
    Column("key", BIG, primary_key=True, autoincrement=True),
    Column("id", Uuid, nullable=False, unique=True),
    Column("name", PLAIN_TEXT, nullable=False, unique=True),
    Column("content_type", PLAIN_TEXT, nullable=False),
    Column("content_length", BigInteger, nullable=False),
    Column("checksums", DOCUMENT, nullable=False),
    Column("origin_date", UtcText, nullable=False),
    Column("published_at", UtcText, nullable=False),
    Column("eviction_date", UtcText),
    Column("production_type", PLAIN_TEXT, nullable=False),
    Column("content_start", UtcText, nullable=False),
    Column("content_end", UtcText, nullable=False),
    *footprint_columns(),
    Column("location", Text, nullable=False),
    Column("quicklook", Text),
    Column("stac_item", DOCUMENT),
    Column("datatake", PLAIN_TEXT, nullable=False),
    Column("level", PLAIN_TEXT, nullable=False),
    Column("item", PLAIN_TEXT),
    Column("collection", PLAIN_TEXT),
    Index("publications_by_publication", "published_at", "key"),
    Index("publications_by_sensing", "content_start", "key"),
    Index("publications_by_origin", "origin_date", "key"),
    Index("publications_by_eviction", "eviction_date", "key"),
    Index("publications_by_datatake", "datatake"),
    Index("publications_by_item", "item"),
    Index("publications_by_collection", "collection", "content_start", "key"),
    Index(
        "publications_by_part_of_name",
        "name",
        postgresql_using="gin",
        postgresql_ops={"name": "gin_trgm_ops"},
        info={ONLY: POSTGRESQL},
    ).ddl_if(dialect=POSTGRESQL),
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


def _attributes(kind: str, value: TypeEngine[Any]) -> Table:
    name = f"publication_{kind}s"
    return Table(
        name,
        METADATA,
        Column("publication", BIG, ForeignKey(PUBLICATIONS.c.key, ondelete="CASCADE"), primary_key=True),
        Column("name", PLAIN_TEXT, primary_key=True),
        Column("value", value, nullable=False),
        Index(f"{name}_by_value", "name", "value", "publication"),
    )


ATTRIBUTES: dict[type, Table] = {
    str: _attributes("string", PLAIN_TEXT),
    int: _attributes("integer", BigInteger()),
    float: _attributes("double", Double()),
    bool: _attributes("boolean", Boolean()),
    datetime: _attributes("time", UtcText()),
}
"""The table of attributes by the Python type of their values."""
