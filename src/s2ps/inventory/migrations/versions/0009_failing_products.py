"""How often the fetching of an auxiliary product has failed, and quick ways to those and to products by name."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column and the indexes."""
    op.add_column("arriving_products", sa.Column("tries", sa.Integer, nullable=False, server_default="0"))
    op.create_index("arriving_products_by_name", "arriving_products", ["station", "name"])
    op.create_index("arriving_products_by_state", "arriving_products", ["station", "state"])
