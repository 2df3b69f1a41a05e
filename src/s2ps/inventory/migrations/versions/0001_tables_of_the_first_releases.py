"""Tables of the first releases; an inventory they made is taken over."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from s2ps.inventory.columns import BIG, PathText, TextTuple, UtcText

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TABLES = sa.MetaData()
sa.Table(
    "sessions", TABLES,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("folder", PathText, nullable=False),
    sa.Column("t0", UtcText, nullable=False),
    sa.Column("station", sa.Text, nullable=False),
    sa.Column("files", sa.Integer, nullable=False),
    sa.Column("unit", sa.Text, nullable=False),
    sa.Column("start", UtcText),
    sa.Column("stop", UtcText),
)  # fmt: skip
sa.Table(
    "datatakes", TABLES,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("unit", sa.Text, nullable=False),
    sa.Column("type", sa.Text, nullable=False),
    sa.Column("start", UtcText, nullable=False),
    sa.Column("stop", UtcText, nullable=False),
    sa.Column("absolute_orbit", sa.Integer, nullable=False),
    sa.Column("relative_orbit", sa.Integer, nullable=False),
    sa.Column("t0", UtcText, nullable=False),
    sa.Column("session_id", sa.Text, nullable=False),
    sa.Column("granules", sa.Integer, nullable=False),
    sa.Column("datastrips", TextTuple, nullable=False),
    sa.Column("levels", TextTuple, nullable=False),
    sa.Column("station", sa.Text, nullable=False, server_default=""),
    sa.Index("datatakes_by_time", "start", "stop"),
    sa.Index("datatakes_by_session", "session_id"),
)  # fmt: skip
sa.Table(
    "products", TABLES,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("level", sa.Text, nullable=False),
    sa.Column("type", sa.Text, nullable=False),
    sa.Column("path", PathText, nullable=False),
    sa.Column("datatake", sa.Text, nullable=False),
    sa.Column("run", sa.Text, nullable=False),
    sa.Column("published_at", UtcText, nullable=False),
    sa.Column("size", BIG, nullable=False),
    sa.Column("tile", sa.Text, nullable=False),
    sa.Index("products_by_datatake", "datatake", "level"),
)  # fmt: skip
sa.Table(
    "claims", TABLES,
    sa.Column("datatake", sa.Text, primary_key=True),
    sa.Column("dag_id", sa.Text, nullable=False),
    sa.Column("run_id", sa.Text, nullable=False),
)  # fmt: skip
sa.Table(
    "runs", TABLES,
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("strategy", sa.Text, nullable=False),
    sa.Column("from_level", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("created_at", UtcText, nullable=False),
    sa.Column("updated_at", UtcText, nullable=False),
    sa.Index("runs_by_subject", "kind", "subject"),
)  # fmt: skip


def upgrade() -> None:
    """Make the tables that are not there, and add columns and indexes that older releases did not have."""
    connection = op.get_bind()
    TABLES.create_all(connection)
    present = sa.inspect(connection)
    for table in TABLES.sorted_tables:
        known = {column["name"] for column in present.get_columns(table.name)}
        for column in table.columns:
            if column.name not in known:
                added = sa.Column(column.name, column.type, nullable=column.nullable)
                added.server_default = column.server_default
                op.add_column(table.name, added)
        indexes = {index["name"] for index in present.get_indexes(table.name)}
        for index in table.indexes:
            if index.name not in indexes:
                index.create(connection)
