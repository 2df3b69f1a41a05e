"""What users of the web service have used, counted for all its processes together."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import uuid4

from sqlalchemy import Column, Engine, Index, Table, Text, func, select
from sqlalchemy.dialects import postgresql, sqlite

from s2ps.inventory.columns import BIG, POSTGRESQL, UtcText
from s2ps.inventory.database import patiently, transaction
from s2ps.inventory.schema import METADATA

USAGE = Table(
    "service_usage",
    METADATA,
    Column("user", Text, primary_key=True),
    Column("what", Text, primary_key=True),
    Column("since", UtcText, primary_key=True),
    Column("amount", BIG, nullable=False),
    Index("service_usage_by_time", "since"),
)
DOWNLOADS = Table(
    "service_downloads",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("user", Text, nullable=False),
    Column("until", UtcText, nullable=False),
    Index("service_downloads_by_user", "user", "until"),
)
_KEPT = timedelta(days=31)


class UsageStore:
    """Counts amounts per user and period, and downloads that are going on."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def add(self, user: str, what: str, since: datetime, amount: int) -> int:
        """Add to the amount of the period that began at `since`, and return the sum."""
        insert = postgresql.insert if self._engine.dialect.name == POSTGRESQL else sqlite.insert
        statement = insert(USAGE).values(user=user, what=what, since=since, amount=amount)
        counted = statement.on_conflict_do_update(
            index_elements=["user", "what", "since"], set_={"amount": USAGE.c.amount + amount}
        ).returning(USAGE.c.amount)

        def count() -> int:
            with transaction(self._engine) as connection:
                return int(connection.execute(counted).scalar_one())

        return patiently(count)

    def amount(self, user: str, what: str, since: datetime) -> int:
        """Return the amount of the period that began at `since`."""
        columns = USAGE.c
        query = select(columns.amount).where(columns.user == user, columns.what == what, columns.since == since)
        with self._engine.connect() as connection:
            return int(connection.execute(query).scalar() or 0)

    def begin_download(self, user: str, limit: int, now: datetime, until: datetime) -> str | None:
        """Note a download and return its id; None when the user has `limit` of them. It counts until `until`."""
        columns = DOWNLOADS.c
        with transaction(self._engine) as connection:
            if self._engine.dialect.name == POSTGRESQL:
                connection.execute(select(func.pg_advisory_xact_lock(func.hashtext(user))))
            connection.execute(DOWNLOADS.delete().where(columns.user == user, columns.until < now))
            going = connection.execute(select(func.count()).select_from(DOWNLOADS).where(columns.user == user))
            if int(going.scalar_one()) >= limit:
                return None
            download = str(uuid4())
            connection.execute(DOWNLOADS.insert().values(id=download, user=user, until=until))
            return download

    def renew_download(self, download: str, until: datetime) -> None:
        """Let a download count longer."""
        with transaction(self._engine) as connection:
            connection.execute(DOWNLOADS.update().where(DOWNLOADS.c.id == download).values(until=until))

    def end_download(self, download: str) -> None:
        """Note that a download has ended."""
        with transaction(self._engine) as connection:
            connection.execute(DOWNLOADS.delete().where(DOWNLOADS.c.id == download))

    def forget(self, now: datetime) -> None:
        """Remove counts of more than a month ago, and downloads whose process told nothing any more."""
        with transaction(self._engine) as connection:
            connection.execute(USAGE.delete().where(USAGE.c.since < now - _KEPT))
            connection.execute(DOWNLOADS.delete().where(DOWNLOADS.c.until < now))
