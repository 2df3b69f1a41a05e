"""What a listing changes in the memory of a station."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from s2ps.ingestion.listing import Listing, RemoteFile, SessionFacts, Totals
from s2ps.inventory.arrival_records import CLOSED, Arrival, ArrivingFile, StationWindow
from s2ps.inventory.arrivals import Arrivals

GONE = "no longer published at the station"
SWEEP = timedelta(minutes=10)
"""So often all that a station keeps is looked at, whatever the window says."""
FIRST = datetime(1, 1, 2, tzinfo=UTC)
"""The first time there is, in every zone."""
Key = tuple[str, str]


def edition_of(file: ArrivingFile) -> str:
    """Return the edition the station publishes now."""
    return remote(file).edition


def remote(file: ArrivingFile) -> RemoteFile:
    """Return a file as the station has listed it."""
    return RemoteFile(
        file.name, file.session, file.channel, file.block, file.size, file.published, file.address,
        file.final, file.retransfer, file.version, file.checksum,
    )  # fmt: skip


def totals_of(arrival: Arrival) -> tuple[Totals, ...]:
    """Return the totals of QualityInfo."""
    return tuple(Totals(*map(int, text.split(":"))) for text in arrival.totals)


@dataclass(frozen=True, slots=True)
class Memory:
    """The memory of one station; sessions are shared with other stations."""

    station: str
    arrivals: Arrivals

    def note(self, listing: Listing, now: datetime, units: tuple[str, ...] = ()) -> None:
        """Keep what is new: files, editions, facts of sessions, refusals."""
        self.arrivals.refuse(self.station, {item.address: item.reason for item in listing.refused}, now)
        named = {file.session for file in listing.files} | {fact.session for fact in listing.facts}
        known = {arrival.session: arrival for arrival in self.arrivals.named(named)}
        files: dict[Key, ArrivingFile] = {(file.session, file.name): file for file in self._files(listing, known)}
        wanted = [
            file
            for file in listing.files
            if _open(known.get(file.session)) and (not units or file.session.startswith(units))
        ]
        changed = [row for file in wanted if (row := self._row(file, files.get((file.session, file.name)), now))]
        listed = {(file.session, file.name) for file in wanted}
        news = {row.session for row in changed if _is_news(files.get((row.session, row.name)), row)}
        changed += self._gone(files, listed, listing.covered)
        facts = {item.session: item for item in listing.facts if not units or item.session.startswith(units)}
        sessions = self._sessions(known, facts, news, now)
        taken_up = {arrival.session for arrival in sessions}
        left = {name for name, arrival in known.items() if arrival.state == "abandoned"} - taken_up
        self.arrivals.keep(sessions, [row for row in changed if row.session not in left])

    def _files(self, listing: Listing, known: Mapping[str, Arrival]) -> Iterator[ArrivingFile]:
        """Yield what is known of files: of all sessions that are received, and of listed ones that were given up."""
        yield from self.arrivals.files()
        for session in sorted({file.session for file in listing.files}):
            if session in known and known[session].state == "abandoned":
                yield from self.arrivals.files(session)

    def _row(self, file: RemoteFile, row: ArrivingFile | None, now: datetime) -> ArrivingFile | None:
        """Return the row of a listed file when it has changed; a file belongs to the station that had it first."""
        if row is not None and row.station != self.station and row.size > 0 and not row.problem:
            return None
        if row is not None and row.station == self.station and remote(row) == file and row.problem != GONE:
            return None
        held = row.held if row is not None else ""
        here = held == file.edition
        return ArrivingFile(
            file.session, file.name, self.station, file.channel, file.block, file.size, file.published, file.address,
            file.final, file.retransfer, file.version, file.checksum,
            state="complete" if here else "listed", held=held, problem="", seen_at=now,
        )  # fmt: skip

    def _gone(
        self, files: Mapping[Key, ArrivingFile], listed: set[Key], covered: frozenset[str] | None
    ) -> list[ArrivingFile]:
        return [
            replace(row, problem=GONE)
            for key, row in files.items()
            if row.station == self.station
            and key not in listed
            and (covered is None or row.session in covered)
            and row.state not in ("complete", "refused")
            and row.problem != GONE
        ]

    def _sessions(
        self, known: Mapping[str, Arrival], facts: Mapping[str, SessionFacts], news: set[str], now: datetime
    ) -> list[Arrival]:
        found: list[Arrival] = []
        for session in sorted(news | set(facts)):
            before = known.get(session)
            if not _open(before):
                continue
            fact = facts.get(session, SessionFacts(session))
            base = before or Arrival(
                session, self.station, "receiving", None, (), None, None, now, now, ("all files",), "", None, None, None
            )
            totals = tuple(f"{item.channel}:{item.chunks}:{item.volume}" for item in fact.totals)
            after = replace(
                base,
                channels=fact.channels or base.channels,
                totals=totals or base.totals,
                start=fact.start or base.start,
                stop=fact.stop or base.stop,
            )
            if before is None or session in news or after.totals != before.totals:
                found.append(replace(after, state="receiving", changed_at=now))
            elif after != before and before.state == "receiving":
                found.append(after)
        return found

    def since(self, now: datetime, overlap: timedelta, retention: timedelta) -> tuple[datetime, bool]:
        """Return from when on sessions are asked for, and whether that is all the station keeps.

        The window never starts behind our own clock, and all is looked at every ten minutes, so a station whose clock
        is moved loses nothing.
        """
        window = self.arrivals.window(self.station)
        swept = window.swept_at
        if window.newest is None or swept is None or not now - SWEEP < swept <= now:
            return _before(min(window.newest or now, now), retention), True
        return _before(min(window.newest, now), overlap), False

    def move_window(self, listing: Listing, now: datetime, swept: bool) -> None:
        """Keep how far the station has been looked at; a station whose clock went back takes the window along."""
        before = self.arrivals.window(self.station)
        seen = [moment for moment in (before.newest, listing.newest) if moment is not None]
        newest = max(seen, default=None)
        if newest is not None:
            newest = min(newest, max(now, listing.station_time or now))
            if listing.station_time is not None:
                newest = min(newest, listing.station_time)
        after = StationWindow(newest, now if swept else before.swept_at)
        if after != before:
            self.arrivals.set_window(self.station, after)


def _before(moment: datetime, span: timedelta) -> datetime:
    """Return a moment earlier by a span, however early a station's date is."""
    return moment - span if moment - FIRST > span else FIRST


def _open(arrival: Arrival | None) -> bool:
    return arrival is None or arrival.state not in CLOSED


def _is_news(before: ArrivingFile | None, after: ArrivingFile) -> bool:
    """Tell whether a file is new, or was published anew; that another station has it as well is no news."""
    if before is None or before.problem == GONE or before.size != after.size:
        return True
    return before.station == after.station and edition_of(before) != edition_of(after)
