"""From the inputs a request names to the paths a job order lists."""

from __future__ import annotations

import threading
from pathlib import Path

from ipf_adapters.runner.fusion import Fusion, Producer
from ipf_adapters.runner.outputs import read_record
from s2ps.execution.request import AuxiliaryRequest, InputRequest, JobRequest
from s2ps.formats.job_order import JobOrderInput
from s2ps.model.errors import InputError
from s2ps.staging import layout
from s2ps.staging.store import StagingStore


class InputResolver:
    """Finds inputs in the staging; remembers finished jobs, so a shared producer is read once per cluster."""

    def __init__(self, store: StagingStore, datatake: str) -> None:
        self._store = store
        self._datatake = datatake
        self._fusion = Fusion(store)
        self._producers: dict[str, Producer] = {}
        self._lock = threading.Lock()

    def resolve(self, job: JobRequest) -> tuple[JobOrderInput, ...]:
        """Return all inputs and auxiliary files of a job; raise InputError naming what is missing."""
        resolved = [found for entry in job.inputs if (found := self._input(job, entry)) is not None]
        return (*resolved, *(self._auxiliary(job, entry) for entry in job.auxiliary))

    def _input(self, job: JobRequest, entry: InputRequest) -> JobOrderInput | None:
        if entry.paths:
            return JobOrderInput(
                entry.type, entry.kind, tuple(self._path(job, entry.type, text) for text in entry.paths)
            )
        datatake = entry.run or self._datatake
        wanted = entry.produced_type
        producers = [self._producer(job, entry, datatake, name) for name in dict.fromkeys(entry.jobs)]
        written = [producer for producer in producers if producer.record.files_of(wanted)]
        if not written:
            return None
        if entry.kind == "Physical":
            name = layout.physical_name(wanted)
            return JobOrderInput(entry.type, "Physical", tuple(item.folder / wanted / name for item in written))
        if len(written) == 1:
            return JobOrderInput(entry.type, "Directory", (written[0].folder / wanted,))
        return JobOrderInput(entry.type, "Directory", (self._fusion.fuse(datatake, written, wanted),))

    def _producer(self, job: JobRequest, entry: InputRequest, datatake: str, name: str) -> Producer:
        key = layout.job(datatake, name)
        with self._lock:
            known = self._producers.get(key)
        if known is None:
            known = self._read_producer(job, entry, key)
            with self._lock:
                self._producers[key] = known
        if entry.produced_type not in known.record.types:
            raise InputError(
                f"input {entry.type} of {job.id}: job {name} does not make {entry.produced_type}",
                expected=f"one of {', '.join(known.record.types) or 'no output at all'}",
                next_step="plan the cluster again with the present catalogue",
            )
        return known

    def _read_producer(self, job: JobRequest, entry: InputRequest, key: str) -> Producer:
        record = read_record(self._store.open_local(key)) if self._store.exists(key) else None
        if record is None:
            raise InputError(
                f"input {entry.type} of {job.id}: {key} is not a finished job",
                expected="a job folder with its job.json in the staging",
                next_step="run the cluster that holds this job first",
            )
        return Producer(self._store.open_local(key), record)

    def _auxiliary(self, job: JobRequest, entry: AuxiliaryRequest) -> JobOrderInput:
        paths = tuple(self._path(job, entry.type, text) for text in entry.paths)
        kind = entry.kind or ("Directory" if all(path.is_dir() for path in paths) else "Physical")
        return JobOrderInput(entry.type, kind, paths)

    def _path(self, job: JobRequest, input_type: str, text: str) -> Path:
        path = Path(text) if text.startswith("/") else self._local(text)
        if path is None or not path.exists():
            raise InputError(
                f"input {input_type} of {job.id}: {text} is missing",
                expected="an existing absolute path, or a key of the staging",
                next_step="check that the folder is mounted here and that the input was not evicted",
            )
        return path

    def _local(self, key: str) -> Path | None:
        return self._store.open_local(key) if self._store.exists(key) else None
