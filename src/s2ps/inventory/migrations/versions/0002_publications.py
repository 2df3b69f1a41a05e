"""What users find and download: publications and their attributes by type."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import TypeEngine

from s2ps.inventory.columns import BIG, UtcText
from s2ps.inventory.geometry import footprint_columns, footprint_indexes

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

TABLES = sa.MetaData()
DOCUMENT = sa.JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")
VALUES: dict[str, TypeEngine[Any]] = {
    "string": sa.Text(),
    "integer": sa.BigInteger(),
    "double": sa.Double(),
    "boolean": sa.Boolean(),
    "time": UtcText(),
}

PUBLICATIONS = sa.Table(
    "publications", TABLES,
    sa.Column("key", BIG, primary_key=True, autoincrement=True),
    sa.Column("id", sa.Uuid, nullable=False, unique=True),
    sa.Column("name", sa.Text, nullable=False, unique=True),
    sa.Column("content_type", sa.Text, nullable=False),
    sa.Column("content_length", sa.BigInteger, nullable=False),
    sa.Column("checksums", DOCUMENT, nullable=False),
    sa.Column("origin_date", UtcText, nullable=False),
    sa.Column("published_at", UtcText, nullable=False),
    sa.Column("eviction_date", UtcText),
    sa.Column("production_type", sa.Text, nullable=False),
    sa.Column("content_start", UtcText, nullable=False),
    sa.Column("content_end", UtcText, nullable=False),
    *footprint_columns(),
    sa.Column("location", sa.Text, nullable=False),
    sa.Column("quicklook", sa.Text),
    sa.Column("stac_item", DOCUMENT),
    sa.Column("datatake", sa.Text, nullable=False),
    sa.Column("level", sa.Text, nullable=False),
    sa.Index("publications_by_publication", "published_at", "key"),
    sa.Index("publications_by_sensing", "content_start", "key"),
    sa.Index("publications_by_origin", "origin_date", "key"),
    sa.Index("publications_by_eviction", "eviction_date"),
    sa.Index("publications_by_datatake", "datatake"),
    *footprint_indexes("publications"),
    sqlite_autoincrement=True,
)  # fmt: skip
sa.Table(
    "publication_clock", TABLES,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("turns", sa.BigInteger, nullable=False),
    sa.Column("last", UtcText),
)  # fmt: skip
for kind, value in VALUES.items():
    sa.Table(
        f"publication_{kind}s", TABLES,
        sa.Column("publication", BIG, sa.ForeignKey(PUBLICATIONS.c.key, ondelete="CASCADE"), primary_key=True),
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("value", value, nullable=False),
        sa.Index(f"publication_{kind}s_by_value", "name", "value", "publication"),
    )  # fmt: skip


def upgrade() -> None:
    """Make the tables."""
    TABLES.create_all(op.get_bind())
