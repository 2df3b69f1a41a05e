"""Ids and collections of STAC items beside the items, so that they can be searched for."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from s2ps.inventory.columns import POSTGRESQL

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns, and fill them for what is published already."""
    plain = sa.Text().with_variant(postgresql.TEXT(collation="C"), POSTGRESQL)
    op.add_column("publications", sa.Column("item", plain))
    op.add_column("publications", sa.Column("collection", plain))
    document = sa.JSON().with_variant(postgresql.JSONB(), POSTGRESQL)
    table = sa.table("publications", *map(sa.column, ("item", "collection")), sa.column("stac_item", document))
    kept = table.c.stac_item
    op.execute(table.update().values(item=kept["id"].as_string(), collection=kept["collection"].as_string()))
    op.drop_index("publications_by_level", "publications")
    op.create_index("publications_by_item", "publications", ["item"])
    op.create_index("publications_by_collection", "publications", ["collection", "content_start", "key"])
