"""XBIP: the X-band pick-up point, WebDAV with an area of nominal files and one of retransfers."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path
from typing import Any

from cheroot.ssl.builtin import BuiltinSSLAdapter
from cheroot.wsgi import Server
from wsgidav.error_printer import ErrorPrinter
from wsgidav.http_authenticator import HTTPAuthenticator
from wsgidav.request_resolver import RequestResolver
from wsgidav.wsgidav_app import WsgiDAVApp

from s2ps.stations.dav_tree import PickupProvider
from s2ps.stations.misbehaviour import PIECE, Faults
from s2ps.stations.settings import StationSettings
from s2ps.stations.station import Station, certified, session_station

logging.getLogger("wsgidav").setLevel(logging.CRITICAL)
_FINITE = b'<?xml version="1.0" encoding="utf-8"?>\n<D:error xmlns:D="DAV:"><D:propfind-finite-depth/></D:error>\n'
_Start = Callable[..., Any]


@contextmanager
def serve(content: Path | None, settings: StationSettings | None = None) -> Iterator[Station]:
    """Serve the sessions of a folder (and the virtual ones of the timeline) until the context ends.

    Source: EDRS/X-band pick-up point, WebDAV class 1 (RFC 4918), PROPFIND Depth 0, 1 and infinity, GET with ranges.
    """
    settings = settings or StationSettings()
    pickup, faults = session_station(content, settings)
    with certified(settings) as certificate:
        app = Misbehaving(_dav(PickupProvider(pickup, faults, settings.folders), settings), faults)
        server = _Server((settings.host, settings.port), app, numthreads=24, timeout=30, shutdown_timeout=1)
        if certificate is not None:
            server.ssl_adapter = BuiltinSSLAdapter(str(certificate.certificate), str(certificate.key))
        server.prepare()
        thread = threading.Thread(target=server.serve, name="xbip", daemon=True)
        thread.start()
        try:
            scheme, port = ("https" if certificate else "http"), server.bind_addr[1]
            trusted = certificate.certificate if certificate else None
            yield Station(f"{scheme}://{settings.host}:{port}", pickup, faults, trusted)
        finally:
            server.stop()
            thread.join()


class _Server(Server):
    """Says nothing about connections that end early; that is what a station is asked to do."""

    def error_log(self, msg: str = "", level: int = 20, traceback: bool = False) -> None:
        """Drop a message."""


def _dav(provider: PickupProvider, settings: StationSettings) -> Any:
    login = {settings.user: {"password": settings.password.get_secret_value()}} if settings.user else True
    return WsgiDAVApp(
        {
            "provider_mapping": {"/": provider},
            "middleware_stack": [ErrorPrinter, HTTPAuthenticator, RequestResolver],
            "simple_dc": {"user_mapping": {"*": login}},
            "http_authenticator": {"accept_basic": True, "accept_digest": False, "default_to_digest": False},
            "property_manager": False,
            "lock_storage": False,
            "block_size": PIECE,
            "verbose": 0,
            "logging": {"enable": False},
            "suppress_version_info": True,
        }
    )


class Misbehaving:
    """WSGI middleware: notes requests, and refuses or delays them when it shall."""

    def __init__(self, app: Any, faults: Faults) -> None:
        self.app, self.faults = app, faults

    def __call__(self, environ: dict[str, Any], start_response: _Start) -> Iterable[bytes]:
        """Answer one request."""
        method, behaviour = environ["REQUEST_METHOD"], self.faults.behaviour
        self.faults.note(method, environ.get("PATH_INFO", ""))
        if behaviour.delay:
            time.sleep(behaviour.delay)
        status = self.faults.refusal("listing" if method == "PROPFIND" else "download")
        if status is not None:
            wait = [("Retry-After", str(behaviour.retry_after))] if behaviour.retry_after is not None else []
            return _answer(start_response, status, wait)
        depth = environ.get("HTTP_DEPTH", "infinity").lower()
        if method == "PROPFIND" and behaviour.refuse_infinity and depth == "infinity":
            return _answer(start_response, HTTPStatus.FORBIDDEN, [("Content-Type", "application/xml")], _FINITE)
        if behaviour.no_ranges:
            environ.pop("HTTP_RANGE", None)
        answer: Iterable[bytes] = self.app(environ, start_response)
        return answer


def _answer(start_response: _Start, status: int, headers: list[tuple[str, str]], body: bytes = b"") -> list[bytes]:
    found = HTTPStatus(status)
    start_response(f"{found.value} {found.phrase}", [*headers, ("Content-Length", str(len(body)))])
    return [body]
