"""Background processes that outlive the caller, known by their id and start time."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

OWNER_ONLY = 0o077
"""Umask of processes whose files nobody else may read."""
CALLERS = -1
"""Keeps the umask of the caller."""
_ZOMBIE = "Z"
_CHILDREN: dict[int, subprocess.Popen[bytes]] = {}
"""Processes started by this one, which has to collect their exit codes."""


@dataclass(frozen=True, slots=True)
class Process:
    """A started process; `born` tells it from a later one with the same id."""

    name: str
    pid: int
    born: int
    """Clock ticks since boot (field 22 of /proc/<pid>/stat)."""

    @property
    def alive(self) -> bool:
        """Return whether it still runs."""
        return born(self.pid) == self.born


def launch(
    name: str, command: Sequence[str], environment: Mapping[str, str], log: Path, folder: Path, *, private: bool = False
) -> Process:
    """Start a command in a process group of its own, with its output appended to a log file.

    What a `private` one creates is for the owner only; others keep the umask of the caller.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as stream:
        started = subprocess.Popen(
            list(command),
            env=dict(environment),
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            umask=OWNER_ONLY if private else CALLERS,
        )
    _CHILDREN[started.pid] = started
    return Process(name, started.pid, born(started.pid) or 0)


def terminate(processes: Sequence[Process], grace: float = 15.0) -> list[str]:
    """Stop process groups: ask first, force those still alive after `grace` seconds; return the forced ones."""
    running = [process for process in processes if process.alive]
    for process in running:
        _signal(process, signal.SIGTERM)
    deadline = time.monotonic() + grace
    while any(process.alive for process in running) and time.monotonic() < deadline:
        time.sleep(0.1)
    forced = [process.name for process in running if process.alive]
    for process in running:
        _signal(process, signal.SIGKILL)
    return forced


def born(pid: int) -> int | None:
    """Return when the process with an id was started, in clock ticks since boot; None when none runs."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except (FileNotFoundError, ProcessLookupError):
        return None
    state, *fields = text.rpartition(")")[2].split()
    if state == _ZOMBIE:
        _reap(pid)
        return None
    return int(fields[18])


def tail(path: Path, lines: int = 15) -> str:
    """Return the last lines of a log file; an empty text when there is none."""
    if not path.is_file():
        return ""
    with path.open("rb") as stream:
        stream.seek(max(0, path.stat().st_size - 16384))
        return "\n".join(stream.read().decode("utf-8", "replace").splitlines()[-lines:])


def _signal(process: Process, number: signal.Signals) -> None:
    try:
        os.killpg(process.pid, number)
    except (ProcessLookupError, PermissionError):
        return


def _reap(pid: int) -> None:
    child = _CHILDREN.get(pid)
    if child is not None and child.poll() is not None:
        del _CHILDREN[pid]
