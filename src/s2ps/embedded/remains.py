"""What a component that was killed leaves behind: processes it started, which nobody else would end.

Airflow's scheduler forks its workers before there is work for them. One that is killed leaves them waiting for ever for
tasks that cannot come, and they do not listen to SIGTERM.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from s2ps.embedded.processes import Process, born

_ZOMBIE = "Z"
_PAUSE_S = 0.05
_FORCED_S = 5.0
"""How long a process may take to vanish after SIGKILL."""


@dataclass(frozen=True, slots=True)
class _Entry:
    """A line of the process table."""

    process: Process
    parent: int
    session: int


def left_by(leader: Process, folder: Path) -> list[Process]:
    """Return the processes a component has started, in groups of their own or not, that still run.

    Every component leads a session of its own, whose number nobody else gets while anybody is in it. That it is not a
    later session of the same number shows a process in it that works in the folder of the component.
    """
    return [entry.process for entry in _entries_of(leader, folder)]


def end_idle(leaders: Iterable[Process], folder: Path) -> list[Process]:
    """End what waits for nothing behind dead components; return the components of which something is at work still.

    At work is a worker with the task it runs: a task that a killed scheduler has begun may finish.
    """
    found = tuple(leaders)
    _until_gone(lambda: [idle for leader in found for idle in _idle(leader, folder)], signal.SIGKILL, _FORCED_S)
    return [leader for leader in found if left_by(leader, folder)]


def end_all(leaders: Iterable[Process], folder: Path, grace: float = 10.0) -> None:
    """End all that dead components have left; tasks at work are asked first and have `grace` seconds."""
    working = end_idle(leaders, folder)
    _until_gone(lambda: [each for leader in working for each in left_by(leader, folder)], signal.SIGTERM, grace)
    _until_gone(lambda: [each for leader in working for each in left_by(leader, folder)], signal.SIGKILL, _FORCED_S)


def _idle(leader: Process, folder: Path) -> Iterator[Process]:
    """Yield the processes without a parent and without children among those of a component."""
    entries = _entries_of(leader, folder)
    parents, ours = {entry.parent for entry in entries}, {entry.process.pid for entry in entries}
    for entry in entries:
        if entry.parent not in ours and entry.process.pid not in parents:
            yield entry.process


def _until_gone(find: Callable[[], list[Process]], number: signal.Signals, patience: float) -> None:
    """Send a signal to all that are found, until none is found or the patience ends."""
    deadline = time.monotonic() + patience
    told: set[Process] = set()
    while (found := find()) and time.monotonic() < deadline:
        for process in found:
            if process not in told:
                _signal(process, number)
        told |= set(found)
        time.sleep(_PAUSE_S)


def _signal(process: Process, number: signal.Signals) -> None:
    """Send a signal to a process, never to a later one of the same id."""
    with suppress(ProcessLookupError, PermissionError):
        descriptor = os.pidfd_open(process.pid)
        try:
            if process.alive:
                signal.pidfd_send_signal(descriptor, number)
        finally:
            os.close(descriptor)


def _entries_of(leader: Process, folder: Path) -> list[_Entry]:
    if born(leader.pid) not in (None, leader.born):
        return []
    entries = [
        entry
        for entry in _table()
        if entry.session == leader.pid and entry.process.pid != leader.pid and entry.process.born >= leader.born
    ]
    return entries if any(_works_in(entry.process.pid, folder) for entry in entries) else []


def _table() -> Iterator[_Entry]:
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            text = path.read_text(encoding="utf-8", errors="replace")
        except (FileNotFoundError, ProcessLookupError):
            continue
        head, _, tail = text.rpartition(")")
        pid, _, name = head.partition(" (")
        state, parent, _group, session, *fields = tail.split()
        if state != _ZOMBIE:
            yield _Entry(Process(name, int(pid), int(fields[15])), int(parent), int(session))


def _works_in(pid: int, folder: Path) -> bool:
    with suppress(OSError):
        return Path(f"/proc/{pid}/cwd").readlink() == folder.resolve()
    return False
