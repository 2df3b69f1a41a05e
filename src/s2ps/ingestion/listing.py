"""What a station tells: files, sessions, and totals of their quality information."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from s2ps.ingestion.names import checked_name, is_passing
from s2ps.ingestion.numbers import LARGEST
from s2ps.ingestion.source import Source
from s2ps.model.errors import InputError
from s2ps.model.names import SessionFileName
from s2ps.model.timestamps import format_utc


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """One file of a session as a station publishes it."""

    name: str
    session: str
    channel: int
    block: int | None
    """None for a DSIB."""
    size: int
    """Bytes."""
    published: datetime
    """UTC, of the station's clock."""
    address: str
    """Where the client of the station finds it: path, URL or id."""
    final: bool | None = None
    """Is it the last block of its channel? None where the station does not tell."""
    retransfer: bool = False
    version: str = ""
    """ETag or id: changes when the file is published anew."""
    checksum: str = ""
    """`algorithm:value` where published."""

    @property
    def edition(self) -> str:
        """Return what changes whenever the file is published anew or grows."""
        return f"{self.size}|{format_utc(self.published)}|{self.version}"


@dataclass(frozen=True, slots=True)
class Totals:
    """What the QualityInfo of a channel counts."""

    channel: int
    chunks: int
    volume: int
    """Bytes."""


@dataclass(frozen=True, slots=True)
class SessionFacts:
    """What a station tells of a session besides its files."""

    session: str
    channels: int | None = None
    totals: tuple[Totals, ...] = ()
    start: datetime | None = None
    """Start of the downlink."""
    stop: datetime | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """A file that is not taken, and why."""

    address: str
    reason: str


@dataclass(frozen=True, slots=True)
class Listing:
    """One look at a station."""

    files: tuple[RemoteFile, ...]
    facts: tuple[SessionFacts, ...] = ()
    refused: tuple[Refused, ...] = ()
    station_time: datetime | None = None
    """The station's own clock, where it tells."""
    covered: frozenset[str] | None = None
    """Sessions whose files were all listed; None: all the station has."""
    newest: datetime | None = None
    """Latest publication of a session, where sessions are listed by time."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a listing has to cover."""

    since: datetime | None = None
    """Sessions published from then on (inclusive)."""
    open_sessions: frozenset[str] = field(default_factory=frozenset)
    """Sessions that are not complete: their files are always wanted."""
    closed: Callable[[Collection[str]], Collection[str]] = frozenset().intersection
    """Tells of which of some sessions nothing is wanted any more."""


class StationClient(Protocol):
    """One station: lists what is published and opens files for download."""

    def listing(self, asked: Asked) -> Listing:
        """Return what is published."""

    def source(self, file: RemoteFile) -> Source:
        """Return a file, ready to be read in ranges."""

    def close(self) -> None:
        """Close connections."""


def session_file(
    name: str, *, size: int, published: datetime, address: str, retransfer: bool = False, version: str = ""
) -> RemoteFile | Refused | None:
    """Return a listed file as file of a session; a refusal for a hostile name, None for what is no session file."""
    if is_passing(name) and not {"/", "\\"} & set(name):
        return None
    try:
        checked_name(name)
    except InputError as error:
        return Refused(address, error.message)
    try:
        parsed = SessionFileName.parse(name)
    except InputError:
        return None
    if not 0 <= size <= LARGEST:
        return Refused(address, f"file {name} is said to have {size} bytes")
    if not 1 <= parsed.channel <= 4:
        return Refused(address, f"file {name} is of channel {parsed.channel}, a session has 1 to 4")
    return RemoteFile(
        name, parsed.session, parsed.channel, parsed.block, size, published, address,
        retransfer=retransfer, version=version,
    )  # fmt: skip


def merged(files: Iterable[RemoteFile]) -> tuple[RemoteFile, ...]:
    """Return one file per session and name.

    A copy that holds data wins over an empty one, a retransferred one over a nominal one, then the later publication.
    """
    best: dict[tuple[str, str], RemoteFile] = {}
    for file in files:
        key = (file.session, file.name)
        if key not in best or _rank(file) > _rank(best[key]):
            best[key] = file
    return tuple(sorted(best.values(), key=lambda file: (file.published, file.name)))


def _rank(file: RemoteFile) -> tuple[bool, bool, datetime, str]:
    return (file.size > 0, file.retransfer, file.published, file.version)
