"""What the web service needs: usage of its users, and indexes and statistics for its queries."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from s2ps.inventory.columns import BIG, POSTGRESQL, UtcText

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

ATTRIBUTES = tuple(f"publication_{kind}s" for kind in ("string", "integer", "double", "boolean", "time"))
PLAIN_TEXT = {
    "publications": ("name", "content_type", "production_type", "datatake", "level"),
    "publication_strings": ("name", "value"),
    **{name: ("name",) for name in ATTRIBUTES[1:]},
}
TABLES = sa.MetaData()
sa.Table(
    "service_usage", TABLES,
    sa.Column("user", sa.Text, primary_key=True),
    sa.Column("what", sa.Text, primary_key=True),
    sa.Column("since", UtcText, primary_key=True),
    sa.Column("amount", BIG, nullable=False),
    sa.Index("service_usage_by_time", "since"),
)  # fmt: skip
sa.Table(
    "service_downloads", TABLES,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("user", sa.Text, nullable=False),
    sa.Column("until", UtcText, nullable=False),
    sa.Index("service_downloads_by_user", "user", "until"),
)  # fmt: skip


def upgrade() -> None:
    """Make the tables and indexes; in PostgreSQL tell the planner how names and values of attributes go together."""
    connection = op.get_bind()
    TABLES.create_all(connection)
    op.drop_index("publications_by_eviction", "publications")
    op.create_index("publications_by_eviction", "publications", ["eviction_date", "key"])
    op.create_index("publications_by_level", "publications", ["level", "content_start", "key"])
    if connection.dialect.name != POSTGRESQL:
        return
    for table, columns in PLAIN_TEXT.items():
        for column in columns:
            op.alter_column(table, column, type_=postgresql.TEXT(collation="C"))
    op.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
    op.create_index(
        "publications_by_part_of_name",
        "publications",
        ["name"],
        postgresql_using="gin",
        postgresql_ops={"name": "gin_trgm_ops"},
    )
    for table in ATTRIBUTES:
        op.execute(f"CREATE STATISTICS {table}_statistics (dependencies, mcv) ON name, value FROM {table}")
        op.execute(f"ALTER TABLE {table} ALTER COLUMN name SET STATISTICS 1000, ALTER COLUMN value SET STATISTICS 1000")
