"""Which place ingests: one at a time, where several share an inventory but no file system.

A place is a file system; processes that see the same one keep apart by its locks. All times are those of the database.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread

from sqlalchemy import select, text
from sqlalchemy.exc import SQLAlchemyError

from s2ps.inventory.arrival_tables import INGESTION_CLAIMS
from s2ps.inventory.columns import POSTGRESQL
from s2ps.inventory.store import Inventory

_NAME = "ingestion"
_TAKE = text(
    "INSERT INTO ingestion_claims AS held (name, place, until) "
    "VALUES (:name, :place, clock_timestamp() + make_interval(secs => :seconds)) "
    "ON CONFLICT (name) DO UPDATE SET place = excluded.place, until = excluded.until "
    "WHERE held.place = excluded.place OR held.until < clock_timestamp() RETURNING place"
)


class IngestionClaims:
    """Gives ingestion to one place for a while. A SQLite file is seen by one machine: everybody has the claim there."""

    def __init__(self, inventory: Inventory) -> None:
        self._inventory = inventory
        self._shared = inventory.engine.dialect.name == POSTGRESQL

    def take(self, place: str, seconds: float) -> bool:
        """Give ingestion to a place for some seconds from now on; return False while another place has it."""
        if not self._shared:
            return True
        values = {"name": _NAME, "place": place, "seconds": seconds}
        return self._inventory.write(lambda connection: connection.execute(_TAKE, values).first() is not None)

    def holder(self) -> str:
        """Return the place that had ingestion last; empty when none ever had."""
        query = select(INGESTION_CLAIMS.c.place).where(INGESTION_CLAIMS.c.name == _NAME)
        with self._inventory.engine.connect() as connection:
            return str(connection.execute(query).scalar() or "")

    @contextmanager
    def held(self, place: str, seconds: float) -> Iterator[bool]:
        """Yield True while a place has ingestion, however long that lasts; False when another place has it.

        The claim stays for `seconds` after the context has ended, and after a process was killed in it.
        """
        if not self.take(place, seconds):
            yield False
            return
        if not self._shared:
            yield True
            return
        ended = Event()
        renewal = Thread(target=self._renew, args=(place, seconds, ended), name="ingestion claim", daemon=True)
        renewal.start()
        try:
            yield True
        finally:
            ended.set()
            renewal.join()

    def _renew(self, place: str, seconds: float, ended: Event) -> None:
        while not ended.wait(seconds / 3):
            try:
                self.take(place, seconds)
            except SQLAlchemyError:
                continue  # the database is away for a moment: the claim lasts for three turns
