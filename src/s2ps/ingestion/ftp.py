"""FTP over TLS: connections that are used again, and listings of servers with and without MLSD.

Source: RFC 959 (LIST), RFC 4217 (FTP over TLS), RFC 3659 (MLSD, MDTM, REST). Data connections take up the TLS session
of the control connection, which many servers demand.
"""

from __future__ import annotations

import ftplib
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final
from urllib.parse import urlsplit

from s2ps.ingestion.source import RangesIgnored
from s2ps.ingestion.stations import BasicAuth, Station
from s2ps.ingestion.web import StationError, tls_context

FTP_ERRORS: Final = (ftplib.Error, OSError, EOFError, ValueError)
BYTES: Final = "latin-1"
"""Encoding of paths and listings: every byte is a letter, so that no odd name makes a listing unreadable."""
IDLE_S = 20.0
"""A connection that was free for so long is asked whether it lives before it is used."""
ANSWER_S = 5.0
"""So long a server may take to notice that a transfer was given up; then the connection is."""
UNKNOWN_COMMAND = ("500", "502", "504")
"""What servers answer to a command they do not have."""


class Ftps(ftplib.FTP_TLS):
    """FTP over TLS whose data connections belong to the session of the control connection."""

    def ntransfercmd(self, cmd: str, rest: int | str | None = None) -> tuple[socket.socket, int | None]:
        """Open a data connection."""
        connection, size = ftplib.FTP.ntransfercmd(self, cmd, rest)  # noqa: S321 - it is wrapped in TLS below
        control = self.sock
        session = control.session if isinstance(control, ssl.SSLSocket) else None
        return self.context.wrap_socket(connection, server_hostname=self.host, session=session), size

    def give_up(self, data: socket.socket) -> None:
        """End a transfer in the middle so that this connection can be used again; FTP_ERRORS: it cannot.

        The server finds the data connection closed and says so: 426, or 226 when all was on its way already.
        """
        data.close()
        if self.sock is not None:
            self.sock.settimeout(ANSWER_S)
        try:
            self.voidresp()
        except ftplib.error_temp as error:
            if not str(error).startswith(("425", "426", "45")):
                raise
        if self.sock is not None:
            self.sock.settimeout(self.timeout)


class FtpConnections:
    """Connections to one station that are used again; each by one thread at a time."""

    def __init__(self, station: Station) -> None:
        self._station = station
        self._free: list[tuple[Ftps, float]] = []
        self._gives_up = True
        self._lock = threading.Lock()

    @contextmanager
    def connection(self) -> Iterator[Ftps]:
        """Lend a connection; after an error it is not used again. Raises StationError when there is none."""
        ftp = self._known() or self._open()
        try:
            yield ftp
        except BaseException:
            ftp.close()
            raise
        with self._lock:
            self._free.append((ftp, time.monotonic()))

    @contextmanager
    def transfer(self, path: str, offset: int, *, to_the_end: bool) -> Iterator[socket.socket]:
        """Open a binary transfer from an offset and yield its data connection; raise RangesIgnored without REST.

        One that does not go to the end of the file is given up when the context ends. Most servers go on with the
        next command then; of one that does not, every such transfer has a login of its own.
        """
        try:
            with self.connection() as ftp, _opened(ftp, path, offset) as data:
                yield data
                if to_the_end:
                    data.close()
                    ftp.voidresp()
                else:
                    self._give_up(ftp, data)
        except _Useless:
            return

    def _give_up(self, ftp: Ftps, data: socket.socket) -> None:
        if not self._gives_up:
            raise _Useless
        try:
            ftp.give_up(data)
        except FTP_ERRORS as error:
            self._gives_up = False
            raise _Useless from error

    def close(self) -> None:
        """Close all that are free."""
        with self._lock:
            while self._free:
                self._free.pop()[0].close()

    def _known(self) -> Ftps | None:
        """Return a free connection that lives; servers end those that are idle for long."""
        while True:
            with self._lock:
                if not self._free:
                    return None
                ftp, since = self._free.pop()
            if time.monotonic() - since < IDLE_S:
                return ftp
            try:
                ftp.voidcmd("NOOP")
            except FTP_ERRORS:
                ftp.close()
            else:
                return ftp

    def _open(self) -> Ftps:
        parts, auth = urlsplit(self._station.url), self._station.auth
        ftp = Ftps(context=tls_context(self._station), timeout=self._station.timeout_s)
        try:
            ftp.connect(parts.hostname or "", parts.port or 21)
            user, password = (auth.user, auth.password) if isinstance(auth, BasicAuth) else ("anonymous", "anonymous@")
            ftp.login(user, password)
            ftp.prot_p()
        except FTP_ERRORS as error:
            ftp.close()
            raise StationError(
                f"station {self._station.name} does not let us in: {error}",
                next_step="check url, auth and tls_ca of the station; it is tried again at the next poll",
            ) from error
        ftp.encoding = BYTES
        return ftp


class _Useless(Exception):
    """The range is here, but the connection it came by cannot be used again."""


def _opened(ftp: Ftps, path: str, offset: int) -> socket.socket:
    """Open a binary transfer; a listing on the same connection has made it one of text."""
    ftp.voidcmd("TYPE I")
    try:
        return ftp.transfercmd(f"RETR {path}", rest=offset or None)
    except ftplib.error_perm as error:
        if offset and str(error).startswith((*UNKNOWN_COMMAND, "501")):
            raise RangesIgnored(f"the station knows no REST for {path}") from error
        raise
