"""Outputs that never leave this machine: only jobs of the same cluster read them."""

from __future__ import annotations

import shutil
import tempfile
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ipf_adapters.runner.scheduler import edges_of
from s2ps.execution.request import ClusterRequest, JobRequest
from s2ps.execution.result import JobRecord


@dataclass(frozen=True, slots=True)
class Selection:
    """Which jobs of a cluster need a second thought because some of their outputs are only here."""

    spared: frozenset[str] = frozenset()
    """Nothing of them leaves the cluster, and nobody who must run reads them."""
    again: frozenset[str] = frozenset()
    """Finished, but somebody who must run reads what they have not left in the staging."""


def select(request: ClusterRequest, finished: Callable[[JobRequest], bool]) -> Selection:
    """Say which jobs to spare and which to run again; `finished` tells whether what leaves the cluster is there.

    A cluster without such outputs is not looked at: all its jobs are judged one by one.
    """
    scratch = {job.id: scratch_types(job) for job in request.jobs}
    if not any(scratch.values()):
        return Selection()
    jobs = {job.id: job for job in request.jobs}
    exporting = {name for name, job in jobs.items() if len(scratch[name]) < len({o.type for o in job.outputs})}
    exporting |= {name for name, job in jobs.items() if not job.outputs}
    done = {name for name in exporting if finished(jobs[name])}
    edges = edges_of(request)
    needed = exporting - done
    pending = list(needed)
    while pending:
        consumer = jobs[pending.pop()]
        for entry in consumer.inputs:
            for producer in set(entry.jobs) & edges[consumer.id]:
                if entry.produced_type in scratch[producer] and producer not in needed:
                    needed.add(producer)
                    pending.append(producer)
    return Selection(frozenset(jobs) - exporting - needed, frozenset(needed & done))


def scratch_types(job: JobRequest) -> frozenset[str]:
    """Return the output types of a job that stay on this machine."""
    return frozenset(output.type for output in job.outputs if output.scratch)


class Scratch:
    """A folder for temporary files with the outputs of jobs, by the key their folder would have in the staging."""

    def __init__(self) -> None:
        self._root: Path | None = None
        self._kept: dict[str, tuple[Path, JobRecord]] = {}
        self._lock = threading.Lock()

    @property
    def root(self) -> Path:
        """Return the folder, made when it is asked for first. Raises OSError."""
        with self._lock:
            if self._root is None:
                self._root = Path(tempfile.mkdtemp(prefix="s2ps-scratch-")).resolve()
            return self._root

    def begin(self, job: JobRequest, folder: Path) -> None:
        """Put links into a new work folder, so that what stays here is written here."""
        types = scratch_types(job)
        if types:
            place = Path(tempfile.mkdtemp(prefix="job-", dir=self.root))
            for name in types:
                (place / name).mkdir()
                (folder / name).symlink_to(place / name)

    def keep(self, key: str, folder: Path, record: JobRecord) -> None:
        """Remember what a job has left here, and take the links out of its work folder."""
        places = [(folder / name).resolve() for name in record.types]
        for name in record.types:
            (folder / name).unlink()
        with self._lock:
            self._kept[key] = (places[0].parent, record)

    def find(self, key: str, output_type: str) -> tuple[Path, JobRecord] | None:
        """Return folder and record of a job that has left an output type here."""
        kept = self._kept.get(key)
        return kept if kept is not None and output_type in kept[1].types else None

    def release(self, key: str) -> None:
        """Remove what a job has left here."""
        with self._lock:
            kept = self._kept.pop(key, None)
        if kept is not None:
            shutil.rmtree(kept[0], ignore_errors=True)

    def hand_over(self, folder: Path) -> None:
        """Replace the links in a work folder by what they lead to, for people who look for the reason of a failure."""
        for link in [path for path in folder.iterdir() if path.is_symlink() and path.is_dir()]:
            target = link.resolve()
            link.unlink()
            shutil.move(target, link)

    def close(self) -> None:
        """Remove everything."""
        if self._root is not None:
            shutil.rmtree(self._root, ignore_errors=True)
