"""The files a station can publish: sessions as `s2ps simulate` writes them, or made up without a disk."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from s2ps.formats.dsib import Dsib, dsib_document, read_dsib
from s2ps.model.errors import InputError
from s2ps.model.names import SessionFileName
from s2ps.stations.content import BytesContent, Content, DiskContent, VirtualContent


@dataclass(frozen=True, slots=True)
class SessionPart:
    """Where a file belongs in its session; `block` is None for a DSIB. `start` and `stop` are of the downlink (UTC)."""

    session: str
    station_unit: str
    channel: int
    block: int | None
    final: bool
    start: datetime
    stop: datetime

    @property
    def satellite(self) -> str:
        """Return the unit, such as "S2B"."""
        return self.session[:3]


@dataclass(frozen=True, slots=True)
class StationFile:
    """A file a station has; `dated` (UTC) is its date of publication when no timeline gives another."""

    name: str
    content: Content
    dated: datetime
    part: SessionPart | None = None


def session_files(folder: Path, *, growing: bool = False) -> tuple[StationFile, ...]:
    """Return the files of all sessions below a folder, in the order of their paths.

    Raises InputError when there is none, or a session has no DSIB. In a `growing` folder there may be none, and
    sessions that are not whole yet are left out.
    """
    paths = sorted(path for path in folder.rglob("DCS_*") if path.is_file())
    if not paths and not growing:
        raise InputError(
            f"folder {folder} holds no session",
            expected="<session>/ch_<n>/DCS_..._DSIB.xml and .raw, as `s2ps simulate` writes them below session/",
            next_step="give another --content, or a timeline with `virtual` sessions",
        )
    names = [(path, SessionFileName.parse(path.name)) for path in paths]
    names = _whole(names) if growing else names
    final: dict[tuple[str, int], int] = {}
    for _, name in names:
        final[name.session, name.channel] = max(final.get((name.session, name.channel), 0), name.block or 0)
    spans = _spans([(path, name) for path, name in names if name.block is None])
    found = []
    for path, name in names:
        if name.session not in spans:
            raise InputError(f"session {name.session} in {folder} has no DSIB", next_step="simulate it again")
        last = name.block == final[name.session, name.channel]
        part = SessionPart(name.session, name.station_unit, name.channel, name.block, last, *spans[name.session])
        found.append(disk_file(path, part))
    return tuple(found)


def _whole(names: list[tuple[Path, SessionFileName]]) -> list[tuple[Path, SessionFileName]]:
    """Leave out the sessions of which a channel has no DSIB, or not the bytes its DSIB tells."""
    told: dict[tuple[str, int], int | None] = {}
    here: dict[tuple[str, int], int] = {}
    for path, name in names:
        channel = name.session, name.channel
        if name.block is None:
            told[channel] = _told(path)
        else:
            here[channel] = here.get(channel, 0) + path.stat().st_size
    open_ = {channel[0] for channel in {*told, *here} if told.get(channel) != here.get(channel, 0)}
    return [(path, name) for path, name in names if name.session not in open_]


def _told(dsib: Path) -> int | None:
    try:
        return read_dsib(dsib).data_size
    except InputError:
        return None


def _spans(dsibs: list[tuple[Path, SessionFileName]]) -> dict[str, tuple[datetime, datetime]]:
    spans: dict[str, tuple[datetime, datetime]] = {}
    for path, name in dsibs:
        dsib = read_dsib(path)
        start, stop = spans.get(name.session, (dsib.time_start, dsib.time_stop))
        spans[name.session] = (min(start, dsib.time_start), max(stop, dsib.time_stop))
    return spans


def disk_file(path: Path, part: SessionPart | None = None) -> StationFile:
    """Return a file of this machine; it is dated by when it was last written (whole seconds)."""
    found = path.stat()
    dated = datetime.fromtimestamp(int(found.st_mtime), UTC)
    return StationFile(path.name, DiskContent(path, found.st_size), dated, part)


def virtual_files(
    session: str, station_unit: str, channels: int, chunks: int, chunk_bytes: int, seed: int, start: datetime
) -> tuple[StationFile, ...]:
    """Return the DSDBs and DSIBs of a session whose bytes are made from a seed.

    The last chunk of a channel is shorter, and another one in every channel. The downlink takes 720 s from `start`.
    """
    stop = start + timedelta(seconds=720)
    files = []
    for channel in range(1, channels + 1):
        names = []
        size = 0
        for block in range(1, chunks + 1):
            length = chunk_bytes if block < chunks else max(1, chunk_bytes * channel // (channels + 1))
            part = SessionPart(session, station_unit, channel, block, block == chunks, start, stop)
            name = str(SessionFileName(station_unit, session, channel, block))
            files.append(StationFile(name, VirtualContent(seed + channel * 100_000 + block, length), start, part))
            names.append(name)
            size += length
        dsib = Dsib(session, start, stop, start, stop + timedelta(seconds=2), size, tuple(names))
        part = SessionPart(session, station_unit, channel, None, False, start, stop)
        name = str(SessionFileName(station_unit, session, channel))
        files.append(StationFile(name, BytesContent(dsib_document(dsib)), start, part))
    return tuple(files)
