"""Which pieces of a file are here: kept beside the file, so that a killed download goes on."""

from __future__ import annotations

import json
import os
import threading
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(slots=True)
class Pieces:
    """The pieces of one edition of a file, and the journal of those that are written."""

    journal: Path
    edition: str
    size: int
    """Bytes of the file."""
    length: int
    """Bytes of a piece; the last may be shorter."""
    done: set[int] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @classmethod
    def open(cls, journal: Path, edition: str, size: int, length: int) -> Pieces:
        """Read the journal; one of another edition or with other pieces is begun anew."""
        head = json.dumps({"edition": edition, "size": size, "length": length})
        pieces = cls(journal, edition, size, length)
        try:
            lines = journal.read_text().splitlines()
        except (FileNotFoundError, UnicodeDecodeError):
            lines = []
        if lines and lines[0] == head:
            pieces.done = {int(line) for line in lines[1:] if line.isdecimal() and int(line) < pieces.count}
            with journal.open("a") as end:
                end.write("\n")
        else:
            journal.write_text(head + "\n")
        return pieces

    @property
    def count(self) -> int:
        """Return the number of pieces."""
        return -(-self.size // self.length)

    def span(self, index: int) -> tuple[int, int]:
        """Return offset and length of a piece."""
        offset = index * self.length
        return offset, min(self.length, self.size - offset)

    def waiting(self) -> list[int]:
        """Return the pieces that are not here, in order."""
        return [index for index in range(self.count) if index not in self.done]

    def keep(self, index: int) -> None:
        """Note that a piece is written. A line that a crash cut short is not read as another number."""
        with self._lock:
            self.done.add(index)
            descriptor = os.open(self.journal, os.O_WRONLY | os.O_APPEND)
            try:
                os.write(descriptor, f"{index}\n".encode())
            finally:
                os.close(descriptor)

    def forget(self) -> None:
        """Begin anew, with nothing."""
        self.journal.unlink(missing_ok=True)
