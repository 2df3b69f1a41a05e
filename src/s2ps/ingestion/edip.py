"""EDIP: sessions as folders of an FTP server with explicit TLS on both channels."""

from __future__ import annotations

import ftplib
import socket
from collections.abc import Iterator
from datetime import UTC, datetime
from posixpath import join
from urllib.parse import unquote, urlsplit

from s2ps.ingestion.ftp import BYTES, FTP_ERRORS, FtpConnections
from s2ps.ingestion.ftp_listing import Entry, FtpLister
from s2ps.ingestion.listing import Asked, Listing, Refused, RemoteFile, merged, session_file
from s2ps.ingestion.names import checked_name, is_passing
from s2ps.ingestion.source import Source, TransferError
from s2ps.ingestion.stations import Station
from s2ps.ingestion.web import StationError
from s2ps.model.errors import InputError
from s2ps.model.names import SessionFileName

DEEPEST = 8
MOST_FOLDERS = 10_000
READ = 1 << 18
SMALLEST_PIECE, LARGEST_PIECE = 8 << 20, 32 << 20
"""Bytes of a range: every range costs a data connection."""


class EdipClient:
    """One FTPS pick-up point."""

    def __init__(self, station: Station) -> None:
        self._station = station
        self._connections = FtpConnections(station)
        self._lister = FtpLister(_is_session_file)
        self._base = "/" + unquote(urlsplit(station.url).path, encoding=BYTES).strip("/")

    def listing(self, asked: Asked) -> Listing:
        """Return all files of sessions in both areas; that of retransfers need not exist."""
        files: list[RemoteFile] = []
        refused: list[Refused] = []
        areas = [(self._station.nominal, False)]
        if self._station.retransfer is not None:
            areas.append((self._station.retransfer, True))
        for area, again in areas:
            for path, entry in self._below(join(self._base, area.strip("/")), optional=again):
                found = _file(path, entry, again)
                if isinstance(found, RemoteFile):
                    files.append(found)
                elif found is not None:
                    refused.append(found)
        return Listing(merged(files), refused=tuple(refused))

    def source(self, file: RemoteFile) -> Source:
        """Return a file, ready to be read in ranges."""
        return FtpSource(self._connections, file.address, file.size, self._station.parallel)

    def close(self) -> None:
        """Close connections."""
        self._connections.close()

    def _below(self, top: str, *, optional: bool) -> Iterator[tuple[str, Entry]]:
        waiting, seen = [(top, 0)], 0
        while waiting and seen < MOST_FOLDERS:
            folder, depth = waiting.pop()
            seen += 1
            for entry in self._entries(folder, optional=optional and folder == top):
                path = join(folder, entry.name)
                if not entry.folder:
                    yield path, entry
                elif depth < DEEPEST and _may_enter(entry.name):
                    waiting.append((path, depth + 1))

    def _entries(self, folder: str, *, optional: bool) -> list[Entry]:
        try:
            with self._connections.connection() as ftp:
                return self._lister.entries(ftp, folder, datetime.now(UTC))
        except ftplib.error_perm as error:
            if optional and str(error).startswith(("550", "501")):
                return []
            raise self._no_listing(folder, error) from error
        except FTP_ERRORS as error:
            raise self._no_listing(folder, error) from error

    def _no_listing(self, folder: str, error: BaseException) -> StationError:
        return StationError(
            f"station {self._station.name} does not list {folder}: {error}",
            next_step="check url, nominal and retransfer of the station; it is asked again at the next poll",
        )


class FtpSource:
    """One file of an FTP server."""

    def __init__(self, connections: FtpConnections, path: str, size: int, parallel: int) -> None:
        self._connections, self._path, self._size = connections, path, size
        self.largest_piece: int | None = min(max(-(-size // parallel), SMALLEST_PIECE), LARGEST_PIECE)

    def read(self, offset: int, length: int) -> Iterator[bytes]:
        """Yield a range."""
        try:
            end = offset + length >= self._size
            with self._connections.transfer(self._path, offset, to_the_end=end) as data:
                yield from _received(data, length)
        except FTP_ERRORS as error:
            raise TransferError(
                f"transfer of {self._path} broke: {error or type(error).__name__}",
                next_step="the next poll goes on where it stopped",
            ) from error

    def close(self) -> None:
        """Do nothing: connections belong to the station."""


def _received(data: socket.socket, length: int) -> Iterator[bytes]:
    while length and (block := data.recv(min(READ, length))):
        yield block
        length -= len(block)


def _file(path: str, entry: Entry, again: bool) -> RemoteFile | Refused | None:
    if entry.size is None:
        return None
    try:
        published = datetime.strptime(entry.modified[:14], "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        return Refused(path, f"file {entry.name} has no date: {entry.modified!r}")
    return session_file(
        entry.name, size=entry.size, published=published, address=path, retransfer=again, version=entry.modified
    )


def _is_session_file(name: str) -> bool:
    try:
        return bool(SessionFileName.parse(name))
    except InputError:
        return False


def _may_enter(name: str) -> bool:
    try:
        return not is_passing(name) and bool(checked_name(name))
    except InputError:
        return False
