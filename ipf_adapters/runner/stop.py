"""One signal to every running process of a cluster: stop now, and why."""

from __future__ import annotations

import os

INTERRUPTED = "interrupted"


class Stop:
    """A flag that threads can wait for together with a process, through a file descriptor.

    `request` only writes one byte, so a signal handler may call it.
    """

    def __init__(self) -> None:
        self._reader, self._writer = os.pipe()
        self._reason: str | None = None
        self.temporary = False
        """True when the reason is a staging or disk that cannot be used for now."""

    @property
    def reason(self) -> str | None:
        """Return why everything has to stop, or None."""
        return self._reason

    def request(self, reason: str) -> None:
        """Ask everybody to stop; the first reason counts."""
        if self._reason is None:
            self._reason = reason
            os.write(self._writer, b"x")

    def give_up(self, error: Exception) -> None:
        """Ask everybody to stop because of an error that will pass; another place, or a later time, may go on."""
        self.temporary = self.temporary or self._reason is None
        self.request(f"{INTERRUPTED}: {error}")

    def fileno(self) -> int:
        """Return the descriptor that becomes readable, for good, when a stop is requested."""
        return self._reader
