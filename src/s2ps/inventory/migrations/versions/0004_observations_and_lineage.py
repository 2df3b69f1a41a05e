"""Session files, datastrips, what products cover, and what each was made of."""

from __future__ import annotations

from collections.abc import Iterator

import sqlalchemy as sa
from alembic import op

from s2ps.inventory.columns import BIG, PathText, UtcText
from s2ps.inventory.geometry import footprint_columns, footprint_indexes

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

TABLES = sa.MetaData()
sa.Table(
    "session_files", TABLES,
    sa.Column("session_id", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("path", PathText, nullable=False),
    sa.Column("channel", sa.Integer, nullable=False),
    sa.Column("block", sa.Integer),
    sa.Column("size", BIG, nullable=False),
    sa.Column("published_at", UtcText, nullable=False),
)  # fmt: skip
sa.Table(
    "datastrips", TABLES,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("datatake", sa.Text, nullable=False),
    sa.Column("session_id", sa.Text, nullable=False),
    sa.Column("unit", sa.Text, nullable=False),
    sa.Column("baseline", sa.Text, nullable=False),
    sa.Column("start", UtcText, nullable=False),
    sa.Column("stop", UtcText, nullable=False),
    sa.Column("granules", sa.Integer, nullable=False),
    sa.Column("t0", UtcText, nullable=False),
    sa.Column("station", sa.Text, nullable=False),
    *footprint_columns(),
    sa.Index("datastrips_by_datatake", "datatake"),
    sa.Index("datastrips_by_session", "session_id"),
    *footprint_indexes("datastrips"),
)  # fmt: skip
sa.Table(
    "lineage", TABLES,
    sa.Column("run", sa.Text, primary_key=True),
    sa.Column("direction", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Index("lineage_by_name", "name", "direction"),
)  # fmt: skip


def columns() -> Iterator[sa.Column[object]]:
    """Yield what is new of a product."""
    yield sa.Column("unit", sa.Text, nullable=False, server_default="")
    yield sa.Column("baseline", sa.Text, nullable=False, server_default="")
    for name in ("start", "stop", "t0"):
        yield sa.Column(name, UtcText)
    yield sa.Column("degraded", sa.Boolean, nullable=False, server_default=sa.false())
    yield from footprint_columns()


def upgrade() -> None:
    """Make the tables and the columns."""
    connection = op.get_bind()
    TABLES.create_all(connection)
    for column in columns():
        op.add_column("products", column)
    if connection.dialect.name == "postgresql":
        op.create_index("products_by_footprint", "products", ["footprint"], postgresql_using="gist")
    else:
        op.create_index("products_by_box", "products", ["west", "east"])
