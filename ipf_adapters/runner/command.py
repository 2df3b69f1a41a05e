"""One processor as a process group: start, wait, measure, kill."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from ipf_adapters.runner.stop import Stop
from s2ps.execution.result import Ending

GRACE_S = 5.0
"""Time a process group gets between SIGTERM and SIGKILL."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a process ended and what it took; `exit_code` is 128 + n after signal n.

    CPU time and peak memory cover the process and every descendant that was waited for; the peak is that of the
    largest single process, and never below that of the runner it was forked from (about 50 MB).
    """

    ending: Ending
    exit_code: int
    signal: str | None
    """Name of the signal that ended the process itself, for example "SIGSEGV"."""
    seconds: float
    cpu_seconds: float
    peak_rss_bytes: int


def run_command(
    arguments: Sequence[str], *, cwd: Path, environment: Mapping[str, str], log: IO[bytes], timeout_s: float, stop: Stop
) -> Outcome:
    """Run a command in its own session until it ends, is out of time or is stopped; nothing of its group survives.

    Raises OSError when the command cannot be started.
    """
    begun = time.monotonic()
    process = subprocess.Popen(
        list(arguments),
        cwd=cwd,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    descriptor = os.pidfd_open(process.pid)
    try:
        ending = _wait(descriptor, stop, timeout_s)
        if ending != "exit":
            _signal_group(process.pid, signal.SIGTERM)
            _readable(GRACE_S, descriptor)
        # The leader is still there, at least as a zombie, so its group id cannot belong to anybody else.
        _signal_group(process.pid, signal.SIGKILL)
        _, status, usage = os.wait4(process.pid, 0)
    finally:
        os.close(descriptor)
    code = os.waitstatus_to_exitcode(status)
    process.returncode = code
    return Outcome(
        ending=ending,
        exit_code=128 - code if code < 0 else code,
        signal=_signal_name(-code) if code < 0 else None,
        seconds=time.monotonic() - begun,
        cpu_seconds=usage.ru_utime + usage.ru_stime,
        peak_rss_bytes=usage.ru_maxrss * 1024,
    )


def _wait(descriptor: int, stop: Stop, timeout_s: float) -> Ending:
    ready = _readable(timeout_s, descriptor, stop.fileno())
    if descriptor in ready:
        return "exit"
    return "interrupted" if ready else "timeout"


def _readable(timeout_s: float, *descriptors: int) -> set[int]:
    poll = select.poll()
    for descriptor in descriptors:
        poll.register(descriptor, select.POLLIN)
    milliseconds = min(timeout_s * 1000, 2**31 - 1)
    return {descriptor for descriptor, _ in poll.poll(milliseconds)}


def _signal_name(number: int) -> str:
    return next((known.name for known in signal.Signals if known == number), f"signal {number}")


def _signal_group(group: int, number: signal.Signals) -> None:
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):
        return
