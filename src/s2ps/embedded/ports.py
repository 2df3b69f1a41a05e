"""A TCP port for the pages, which two installations that start at the same time do not both take."""

from __future__ import annotations

import fcntl
import os
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from s2ps.model.errors import ConfigurationError

DEFAULT_PORT = 8080
TRIES = 20


@contextmanager
def reserved_port(wanted: int | None = None) -> Iterator[int]:
    """Yield the wanted port (default 8080) if it is free, else another free one; no other start takes it meanwhile.

    A port is free until its server listens, which takes seconds: until then a locked file keeps it.
    Raises ConfigurationError when no port can be had.
    """
    for candidate in (wanted or DEFAULT_PORT, *(0 for _ in range(TRIES))):
        port = _free(candidate)
        if port is None:
            continue
        with _lock_file(port).open("ab") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            yield port
            return
    raise ConfigurationError("no free TCP port on 127.0.0.1", next_step="end what listens there, or name another port")


def _free(candidate: int) -> int | None:
    """Return the port, or one the system chooses for 0; None when something listens there."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", candidate))
        except OSError:
            return None
        return int(probe.getsockname()[1])


def _lock_file(port: int) -> Path:
    return Path(tempfile.gettempdir(), f"s2ps-{os.getuid()}-port-{port}.lock")
