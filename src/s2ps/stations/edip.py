"""EDIP: the pick-up point with FTPS, explicit TLS on both channels, the same folders as XBIP."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pyftpdlib.authorizers import DummyAuthorizer
from pyftpdlib.handlers import ThrottledDTPHandler, TLS_DTPHandler, TLS_FTPHandler
from pyftpdlib.ioloop import IOLoop
from pyftpdlib.servers import FTPServer

from s2ps.stations.ftp_tree import PickupFiles
from s2ps.stations.misbehaviour import Faults, Kind
from s2ps.stations.pickup import PickupPoint
from s2ps.stations.settings import StationSettings
from s2ps.stations.station import Station, certified, session_station

logging.getLogger("pyftpdlib").setLevel(logging.CRITICAL)
_READ_ONLY = "elr"


@contextmanager
def serve(content: Path | None, settings: StationSettings | None = None) -> Iterator[Station]:
    """Serve the sessions of a folder (and the virtual ones of the timeline) until the context ends.

    Source: FTPS with explicit TLS (RFC 4217), passive transfers, MLSD and LIST, REST; TLS 1.2 or newer.
    """
    settings = settings or StationSettings()
    pickup, faults = session_station(content, settings)
    with certified(settings, always=True) as certificate:
        handler = _handler(pickup, faults, settings, str(certificate.both) if certificate else "")
        server = FTPServer((settings.host, settings.port), handler, ioloop=IOLoop())
        ended = threading.Event()
        thread = threading.Thread(target=_loop, args=(server, ended), name="edip", daemon=True)
        thread.start()
        try:
            trusted = certificate.certificate if certificate else None
            yield Station(f"ftp://{settings.host}:{server.address[1]}", pickup, faults, trusted)
        finally:
            ended.set()
            thread.join()


def _loop(server: FTPServer, ended: threading.Event) -> None:
    while not ended.is_set():
        server.serve_forever(timeout=0.05, blocking=False)
    server.close_all()


def _handler(pickup: PickupPoint, faults: Faults, settings: StationSettings, certfile: str) -> type[TLS_FTPHandler]:
    authorizer = DummyAuthorizer()
    if settings.user is None:
        authorizer.add_anonymous("/", perm=_READ_ONLY)
    else:
        authorizer.add_user(settings.user, settings.password.get_secret_value(), "/", perm=_READ_ONLY)
    files = type("Files", (PickupFiles,), {"pickup": pickup, "faults": faults, "folders": settings.folders})
    data = type("Data", (_Data,), {"faults": faults})
    return type(
        "Handler",
        (_Handler,),
        {
            "authorizer": authorizer,
            "certfile": certfile,
            "tls_control_required": True,
            "tls_data_required": True,
            "abstracted_fs": files,
            "dtp_handler": data,
            "faults": faults,
            "auth_failed_timeout": 0,
            "banner": "S2PS simulated station",
        },
    )


class _Data(ThrottledDTPHandler, TLS_DTPHandler):  # type: ignore[misc]
    """A transfer that keeps to the rate."""

    faults: Faults

    @property
    def write_limit(self) -> int:
        """Return the bytes per second, 0 without limit."""
        return self.faults.behaviour.rate


class _Handler(TLS_FTPHandler):  # type: ignore[misc]
    """A control channel that notes commands, and refuses or delays them when it shall."""

    faults: Faults

    def pre_process_command(self, line: str, cmd: str, arg: str) -> Any:
        """Note a command and process it."""
        self.faults.note(cmd, arg)
        return super().pre_process_command(line, cmd, arg)

    def _refused(self, kind: Kind) -> bool:
        if self.faults.behaviour.delay:
            time.sleep(self.faults.behaviour.delay)
        status = self.faults.refusal(kind)
        if status is not None:
            self.respond(f"{451 if status >= 500 else 550} refused ({status})")
        return status is not None

    def ftp_RETR(self, file: str) -> Any:  # noqa: N802
        """Send a file."""
        return None if self._refused("download") else super().ftp_RETR(file)

    def ftp_LIST(self, path: str) -> Any:  # noqa: N802
        """List a folder as `ls -l` does."""
        return None if self._refused("listing") else super().ftp_LIST(path)

    def ftp_MLSD(self, path: str) -> Any:  # noqa: N802
        """List a folder for machines."""
        if self.faults.behaviour.no_mlsd:
            self.respond('500 Command "MLSD" not understood.')
            return None
        return None if self._refused("listing") else super().ftp_MLSD(path)

    def ftp_MDTM(self, path: str) -> Any:  # noqa: N802
        """Tell when a file was published."""
        if self.faults.behaviour.no_mdtm:
            self.respond('500 Command "MDTM" not understood.')
            return None
        return super().ftp_MDTM(path)

    def ftp_NLST(self, path: str) -> Any:  # noqa: N802
        """List the names of a folder."""
        return None if self._refused("listing") else super().ftp_NLST(path)

    def ftp_REST(self, line: str) -> Any:  # noqa: N802
        """Let the next transfer begin later."""
        if self.faults.behaviour.no_ranges:
            self.respond("502 REST is not supported.")
            return None
        return super().ftp_REST(line)
