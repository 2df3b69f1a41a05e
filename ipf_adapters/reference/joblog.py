"""Log lines of a job: `2026-07-01T10:00:00.000000Z [I] DECOMP: text`, information to stdout, errors to stderr."""

from __future__ import annotations

import sys
from datetime import UTC, datetime

_RANK = {"DEBUG": 0, "INFO": 1, "PROGRESS": 2, "WARNING": 3, "ERROR": 4}


class JobLog:
    """Write the lines of one job; lines below `level` are dropped, errors never."""

    def __init__(self, name: str, level: str = "INFO") -> None:
        self._name = name
        self._rank = _RANK[level]

    def info(self, text: str) -> None:
        """Tell what the job found or decided."""
        self._write("INFO", text)

    def progress(self, done: int, total: int, what: str = "") -> None:
        """Tell how far the job is: `done` of `total` parts."""
        self._write("PROGRESS", f"{done}/{total} {what}".rstrip())

    def warning(self, text: str) -> None:
        """Tell about something the job could bear."""
        self._write("WARNING", text)

    def failure(self, text: str) -> None:
        """Tell why the job stops."""
        self._write("ERROR", text)

    def _write(self, level: str, text: str) -> None:
        if _RANK[level] < self._rank:
            return
        stamp = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        line = " ".join(text.split())
        stream = sys.stderr if level == "ERROR" else sys.stdout
        print(f"{stamp} [{level[0]}] {self._name}: {line}", file=stream, flush=True)
