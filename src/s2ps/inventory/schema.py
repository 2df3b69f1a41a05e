"""Tables of the inventory."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Index, Integer, MetaData, Table, Text, false

from s2ps.inventory.columns import BIG, PathText, TextTuple, UtcText
from s2ps.inventory.geometry import footprint_columns, footprint_indexes

METADATA = MetaData()

SESSIONS = Table(
    "sessions",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("folder", PathText, nullable=False),
    Column("t0", UtcText, nullable=False),
    Column("station", Text, nullable=False),
    Column("files", Integer, nullable=False),
    Column("unit", Text, nullable=False),
    Column("start", UtcText),
    Column("stop", UtcText),
)

DATATAKES = Table(
    "datatakes",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("unit", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("start", UtcText, nullable=False),
    Column("stop", UtcText, nullable=False),
    Column("absolute_orbit", Integer, nullable=False),
    Column("relative_orbit", Integer, nullable=False),
    Column("t0", UtcText, nullable=False),
    Column("session_id", Text, nullable=False),
    Column("granules", Integer, nullable=False),
    Column("datastrips", TextTuple, nullable=False),
    Column("levels", TextTuple, nullable=False),
    Column("station", Text, nullable=False, server_default=""),
    Index("datatakes_by_time", "start", "stop"),
    Index("datatakes_by_session", "session_id"),
)

PRODUCTS = Table(
    "products",
    METADATA,
    Column("name", Text, primary_key=True),
    Column("level", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("path", PathText, nullable=False),
    Column("datatake", Text, nullable=False),
    Column("run", Text, nullable=False),
    Column("published_at", UtcText, nullable=False),
    Column("size", BIG, nullable=False),
    Column("tile", Text, nullable=False),
    Column("unit", Text, nullable=False, server_default=""),
    Column("baseline", Text, nullable=False, server_default=""),
    Column("start", UtcText),
    Column("stop", UtcText),
    Column("t0", UtcText),
    Column("degraded", Boolean, nullable=False, server_default=false()),
    *footprint_columns(),
    Index("products_by_datatake", "datatake", "level"),
    *footprint_indexes("products"),
)

CLAIMS = Table(
    "claims",
    METADATA,
    Column("datatake", Text, primary_key=True),
    Column("dag_id", Text, nullable=False),
    Column("run_id", Text, nullable=False),
)

RUNS = Table(
    "runs",
    METADATA,
    Column("key", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("strategy", Text, nullable=False),
    Column("from_level", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("created_at", UtcText, nullable=False),
    Column("updated_at", UtcText, nullable=False),
    Index("runs_by_subject", "kind", "subject"),
)

SESSION_FILES = Table(
    "session_files",
    METADATA,
    Column("session_id", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("path", PathText, nullable=False),
    Column("channel", Integer, nullable=False),
    Column("block", Integer),
    Column("size", BIG, nullable=False),
    Column("published_at", UtcText, nullable=False),
)

DATASTRIPS = Table(
    "datastrips",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("datatake", Text, nullable=False),
    Column("session_id", Text, nullable=False),
    Column("unit", Text, nullable=False),
    Column("baseline", Text, nullable=False),
    Column("start", UtcText, nullable=False),
    Column("stop", UtcText, nullable=False),
    Column("granules", Integer, nullable=False),
    Column("t0", UtcText, nullable=False),
    Column("station", Text, nullable=False),
    *footprint_columns(),
    Index("datastrips_by_datatake", "datatake"),
    Index("datastrips_by_session", "session_id"),
    *footprint_indexes("datastrips"),
)

LINEAGE = Table(
    "lineage",
    METADATA,
    Column("run", Text, primary_key=True),
    Column("direction", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Index("lineage_by_name", "name", "direction"),
)
"""What went into a run ("input") and came out of it ("output")."""
