"""From the inputs a request names to the paths a job order lists."""

from __future__ import annotations

import threading
from pathlib import Path

from ipf_adapters.runner.fusion import Fusion, Producer
from ipf_adapters.runner.outputs import recorded
from ipf_adapters.runner.scratch import Scratch
from ipf_adapters.runner.stores import Stores
from s2ps.execution.request import AuxiliaryRequest, InputRequest, JobRequest
from s2ps.execution.result import JobRecord
from s2ps.formats.job_order import JobOrderInput
from s2ps.model.errors import InputError
from s2ps.staging import layout
from s2ps.staging.store import StagingStore


class InputResolver:
    """Finds inputs in the staging; remembers finished jobs, so a shared producer is read once per cluster."""

    def __init__(self, stores: Stores, scratch: Scratch, datatake: str) -> None:
        self._stores = stores
        self._store = stores.staging
        self._scratch = scratch
        self._datatake = datatake
        self._fusion = Fusion(scratch)
        self._records: dict[tuple[str, str], JobRecord] = {}
        self._lock = threading.Lock()

    def resolve(self, job: JobRequest) -> tuple[JobOrderInput, ...]:
        """Return all inputs and auxiliary files of a job; raise InputError naming what is missing."""
        by_type: dict[str, list[InputRequest]] = {}
        for entry in job.inputs:
            by_type.setdefault(entry.type, []).append(entry)
        resolved = [found for entries in by_type.values() if (found := self._input(job, entries)) is not None]
        return (*resolved, *(self._auxiliary(job, entry) for entry in job.auxiliary))

    def _input(self, job: JobRequest, entries: list[InputRequest]) -> JobOrderInput | None:
        """Join all entries of one type; return None when its producers had nothing to write."""
        kind = entries[0].kind
        written = [producer for entry in entries for producer in self._written(job, entry)]
        given = [self._path(job, entry.type, text) for entry in entries for text in entry.paths]
        if kind == "Physical":
            made = [item.folder / item.output_type / layout.physical_name(item.output_type) for item in written]
        elif len(written) > 1:
            made = [self._fusion.fuse(self._datatake, written)]
        else:
            made = [item.folder / item.output_type for item in written]
        paths = (*made, *given)
        return JobOrderInput(entries[0].type, kind, paths) if paths else None

    def _written(self, job: JobRequest, entry: InputRequest) -> list[Producer]:
        producers = [self._producer(job, entry, name) for name in dict.fromkeys(entry.jobs)]
        return [producer for producer in producers if producer.record.files_of(entry.produced_type)]

    def _producer(self, job: JobRequest, entry: InputRequest, name: str) -> Producer:
        key = layout.job(entry.run or self._datatake, name)
        here = self._scratch.find(key, entry.produced_type)
        if here is not None:
            return Producer(key, *here, output_type=entry.produced_type, store=None)
        store = self._stores.of(entry.store)
        with self._lock:
            known = self._records.get((store.uri, key))
        if known is None:
            known = self._record(job, entry, key, store)
            with self._lock:
                self._records[store.uri, key] = known
        if entry.produced_type not in known.types:
            raise InputError(
                f"input {entry.type} of {job.id}: job {name} does not make {entry.produced_type}",
                expected=f"one of {', '.join(known.types) or 'no output at all'}",
                next_step="plan the cluster again with the present catalogue",
            )
        written = known.files_of(entry.produced_type)
        folder = store.open_local(f"{key}/{entry.produced_type}").parent if written else Path()
        return Producer(key, folder, known, entry.produced_type, store)

    def _record(self, job: JobRequest, entry: InputRequest, key: str, store: StagingStore) -> JobRecord:
        record = recorded(store, key) if store.exists(key) else None
        if record is None:
            raise InputError(
                f"input {entry.type} of {job.id}: {key} is not a finished job",
                expected="a job folder with its job.json in the staging",
                next_step="run the cluster that holds this job first",
            )
        return record

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
