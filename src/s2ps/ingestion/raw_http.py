"""Downloads over HTTP straight from socket to buffer: a third of the CPU time that a general client takes.

Only GET, only HTTP/1.1; connections are used again. Credentials come from the same httpx.Auth as all other requests.
"""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection

import httpx

from s2ps.ingestion.source import TransferError

BUFFER = 1 << 20
REDIRECTS = 5
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
Origin = tuple[str, str, int]


def origin_of(url: httpx.URL) -> Origin:
    """Return scheme, host and port of a URL."""
    return url.scheme, url.host, url.port or {"http": 80, "https": 443}.get(url.scheme, 0)


class RawAnswer:
    """The answer to one download."""

    def __init__(self, answer: HTTPResponse) -> None:
        self._answer = answer
        self.status = answer.status

    def header(self, name: str) -> str | None:
        """Return a header, None when it is not there."""
        return self._answer.getheader(name)

    def blocks(self, length: int, skip: int = 0) -> Iterator[memoryview]:
        """Yield up to `length` bytes behind the first `skip`; a block is valid until the next one is asked for."""
        buffer = memoryview(bytearray(min(BUFFER, max(length, skip))))
        while length:
            found = self._answer.readinto(buffer[: min(skip or length, len(buffer))])
            if not found:
                return
            if skip:
                skip -= found
                continue
            length -= found
            yield buffer[:found]


class RawHttp:
    """Connections to a station and to where it redirects; safe in threads."""

    def __init__(
        self, context: ssl.SSLContext, timeout_s: float, auth: httpx.Auth | None, own: Callable[[httpx.URL], bool]
    ) -> None:
        """`own` tells whether a URL is the station's, so that credentials may be sent there."""
        self._context, self._timeout_s, self._auth, self._own = context, timeout_s, auth, own
        self._free: dict[Origin, list[HTTPConnection]] = {}
        self._lock = threading.Lock()

    def close(self) -> None:
        """Close the connections that are free."""
        with self._lock:
            for connections in self._free.values():
                for connection in connections:
                    connection.close()
            self._free.clear()

    @contextmanager
    def get(self, url: httpx.URL, headers: dict[str, str]) -> Iterator[RawAnswer]:
        """Open a download; redirects are followed, never from https to http. Raises TransferError when it breaks."""
        try:
            origin, connection, answer = self._following(url, headers)
            try:
                yield RawAnswer(answer)
            finally:
                self._give_back(origin, connection, answer)
        except (HTTPException, OSError, httpx.HTTPError, httpx.InvalidURL) as error:
            raise TransferError(
                f"transfer from {url.host} broke: {error or type(error).__name__}",
                next_step="the next poll goes on where it stopped",
            ) from error

    def _following(self, url: httpx.URL, headers: dict[str, str]) -> tuple[Origin, HTTPConnection, HTTPResponse]:
        for _ in range(REDIRECTS):
            origin = origin_of(url)
            connection, answer = self._signed(origin, httpx.Request("GET", url, headers=headers))
            location = answer.getheader("Location")
            if answer.status not in _REDIRECTS or not location:
                return origin, connection, answer
            connection.close()
            target = url.join(location)
            if target.scheme not in ("http", "https") or (url.scheme, target.scheme) == ("https", "http"):
                raise TransferError(f"{url.host} redirects from {url.scheme} to {target.scheme}")
            url = target
        raise TransferError(f"{url.host} redirects more than {REDIRECTS} times", next_step="ask the station")

    def _signed(self, origin: Origin, request: httpx.Request) -> tuple[HTTPConnection, HTTPResponse]:
        """Send a request with credentials where it may have them; a 401 lets the credentials be renewed once."""
        if self._auth is None or not self._own(request.url):
            return self._sent(origin, request)
        flow = self._auth.sync_auth_flow(request)
        try:
            connection, answer = self._sent(origin, next(flow))
            if answer.status == 401:
                told = httpx.Response(401, headers=answer.getheaders(), request=request)
                try:
                    again = flow.send(told)
                except StopIteration:
                    return connection, answer
                connection.close()
                return self._sent(origin, again)
            return connection, answer
        finally:
            flow.close()

    def _sent(self, origin: Origin, request: httpx.Request) -> tuple[HTTPConnection, HTTPResponse]:
        """Send a request; a free connection that the server has closed meanwhile is replaced."""
        with self._lock:
            free = self._free.get(origin)
            connection = free.pop() if free else None
        if connection is not None:
            try:
                return connection, _ask(connection, request)
            except (HTTPException, OSError):
                connection.close()
        connection = self._open(origin)
        try:
            return connection, _ask(connection, request)
        except (HTTPException, OSError):
            connection.close()
            raise

    def _open(self, origin: Origin) -> HTTPConnection:
        scheme, host, port = origin
        if scheme == "https":
            return HTTPSConnection(host, port, timeout=self._timeout_s, context=self._context)
        return HTTPConnection(host, port, timeout=self._timeout_s)

    def _give_back(self, origin: Origin, connection: HTTPConnection, answer: HTTPResponse) -> None:
        if answer.isclosed() and not answer.will_close:
            with self._lock:
                self._free.setdefault(origin, []).append(connection)
        else:
            connection.close()


def _ask(connection: HTTPConnection, request: httpx.Request) -> HTTPResponse:
    headers = {name: value for name, value in request.headers.items() if name.lower() != "connection"}
    connection.request("GET", request.url.raw_path.decode("ascii"), headers=headers)
    return connection.getresponse()
