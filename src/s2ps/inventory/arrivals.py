"""The memory of ingestion: what was seen at stations, what is here of it, and which sessions were announced."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import asdict, fields
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, Select, Table, select, update

from s2ps.inventory.arrival_records import CLOSED, Arrival, ArrivingFile, ArrivingProduct, StationWindow
from s2ps.inventory.arrival_tables import (
    ANNOUNCEMENTS,
    ARRIVALS,
    ARRIVING_FILES,
    ARRIVING_PRODUCTS,
    REFUSED_FILES,
    STATION_WINDOWS,
)
from s2ps.inventory.records import SessionRecord
from s2ps.inventory.schema import SESSIONS
from s2ps.inventory.statements import upsert
from s2ps.inventory.store import Inventory

_Record = TypeVar("_Record", Arrival, ArrivingFile, ArrivingProduct)
LONGEST_ADDRESS = 300
MOST_NAMES = 500
"""Names in one query."""


class Arrivals:
    """Keeps and finds what is on its way; every call is one transaction and can be repeated without harm."""

    def __init__(self, inventory: Inventory) -> None:
        self._inventory = inventory

    def sessions(self, state: str | None = None) -> tuple[Arrival, ...]:
        """Return the sessions seen at stations, the oldest first."""
        query = select(ARRIVALS)
        if state is not None:
            query = query.where(ARRIVALS.c.state == state)
        return self._all(Arrival, query.order_by(ARRIVALS.c.first_seen, ARRIVALS.c.session))

    def named(self, sessions: Collection[str]) -> tuple[Arrival, ...]:
        """Return those of some sessions that were seen."""
        found: list[Arrival] = []
        for some in _portions(sessions):
            found += self._all(Arrival, select(ARRIVALS).where(ARRIVALS.c.session.in_(some)))
        return tuple(found)

    def session(self, session: str) -> Arrival | None:
        """Return a session, None when it was never seen."""
        found = self._all(Arrival, select(ARRIVALS).where(ARRIVALS.c.session == session))
        return found[0] if found else None

    def arrived_in(self, folder: Path) -> Arrival | None:
        """Return the complete session of a folder, None when no station published it."""
        found = self._all(Arrival, select(ARRIVALS).where(ARRIVALS.c.folder == folder))
        return found[0] if found else None

    def files(self, session: str | None = None) -> tuple[ArrivingFile, ...]:
        """Return the files of a session, or of all that are being received, by publication."""
        columns = ARRIVING_FILES.c
        query = select(ARRIVING_FILES)
        if session is None:
            receiving = select(ARRIVALS.c.session).where(ARRIVALS.c.state == "receiving")
            query = query.where(columns.session.in_(receiving))
        else:
            query = query.where(columns.session == session)
        return self._all(ArrivingFile, query.order_by(columns.published, columns.session, columns.name))

    def keep(self, arrivals: Iterable[Arrival], files: Iterable[ArrivingFile]) -> None:
        """Keep new and changed sessions and files together; a complete session stays as it is."""
        sessions, listed = tuple(arrivals), tuple(files)
        named = {arrival.session for arrival in sessions} | {file.session for file in listed}
        # The rows are locked, so that nobody completes one of these sessions before it is written here.
        states = select(ARRIVALS.c.session, ARRIVALS.c.state).where(ARRIVALS.c.session.in_(named))
        locked = states.order_by(ARRIVALS.c.session).with_for_update()

        def kept(connection: Connection) -> None:
            closed = {session for session, state in connection.execute(locked) if state in CLOSED}
            for arrival in sessions:
                if arrival.session not in closed:
                    connection.execute(upsert(connection, ARRIVALS, asdict(arrival), ("session",)))
            for file in listed:
                if file.session not in closed:
                    connection.execute(upsert(connection, ARRIVING_FILES, asdict(file), ("session", "name")))

        if sessions or listed:
            self._inventory.write(kept)

    def set_file(self, session: str, name: str, **values: object) -> None:
        """Change columns of one file."""
        columns = ARRIVING_FILES.c
        query = update(ARRIVING_FILES).where(columns.session == session, columns.name == name).values(**values)
        self._inventory.write(lambda connection: connection.execute(query))

    def touch(self, session: str, now: datetime) -> None:
        """Note that there is news of a session."""
        query = update(ARRIVALS).where(ARRIVALS.c.session == session).values(changed_at=now)
        self._inventory.write(lambda connection: connection.execute(query))

    def set_missing(self, session: str, missing: tuple[str, ...], note: str = "") -> None:
        """Keep what a session lacks."""
        query = update(ARRIVALS).where(ARRIVALS.c.session == session, ARRIVALS.c.state == "receiving")
        self._inventory.write(lambda connection: connection.execute(query.values(missing=missing, note=note)))

    def abandon(self, session: str, missing: tuple[str, ...], since: datetime) -> bool:
        """Give a session up; return False when there was news of it after `since`, or it is not received any more."""
        columns = ARRIVALS.c
        query = update(ARRIVALS).where(
            columns.session == session, columns.state == "receiving", columns.changed_at == since
        )
        done = query.values(state="abandoned", missing=missing, note="")
        return self._inventory.write(lambda connection: connection.execute(done).rowcount == 1)

    def resume(self, session: str, now: datetime) -> bool:
        """Take up a session that was given up; return False when it was not."""
        query = update(ARRIVALS).where(ARRIVALS.c.session == session, ARRIVALS.c.state == "abandoned")
        done = query.values(state="receiving", changed_at=now)
        return self._inventory.write(lambda connection: connection.execute(done).rowcount == 1)

    def complete(self, record: SessionRecord, now: datetime) -> bool:
        """Register a complete session; return False when it was registered before: the first t0 stays."""
        query = update(ARRIVALS).where(ARRIVALS.c.session == record.id, ARRIVALS.c.state == "receiving")
        done = query.values(state="complete", missing=(), note="", t0=record.t0, folder=record.folder, completed_at=now)

        def completed(connection: Connection) -> bool:
            if connection.execute(done).rowcount != 1:
                return False
            values = {field.name: getattr(record, field.name) for field in fields(record)}
            connection.execute(upsert(connection, SESSIONS, values, ("id",)))
            return True

        return self._inventory.write(completed)

    def refuse(self, station: str, refusals: Mapping[str, str], now: datetime) -> None:
        """Keep files that were refused because of what they are called, with the reason."""

        def kept(connection: Connection) -> None:
            for address, reason in refusals.items():
                key = {"station": station, "address": ascii(address)[:LONGEST_ADDRESS]}
                values = {**key, "reason": reason, "seen_at": now}
                connection.execute(upsert(connection, REFUSED_FILES, values, tuple(key), ("seen_at",)))

        if refusals:
            self._inventory.write(kept)

    def refused(self) -> tuple[tuple[str, str, str], ...]:
        """Return (station, address, reason) of all that were refused."""
        columns = REFUSED_FILES.c
        query = select(columns.station, columns.address, columns.reason).order_by(columns.station, columns.address)
        with self._inventory.engine.connect() as connection:
            return tuple((row.station, row.address, row.reason) for row in connection.execute(query))

    def window(self, station: str) -> StationWindow:
        """Return how far a station has been looked at."""
        columns = STATION_WINDOWS.c
        query = select(columns.newest, columns.swept_at).where(columns.station == station)
        with self._inventory.engine.connect() as connection:
            row = connection.execute(query).first()
        return StationWindow(None, None) if row is None else StationWindow(row.newest, row.swept_at)

    def set_window(self, station: str, window: StationWindow) -> None:
        """Keep how far a station has been looked at."""
        self._upsert(STATION_WINDOWS, {"station": station, **asdict(window)}, ("station",))

    def products(self, station: str, names: Collection[str] | None = None) -> Mapping[str, ArrivingProduct]:
        """Return the auxiliary products a station has published, of some names or all, by identifier."""
        query = select(ARRIVING_PRODUCTS).where(ARRIVING_PRODUCTS.c.station == station)
        if names is None:
            return {record.product: record for record in self._all(ArrivingProduct, query)}
        found: dict[str, ArrivingProduct] = {}
        for some in _portions(names):
            named = query.where(ARRIVING_PRODUCTS.c.name.in_(some))
            found |= {record.product: record for record in self._all(ArrivingProduct, named)}
        return found

    def failing_products(self, station: str) -> tuple[ArrivingProduct, ...]:
        """Return the auxiliary products of a station that could not be fetched, the longest waiting first."""
        columns = ARRIVING_PRODUCTS.c
        query = select(ARRIVING_PRODUCTS).where(columns.station == station, columns.state == "listed")
        return self._all(ArrivingProduct, query.order_by(columns.seen_at, columns.product))

    def keep_product(self, record: ArrivingProduct) -> None:
        """Keep an auxiliary product."""
        self._upsert(ARRIVING_PRODUCTS, asdict(record), ("station", "product"))

    def not_announced(self) -> tuple[Arrival, ...]:
        """Return the complete sessions nobody has announced yet, in the order of t0."""
        announced = select(ANNOUNCEMENTS.c.session)
        query = select(ARRIVALS).where(ARRIVALS.c.state == "complete", ARRIVALS.c.session.not_in(announced))
        return self._all(Arrival, query.order_by(ARRIVALS.c.t0, ARRIVALS.c.session))

    def announce(self, session: str, by: str, now: datetime) -> bool:
        """Note that a session is announced; return False when somebody has done so before."""

        def announced(connection: Connection) -> bool:
            query = select(ANNOUNCEMENTS.c.by).where(ANNOUNCEMENTS.c.session == session)
            if connection.execute(query).first() is not None:
                return False
            values = {"session": session, "by": by, "announced_at": now}
            statement = upsert(connection, ANNOUNCEMENTS, values, ("session",), ("by", "announced_at"))
            return connection.execute(statement).rowcount == 1

        return self._inventory.write(announced)

    def _upsert(self, table: Table, values: Mapping[str, Any], key: tuple[str, ...]) -> None:
        self._inventory.write(lambda connection: connection.execute(upsert(connection, table, values, key)))

    def _all(self, kind: type[_Record], query: Select[Any]) -> tuple[_Record, ...]:
        with self._inventory.engine.connect() as connection:
            return tuple(kind(**row._mapping) for row in connection.execute(query))


def _portions(names: Collection[str]) -> Iterator[list[str]]:
    """Yield names in portions that a query can take."""
    ordered = sorted(set(names))
    for first in range(0, len(ordered), MOST_NAMES):
        yield ordered[first : first + MOST_NAMES]
