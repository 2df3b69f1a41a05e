"""Which pieces of a file are here: kept beside the file, so that a killed download goes on."""

from __future__ import annotations

import json
import os
import threading
from dataclasses import dataclass, field
from pathlib import Path

_BOOT = Path("/proc/sys/kernel/random/boot_id")


def boot_id() -> str:
    """Return what changes with every start of this machine; empty where the kernel does not tell."""
    try:
        return _BOOT.read_text().strip()
    except OSError:
        return ""


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
        """Read the journal; one of another edition, with other pieces, or of before the machine's start is begun anew.

        Pieces are not brought to the disk one by one, so a machine that went down may have lost some of them.
        """
        head = json.dumps({"edition": edition, "size": size, "length": length, "boot": boot_id()})
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
