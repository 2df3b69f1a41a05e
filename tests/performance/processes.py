"""CPU time and memory of process trees, of the pods and of the whole machine, from /proc and the cgroups."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")
PODS = ("/sys/fs/cgroup/cpuacct/s2ps-node1", "/sys/fs/cgroup/cpuacct/s2ps-node2")
"""Cgroups of the nodes of the test cluster; they keep the time of pods that are gone."""


@dataclass(frozen=True, slots=True)
class Sample:
    """CPU seconds used so far."""

    moment: float
    """Seconds of the system clock."""
    machine: float
    """All processes but this one."""
    airflow: float
    pods: float


@dataclass(slots=True)
class Sampler:
    """Notes CPU seconds all the time in a thread."""

    roots: Sequence[int]
    """Process ids of Airflow's components."""
    samples: list[Sample] = field(default_factory=list)
    _over: threading.Event = field(default_factory=threading.Event)

    def start(self) -> None:
        """Begin."""
        threading.Thread(target=self._run, daemon=True).start()

    def stop(self) -> None:
        """End, and drop the thread."""
        self._over.set()

    def between(self, begin: float, end: float) -> Sample:
        """Return what was used between two moments, which becomes the moment of the result: its length."""
        first, last = self._at(begin), self._at(end)
        return Sample(end - begin, *(getattr(last, n) - getattr(first, n) for n in ("machine", "airflow", "pods")))

    def _at(self, moment: float) -> Sample:
        for before, after in zip(self.samples, self.samples[1:], strict=False):
            if moment <= after.moment:
                part = max(0.0, (moment - before.moment) / (after.moment - before.moment))
                values = ((getattr(before, n), getattr(after, n)) for n in ("machine", "airflow", "pods"))
                return Sample(moment, *(first + part * (last - first) for first, last in values))
        return self.samples[-1]

    def _run(self) -> None:
        while not self._over.wait(0.7):
            self.samples.append(Sample(time.time(), busy() - time.process_time(), cpu(self.roots), pods_cpu()))


def busy() -> float:
    """Return the CPU seconds of everything on this machine."""
    fields = [int(word) for word in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]]
    return sum(fields[index] for index in (0, 1, 2, 5, 6)) / TICKS


def pods_cpu() -> float:
    """Return the CPU seconds of all pods there were."""
    files = [Path(folder, "cpuacct.usage") for folder in PODS]
    return sum(int(file.read_text()) for file in files if file.exists()) / 1e9


def below(roots: Sequence[int]) -> set[int]:
    """Return processes with all their descendants."""
    children: dict[int, list[int]] = {}
    for pid, fields in _stats():
        children.setdefault(int(fields[1]), []).append(pid)
    found: set[int] = set()
    todo = list(roots)
    while todo:
        pid = todo.pop()
        found.add(pid)
        todo += children.get(pid, [])
    return found


def cpu(roots: Sequence[int]) -> float:
    """Return the CPU seconds of processes, their descendants, and those of them that have ended."""
    tree = below(roots)
    return sum(sum(map(int, fields[11:15])) for pid, fields in _stats() if pid in tree) / TICKS


def pss_mib(roots: Sequence[int]) -> float:
    """Return the memory of processes and their descendants; what they share is divided between those that share it."""
    return pss_of(below(roots))


def pss_of(pids: Iterable[int]) -> float:
    """Return the memory of processes alone, in MiB."""
    total = 0
    for pid in pids:
        try:
            text = Path(f"/proc/{pid}/smaps_rollup").read_text()
        except OSError:
            continue
        total += next((int(line.split()[1]) for line in text.splitlines() if line.startswith("Pss:")), 0)
    return total / 1024


def command_lines() -> dict[int, str]:
    """Return the command line of every process."""
    found: dict[int, str] = {}
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            found[int(path.parent.name)] = path.read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
    return found


def _stats() -> Iterator[tuple[int, list[str]]]:
    """Yield the fields of /proc/<id>/stat from the state on."""
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            text = (folder / "stat").read_text(errors="replace")
        except OSError:
            continue
        yield int(folder.name), text.rpartition(")")[2].split()
