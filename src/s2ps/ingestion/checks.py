"""Checksums of files that arrive in pieces."""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Callable, Iterable
from typing import Protocol

from s2ps.ingestion.pieces import Pieces

READ = 1 << 20
AHEAD = 4
"""Pieces that may be here before the sum has come to them."""
PATIENCE_S = 0.2
"""How soon one that waits sees that the transfer has broken."""
_ALGORITHMS = {
    "MD5": "md5", "SHA1": "sha1", "SHA256": "sha256", "SHA384": "sha384", "SHA512": "sha512",
    "SHA3256": "sha3_256", "SHA3512": "sha3_512",
}  # fmt: skip
_STRONGEST_LAST = tuple(_ALGORITHMS)


class Hash(Protocol):
    """What hashlib makes."""

    def update(self, data: bytes | memoryview, /) -> None:
        """Take more bytes."""

    def hexdigest(self) -> str:
        """Return the sum so far."""


def strongest(published: Iterable[tuple[str, str]]) -> str:
    """Return `algorithm:value` of the best checksum that can be computed here; empty when there is none."""
    known = [(name, value) for text, value in published if (name := _plain(text)) in _ALGORITHMS and value]
    if not known:
        return ""
    name, value = max(known, key=lambda item: _STRONGEST_LAST.index(item[0]))
    return f"{_ALGORITHMS[name]}:{value.strip().lower()}"


def _plain(algorithm: str) -> str:
    return algorithm.upper().replace("-", "").replace("_", "")


class RunningChecksum:
    """Follows the pieces of a file in order while later ones are still on their way."""

    def __init__(self, checksum: str, descriptor: int, pieces: Pieces) -> None:
        algorithm, self._expected = checksum.split(":", 1)
        self._hash: Hash = hashlib.new(algorithm, usedforsecurity=False)
        self._descriptor, self._pieces = descriptor, pieces
        self._next = 0
        self._busy = False
        self._changed = threading.Condition()

    def advance(self, stopped: Callable[[], bool] = lambda: False) -> None:
        """Take the pieces that are here and follow each other: one thread at a time does.

        Others return at once, or wait while there is more to take than AHEAD pieces: a sum that cannot keep up needs
        the time they would use. Nobody waits for a piece that is not here.
        """
        with self._changed:
            while self._busy and self._is_behind() and not stopped():
                self._changed.wait(PATIENCE_S)
            if self._busy:
                return
            self._busy = True
        try:
            while self._next in self._pieces.done and not stopped():
                offset, length = self._pieces.span(self._next)
                _take(self._hash, self._descriptor, offset, length)
                with self._changed:
                    self._next += 1
                    self._changed.notify_all()
        finally:
            with self._changed:
                self._busy = False
                self._changed.notify_all()

    def agrees(self) -> bool:
        """Return True when the whole file has the published checksum."""
        self.advance()
        return self._next == self._pieces.count and self._hash.hexdigest() == self._expected

    def _is_behind(self) -> bool:
        return all(index in self._pieces.done for index in range(self._next, self._next + AHEAD + 1))


def _take(digest: Hash, descriptor: int, offset: int, length: int) -> None:
    buffer = memoryview(bytearray(min(READ, length)))
    end = offset + length
    while offset < end:
        found = os.preadv(descriptor, [buffer[: end - offset]], offset)
        if not found:
            return
        digest.update(buffer[:found])
        offset += found
