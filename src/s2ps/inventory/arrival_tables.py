"""Tables of what is seen at stations and on its way here."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Index, Integer, Table, Text

from s2ps.inventory.columns import BIG, PathText, TextTuple, UtcText
from s2ps.inventory.schema import METADATA

ARRIVALS = Table(
    "arrivals",
    METADATA,
    Column("session", Text, primary_key=True),
    Column("station", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("channels", Integer),
    Column("totals", TextTuple, nullable=False),
    Column("start", UtcText),
    Column("stop", UtcText),
    Column("first_seen", UtcText, nullable=False),
    Column("changed_at", UtcText, nullable=False),
    Column("missing", TextTuple, nullable=False),
    Column("note", Text, nullable=False),
    Column("t0", UtcText),
    Column("folder", PathText),
    Column("completed_at", UtcText),
    Index("arrivals_by_state", "state"),
)

ARRIVING_FILES = Table(
    "arriving_files",
    METADATA,
    Column("session", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("station", Text, nullable=False),
    Column("channel", Integer, nullable=False),
    Column("block", Integer),
    Column("size", BIG, nullable=False),
    Column("published", UtcText, nullable=False),
    Column("address", Text, nullable=False),
    Column("final", Boolean),
    Column("retransfer", Boolean, nullable=False),
    Column("version", Text, nullable=False),
    Column("checksum", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("held", Text, nullable=False),
    Column("problem", Text, nullable=False),
    Column("seen_at", UtcText, nullable=False),
)

ARRIVING_PRODUCTS = Table(
    "arriving_products",
    METADATA,
    Column("station", Text, primary_key=True),
    Column("product", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("edition", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("problem", Text, nullable=False),
    Column("seen_at", UtcText, nullable=False),
    Column("tries", Integer, nullable=False, server_default="0"),
    Index("arriving_products_by_name", "station", "name"),
    Index("arriving_products_by_state", "station", "state"),
)

STATION_WINDOWS = Table(
    "station_windows",
    METADATA,
    Column("station", Text, primary_key=True),
    Column("newest", UtcText),
    Column("swept_at", UtcText),
)

REFUSED_FILES = Table(
    "refused_files",
    METADATA,
    Column("station", Text, primary_key=True),
    Column("address", Text, primary_key=True),
    Column("reason", Text, nullable=False),
    Column("seen_at", UtcText, nullable=False),
)

ANNOUNCEMENTS = Table(
    "session_announcements",
    METADATA,
    Column("session", Text, primary_key=True),
    Column("by", Text, nullable=False),
    Column("announced_at", UtcText, nullable=False),
)

INGESTION_CLAIMS = Table(
    "ingestion_claims",
    METADATA,
    Column("name", Text, primary_key=True),
    Column("place", Text, nullable=False),
    Column("until", UtcText, nullable=False),
)
