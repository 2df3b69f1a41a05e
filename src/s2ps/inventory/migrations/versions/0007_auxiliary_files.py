"""Auxiliary files: validity, unit, band, where they lie, and whether they may be used."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from s2ps.inventory.columns import BIG, PathText, UtcText

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "auxiliary_files",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("unit", sa.Text, nullable=False),
        sa.Column("band", sa.Text),
        sa.Column("file_class", sa.Text, nullable=False),
        sa.Column("baseline", sa.Text, nullable=False),
        sa.Column("creation", UtcText, nullable=False),
        sa.Column("start", UtcText, nullable=False),
        sa.Column("stop", UtcText, nullable=False),
        sa.Column("path", PathText, nullable=False),
        sa.Column("size", BIG, nullable=False),
        sa.Column("modified", UtcText, nullable=False),
        sa.Column("sha256", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("package", sa.Text, nullable=False),
        sa.Column("added_at", UtcText, nullable=False),
    )
    op.create_index("auxiliary_files_by_type", "auxiliary_files", ["type", "unit", "start"])
