"""Measure a command with everything it starts; the order of measurements, and files brought to the disk between."""

from __future__ import annotations

import os
import random
import subprocess
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds of wall clock and of CPU (the command and all its descendants), largest process in MB."""

    wall_s: float
    cpu_s: float
    peak_mb: float


def measured(arguments: Sequence[str], log: Path, environment: Mapping[str, str] | None = None) -> Cost:
    """Run a command to its end; raises RuntimeError with the end of its log when it fails."""
    begun = time.monotonic()
    with log.open("wb") as output:
        process = subprocess.Popen(
            arguments, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, env=environment
        )
        _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        tail = "\n".join(log.read_text(errors="replace").splitlines()[-10:])
        raise RuntimeError(f"{' '.join(arguments)} ended with exit code {process.returncode}:\n{tail}")
    return Cost(time.monotonic() - begun, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1000)


def in_turns(names: Iterable[str], rounds: int) -> Iterator[str]:
    """Yield all names once per round, each round in another order: what follows what matters (measured)."""
    order = list(names)
    for number in range(rounds):
        random.Random(number).shuffle(order)
        yield from order


def settle(path: Path) -> None:
    """Wait until a file or folder is on the disk; with a folder, also that what was removed there is gone."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
