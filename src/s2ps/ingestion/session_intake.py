"""One poll of a station that publishes sessions: list, fetch what is due, judge, register."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from s2ps.ingestion.arriving import ArrivalFolders
from s2ps.ingestion.completeness import Block, ChannelList, SessionView, missing
from s2ps.ingestion.download import Engine, Wanted
from s2ps.ingestion.listing import Asked, StationClient
from s2ps.ingestion.memory import Memory, edition_of, remote, totals_of
from s2ps.ingestion.report import PollReport
from s2ps.ingestion.room import GIGABYTE, Room
from s2ps.ingestion.stations import Station
from s2ps.inventory.arrival_records import CLOSED, Arrival, ArrivingFile
from s2ps.inventory.arrivals import Arrivals
from s2ps.model.errors import InputError, S2psError

ROUNDS = 20
"""Listings in one poll: as long as there is something to fetch."""
BROKEN = 4
"""Transfers that fail one after the other before the rest waits for the next poll."""
Key = tuple[str, str, str]


@dataclass(slots=True)
class SessionIntake:
    """One poll; `now` is the time of the whole poll."""

    station: Station
    client: StationClient
    engine: Engine
    arrivals: Arrivals
    folders: ArrivalFolders
    channels: int
    now: datetime
    others: frozenset[str] = frozenset()
    """The other stations there are; each gives up the sessions it has published first."""
    report: PollReport = field(init=False)
    _room: Room = field(init=False)
    _tried: set[Key] = field(default_factory=set)
    _failures: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.report = PollReport(self.station.name)
        self._room = Room(self.folders.sessions, self.station.min_free_gb * GIGABYTE)

    def poll(self) -> PollReport:
        """Do it. A session is judged by a listing that was made after its last file was fetched."""
        memory = Memory(self.station.name, self.arrivals)
        for arrival in self.arrivals.sessions("receiving"):
            with self.folders.alone(arrival.session, wait=True):
                self._recover(arrival.session)
        for turn in range(ROUNDS):
            self._look(memory)
            due = self._due()
            if not due or turn == ROUNDS - 1 or self._failures >= BROKEN:
                break
            with ThreadPoolExecutor(self.station.files, thread_name_prefix="file") as pool:
                for _ in pool.map(self._fetch, due):
                    pass
        for arrival in self.arrivals.sessions("receiving"):
            self._judge(arrival)
        return self.report

    def _recover(self, session: str) -> None:
        current = self.arrivals.session(session)
        if current is not None and current.state == "receiving":
            self.folders.take_back(session)

    def _look(self, memory: Memory) -> None:
        since, swept = memory.since(
            self.now, timedelta(seconds=self.station.overlap_seconds), timedelta(days=self.station.retention_days)
        )
        closed = CLOSED if swept else (*CLOSED, "abandoned")
        asked = Asked(
            since,
            frozenset(arrival.session for arrival in self.arrivals.sessions("receiving")),
            # What was given up is looked at with all the station keeps, not in between.
            lambda names: [arrival.session for arrival in self.arrivals.named(names) if arrival.state in closed],
        )
        listing = self.client.listing(asked)
        memory.note(listing, self.now, self.station.units)
        memory.move_window(listing, self.now, swept)
        self.report.listed = len(listing.files)
        self.report.refused = len(listing.refused)

    def _due(self) -> list[ArrivingFile]:
        """Return what to fetch now: sessions that are under way first, no more of them than may be open."""
        files = [file for file in self.arrivals.files() if file.station == self.station.name]
        started = {file.session for file in files if file.held}
        stale = self.now - timedelta(hours=self.station.stale_hours)
        receiving = {arrival.session: arrival for arrival in self.arrivals.sessions("receiving")}
        fresh = [arrival for arrival in receiving.values() if arrival.changed_at > stale]
        fresh.sort(key=lambda arrival: (arrival.session not in started, arrival.first_seen, arrival.session))
        admitted = [arrival.session for arrival in fresh[: self.station.open_sessions]]
        admitted += [arrival.session for arrival in receiving.values() if arrival.changed_at <= stale]
        self.report.waiting = tuple(arrival.session for arrival in fresh[self.station.open_sessions :])
        rank = {session: place for place, session in enumerate(admitted)}
        due = [file for file in files if file.session in rank and self._is_due(file)]
        return sorted(due, key=lambda file: (rank[file.session], file.published, file.name))

    def _is_due(self, file: ArrivingFile) -> bool:
        edition = edition_of(file)
        fetched = file.held == edition or file.state == "refused"
        return file.size > 0 and not fetched and (file.session, file.name, edition) not in self._tried

    def _fetch(self, file: ArrivingFile) -> None:
        if self._failures >= BROKEN:
            return
        with self._room.reserve(file.size) as fits:
            if fits:
                edition = edition_of(file)
                self._tried.add((file.session, file.name, edition))
                self._fetch_edition(file, edition)
            else:
                self.report.disk_full = True

    def _fetch_edition(self, file: ArrivingFile, edition: str) -> None:
        self.arrivals.set_file(file.session, file.name, state="downloading")
        target = self.folders.file(file.session, file.channel, file.name)
        wanted = Wanted(target, edition, file.size, file.published, file.checksum)
        try:
            source = self.client.source(remote(file))
            try:
                fetched = self.engine.fetch(source, wanted)
            finally:
                source.close()
        except InputError as error:
            self.report.problems.append(f"{file.name}: {error}")
            self.arrivals.set_file(file.session, file.name, state="refused", problem=error.message)
            return
        except (S2psError, OSError) as error:
            with self._lock:
                self._failures += 1
            self.report.problems.append(f"{file.name}: {error}")
            problem = error.message if isinstance(error, S2psError) else str(error)
            self.arrivals.set_file(file.session, file.name, state="listed", problem=problem)
            return
        if fetched:
            self._failures = 0
            self.arrivals.set_file(file.session, file.name, state="complete", held=edition, problem="")
            self.arrivals.touch(file.session, self.now)
            with self._lock:
                self.report.fetched += 1
                self.report.bytes += file.size

    def _judge(self, arrival: Arrival) -> None:
        with self.folders.alone(arrival.session, wait=True):
            current = self.arrivals.session(arrival.session)
            if current is None or current.state != "receiving":
                return
            files = self.arrivals.files(arrival.session)
            lacks = missing(self._view(current, files))
            if lacks:
                note = self._note(arrival.session)
                if not note and self._is_over(current):
                    if self.arrivals.abandon(current.session, lacks, current.changed_at):
                        self.report.abandoned[current.session] = lacks
                elif (lacks, note) != (current.missing, current.note):
                    self.arrivals.set_missing(arrival.session, lacks, note)
                return
            record = self.folders.publish(current, files)
            if self.arrivals.complete(record, self.now):
                self.report.completed.append(arrival.session)

    def _is_over(self, arrival: Arrival) -> bool:
        """Tell whether to give a session up: nothing new for too long, whatever keeps its files from coming."""
        mine = arrival.station not in self.others
        return mine and arrival.changed_at <= self.now - self.station.give_up_after

    def _note(self, session: str) -> str:
        if session in self.report.waiting:
            return f"waits: {self.station.open_sessions} sessions are being received"
        return "waits: the disk is full" if self.report.disk_full else ""

    def _view(self, arrival: Arrival, files: Sequence[ArrivingFile]) -> SessionView:
        lacking = {file.name: self._lacking(file) for file in files}
        blocks = tuple(
            Block(file.name, file.channel, file.block, file.size, file.final, lacking[file.name])
            for file in files
            if file.block is not None
        )
        dsibs: dict[int, ChannelList] = {}
        for file in files:
            if file.block is None:
                why = lacking[file.name]
                dsibs[file.channel] = ChannelList(lacking=why) if why else self.folders.listed(file)
        ignored = self.station.quality_info == "ignore"
        return SessionView(
            blocks,
            dsibs,
            arrival.channels or self.channels,
            () if ignored else totals_of(arrival),
            totals_required=self.station.quality_info == "require" and self.station.kind == "cadip",
        )

    def _lacking(self, file: ArrivingFile) -> str:
        """Return why a file cannot be used yet; a file that was here and is lost is fetched again."""
        if file.size == 0:
            return "empty at the station"
        if file.state == "refused":
            return f"refused: {file.problem}"
        if file.held != edition_of(file):
            return file.problem or "on its way"
        path = self.folders.file(file.session, file.channel, file.name)
        if path.is_file() and path.stat().st_size == file.size:
            return ""
        self.arrivals.set_file(file.session, file.name, state="listed", held="")
        return "lost here, it is fetched again"
