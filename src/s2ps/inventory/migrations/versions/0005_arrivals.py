"""What is seen at stations and on its way here: sessions, files, auxiliary products, windows, announcements."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from s2ps.inventory.columns import BIG, PathText, TextTuple, UtcText

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

TABLES = sa.MetaData()
sa.Table(
    "arrivals",
    TABLES,
    sa.Column("session", sa.Text, primary_key=True),
    sa.Column("station", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("channels", sa.Integer),
    sa.Column("totals", TextTuple, nullable=False),
    sa.Column("start", UtcText),
    sa.Column("stop", UtcText),
    sa.Column("first_seen", UtcText, nullable=False),
    sa.Column("changed_at", UtcText, nullable=False),
    sa.Column("missing", TextTuple, nullable=False),
    sa.Column("note", sa.Text, nullable=False),
    sa.Column("t0", UtcText),
    sa.Column("folder", PathText),
    sa.Column("completed_at", UtcText),
    sa.Index("arrivals_by_state", "state"),
)
sa.Table(
    "arriving_files",
    TABLES,
    sa.Column("session", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("station", sa.Text, nullable=False),
    sa.Column("channel", sa.Integer, nullable=False),
    sa.Column("block", sa.Integer),
    sa.Column("size", BIG, nullable=False),
    sa.Column("published", UtcText, nullable=False),
    sa.Column("address", sa.Text, nullable=False),
    sa.Column("final", sa.Boolean),
    sa.Column("retransfer", sa.Boolean, nullable=False),
    sa.Column("version", sa.Text, nullable=False),
    sa.Column("checksum", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("held", sa.Text, nullable=False),
    sa.Column("problem", sa.Text, nullable=False),
    sa.Column("seen_at", UtcText, nullable=False),
)
sa.Table(
    "arriving_products",
    TABLES,
    sa.Column("station", sa.Text, primary_key=True),
    sa.Column("product", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("edition", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("problem", sa.Text, nullable=False),
    sa.Column("seen_at", UtcText, nullable=False),
)
sa.Table(
    "station_windows",
    TABLES,
    sa.Column("station", sa.Text, primary_key=True),
    sa.Column("newest", UtcText),
    sa.Column("swept_at", UtcText),
)
sa.Table(
    "refused_files",
    TABLES,
    sa.Column("station", sa.Text, primary_key=True),
    sa.Column("address", sa.Text, primary_key=True),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("seen_at", UtcText, nullable=False),
)
sa.Table(
    "session_announcements",
    TABLES,
    sa.Column("session", sa.Text, primary_key=True),
    sa.Column("by", sa.Text, nullable=False),
    sa.Column("announced_at", UtcText, nullable=False),
)


def upgrade() -> None:
    """Make the tables."""
    TABLES.create_all(op.get_bind())
