"""EDIP: sessions as folders of an FTP server with explicit TLS on both channels.

Source: RFC 4217 (FTP over TLS), RFC 3659 (MLSD, REST). Data connections take up the TLS session of the control
connection, which many servers demand.
"""

from __future__ import annotations

import ftplib
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from posixpath import join
from typing import Any
from urllib.parse import unquote, urlsplit

from s2ps.ingestion.listing import Asked, Listing, Refused, RemoteFile, merged, session_file
from s2ps.ingestion.names import checked_name, is_passing
from s2ps.ingestion.source import Source, TransferError
from s2ps.ingestion.stations import BasicAuth, Station
from s2ps.ingestion.web import StationError, tls_context
from s2ps.model.errors import InputError

DEEPEST = 8
READ = 1 << 18
_FTP_ERRORS = (ftplib.Error, OSError, EOFError, ValueError)
SMALLEST_PIECE, LARGEST_PIECE = 8 << 20, 32 << 20
"""Bytes of a range: every range but the last of a file costs a login."""


class Ftps(ftplib.FTP_TLS):
    """FTP over TLS whose data connections belong to the session of the control connection."""

    def ntransfercmd(self, cmd: str, rest: int | str | None = None) -> tuple[socket.socket, int | None]:
        """Open a data connection."""
        connection, size = ftplib.FTP.ntransfercmd(self, cmd, rest)  # noqa: S321 - it is wrapped in TLS below
        control = self.sock
        session = control.session if isinstance(control, ssl.SSLSocket) else None
        return self.context.wrap_socket(connection, server_hostname=self.host, session=session), size


class FtpConnections:
    """Connections to one station that are used again; each by one thread at a time."""

    def __init__(self, station: Station) -> None:
        self._station = station
        self._free: list[Ftps] = []
        self._lock = threading.Lock()

    @contextmanager
    def connection(self) -> Iterator[Ftps]:
        """Lend a connection; after an error it is not used again."""
        with self._lock:
            lent = self._free.pop() if self._free else None
        ftp = lent or self._open()
        try:
            yield ftp
        except BaseException:
            ftp.close()
            raise
        with self._lock:
            self._free.append(ftp)

    def close(self) -> None:
        """Close all that are free."""
        with self._lock:
            while self._free:
                self._free.pop().close()

    def _open(self) -> Ftps:
        parts, auth = urlsplit(self._station.url), self._station.auth
        ftp = Ftps(context=tls_context(self._station), timeout=self._station.timeout_s)
        try:
            ftp.connect(parts.hostname or "", parts.port or 21)
            user, password = (auth.user, auth.password) if isinstance(auth, BasicAuth) else ("anonymous", "anonymous@")
            ftp.login(user, password)
            ftp.prot_p()
        except _FTP_ERRORS as error:
            ftp.close()
            raise StationError(
                f"station {self._station.name} does not let us in: {error}",
                next_step="check url, auth and tls_ca of the station; it is tried again at the next poll",
            ) from error
        return ftp


class EdipClient:
    """One FTPS pick-up point."""

    def __init__(self, station: Station) -> None:
        self._station = station
        self._connections = FtpConnections(station)
        self._base = "/" + unquote(urlsplit(station.url).path).strip("/")

    def listing(self, asked: Asked) -> Listing:
        """Return all files of sessions in both areas; that of retransfers need not exist."""
        files: list[RemoteFile] = []
        refused: list[Refused] = []
        areas = [(self._station.nominal, False)]
        if self._station.retransfer is not None:
            areas.append((self._station.retransfer, True))
        for area, again in areas:
            for path, name, facts in self._below(join(self._base, area.strip("/")), optional=again):
                found = _file(path, name, facts, again)
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

    def _below(self, top: str, *, optional: bool) -> Iterator[tuple[str, str, dict[str, str]]]:
        waiting = [(top, 0)]
        while waiting:
            folder, depth = waiting.pop()
            for name, facts in self._entries(folder, optional=optional and folder == top):
                kind = facts.get("type", "file").lower()
                if kind == "dir" and depth < DEEPEST and _may_enter(name):
                    waiting.append((join(folder, name), depth + 1))
                elif kind == "file":
                    yield join(folder, name), name, facts

    def _entries(self, folder: str, *, optional: bool) -> list[tuple[str, dict[str, str]]]:
        try:
            with self._connections.connection() as ftp:
                return list(ftp.mlsd(folder, facts=["type", "size", "modify"]))
        except ftplib.error_perm as error:
            if optional and str(error).startswith("550"):
                return []
            raise self._no_listing(folder, error) from error
        except _FTP_ERRORS as error:
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
        """Yield a range. Where REST is not known, what is before the range is thrown away."""
        try:
            with self._connections.connection() as ftp:
                data, skip = _opened(ftp, self._path, offset)
                with data:
                    yield from _received(data, skip, length)
                if offset + length < self._size:
                    raise _EndOfRange
                data.close()
                ftp.voidresp()
        except _EndOfRange:
            return
        except _FTP_ERRORS as error:
            raise TransferError(
                f"transfer of {self._path} broke: {error or type(error).__name__}",
                next_step="the next poll goes on where it stopped",
            ) from error

    def close(self) -> None:
        """Do nothing: connections belong to the station."""


class _EndOfRange(Exception):
    """The range is here; the connection, which wants to send more, is closed."""


def _opened(ftp: Ftps, path: str, offset: int) -> tuple[socket.socket, int]:
    """Open a binary transfer; a listing on the same connection has made it one of text."""
    ftp.voidcmd("TYPE I")
    try:
        return ftp.transfercmd(f"RETR {path}", rest=offset or None), 0
    except ftplib.error_perm as error:
        if offset and str(error)[:3] in ("500", "501", "502", "504"):
            return ftp.transfercmd(f"RETR {path}"), offset
        raise


def _received(data: socket.socket, skip: int, length: int) -> Iterator[bytes]:
    while length:
        block = data.recv(READ)
        if not block:
            return
        block, skip = block[skip:], max(0, skip - len(block))
        if block:
            yield block[:length]
            length -= min(length, len(block))


def _file(path: str, name: str, facts: dict[str, Any], again: bool) -> RemoteFile | Refused | None:
    size, modified = facts.get("size", ""), facts.get("modify", "")
    if not size.isdecimal():
        return None
    try:
        published = datetime.strptime(modified[:14], "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        return Refused(path, f"file {name} has no date: {modified!r}")
    return session_file(name, size=int(size), published=published, address=path, retransfer=again, version=modified)


def _may_enter(name: str) -> bool:
    try:
        return not is_passing(name) and bool(checked_name(name))
    except InputError:
        return False
