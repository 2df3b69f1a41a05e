"""Sessions on their way: their folder here, and how it appears as a whole."""

from __future__ import annotations

import fcntl
import os
import socket
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from s2ps.formats.dsib import Dsib, read_dsib
from s2ps.ingestion.completeness import ChannelList
from s2ps.ingestion.names import checked_name
from s2ps.ingestion.synthetic import Received, write_synthetic_dsib
from s2ps.inventory.arrival_records import Arrival, ArrivingFile
from s2ps.inventory.records import SessionRecord
from s2ps.model.errors import InputError
from s2ps.model.names import SessionFileName


@dataclass(frozen=True, slots=True)
class ArrivalFolders:
    """Where sessions arrive: `<sessions>/<id>` when complete, below `.arriving` before."""

    sessions: Path

    def arriving(self, session: str) -> Path:
        """Return the folder of a session that is being received."""
        return self.sessions / ".arriving" / checked_name(session)

    def arrived(self, session: str) -> Path:
        """Return the folder of a complete session."""
        return self.sessions / checked_name(session)

    def file(self, session: str, channel: int, name: str) -> Path:
        """Return where a file arrives."""
        return self.arriving(session) / f"ch_{channel}" / checked_name(name)

    @contextmanager
    def alone(self, what: str, *, wait: bool = False) -> Iterator[bool]:
        """Yield True when no other process has the lock of that name; the lock ends with the process."""
        folder = self.sessions / ".arriving" / ".locks"
        folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(folder / f"{checked_name(what)}.lock", os.O_RDWR | os.O_CREAT, 0o644)
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
            except BlockingIOError:
                yield False
                return
            yield True
        finally:
            os.close(descriptor)

    def place(self) -> str:
        """Return the name of this file system, the same for all processes that see it."""
        with self.alone("place", wait=True):
            path = self.sessions / ".arriving" / ".place"
            if not path.is_file():
                aside = path.with_name(".place.part")
                aside.write_text(f"{socket.gethostname()[:60]}-{uuid.uuid4().hex[:12]}", encoding="utf-8")
                aside.replace(path)
            return path.read_text(encoding="utf-8")

    def take_back(self, session: str) -> None:
        """Undo a move that a crash has left without registration."""
        arrived, arriving = self.arrived(session), self.arriving(session)
        if arrived.is_dir() and not arriving.exists():
            arriving.parent.mkdir(parents=True, exist_ok=True)
            arrived.rename(arriving)

    def publish(self, arrival: Arrival, files: Sequence[ArrivingFile]) -> SessionRecord:
        """Write DSIBs that are lacking, make the session appear by one rename, and return its record."""
        folder = self.arriving(arrival.session)
        t0 = max(file.published for file in files)
        dsibs: list[Dsib] = []
        for channel in sorted({file.channel for file in files}):
            mine = [file for file in files if file.channel == channel]
            dsibs.append(_dsib(folder / f"ch_{channel}", mine, arrival, t0))
        for path in folder.rglob(".*"):
            if path.is_file():
                path.unlink()
        arrived = self.arrived(arrival.session)
        folder.rename(arrived)
        return SessionRecord(
            id=arrival.session,
            folder=arrived.resolve(),
            t0=t0,
            station=SessionFileName.parse(files[0].name).station_unit,
            files=sum(file.block is not None for file in files),
            unit=arrival.session[:3],
            start=min(dsib.time_start for dsib in dsibs),
            stop=max(dsib.time_stop for dsib in dsibs),
        )

    def listed(self, file: ArrivingFile) -> ChannelList:
        """Return what a DSIB that is here lists; `lacking` says why it cannot be used."""
        try:
            dsib = read_dsib(self.file(file.session, file.channel, file.name))
            names = [SessionFileName.parse(name) for name in dsib.dsdb_names]
        except InputError as error:
            return ChannelList(lacking=error.message)
        wrong = [str(name) for name in names if (name.session, name.channel) != (file.session, file.channel)]
        wrong += [str(name) for name in names if name.block is None]
        if wrong or dsib.session_id != file.session:
            return ChannelList(
                lacking=f"it is of session {dsib.session_id} and lists {', '.join(wrong) or 'its files'}"
            )
        return ChannelList(dsib.dsdb_names, dsib.data_size)


def _dsib(folder: Path, files: Sequence[ArrivingFile], arrival: Arrival, t0: datetime) -> Dsib:
    given = [file for file in files if file.block is None]
    if given:
        return read_dsib(folder / given[0].name)
    received = [Received(file.name, file.size, file.published) for file in files]
    path = write_synthetic_dsib(folder, received, start=arrival.start, stop=arrival.stop)
    os.utime(path, (t0.timestamp(), t0.timestamp()))
    return read_dsib(path)
