"""Which place ingests, where several share an inventory but no file system."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from s2ps.inventory.columns import UtcText

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "ingestion_claims",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("place", sa.Text, nullable=False),
        sa.Column("until", UtcText, nullable=False),
    )
