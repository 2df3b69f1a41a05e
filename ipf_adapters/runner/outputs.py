"""Outputs of a job: are they all there, what are they, are they still the same."""

from __future__ import annotations

import os
from collections.abc import Set
from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from s2ps.execution.request import JobRequest, OutputRequest
from s2ps.execution.result import JobRecord, RecordedFile
from s2ps.model.errors import ProcessorFailure
from s2ps.staging.checksum import sha256_of
from s2ps.staging.layout import JOB_DOCUMENT, physical_name
from s2ps.staging.store import StagingStore

VerifyMode = Literal["quick", "full"]
QUICK_BYTES = 64 * 1024 * 1024
"""Quick verification trusts the size and time of files above this; smaller ones are always hashed."""


def output_path(folder: Path, output: OutputRequest) -> Path:
    """Return where a processor has to write an output: a folder, or the one file in it when Physical."""
    place = folder / output.type
    return place / physical_name(output.type) if output.kind == "Physical" else place


def prepare(folder: Path, job: JobRequest) -> None:
    """Make the empty folders of all output types."""
    for output in job.outputs:
        (folder / output.type).mkdir(exist_ok=True)


def collect(folder: Path, job: JobRequest) -> tuple[RecordedFile, ...]:
    """Return every output file with size and checksum; raise ProcessorFailure naming missing or empty outputs."""
    found: list[RecordedFile] = []
    wrong: list[str] = []
    for output_type in dict.fromkeys(output.type for output in job.outputs):
        found += [_recorded(folder, path) for path in _files(folder / output_type)]
    sizes: dict[str, int] = {}
    for entry in found:
        kind = entry.path.split("/", 1)[0]
        sizes[kind] = sizes.get(kind, 0) + entry.size
    for output in job.outputs:
        if output.mandatory and not output_path(folder, output).exists():
            wrong.append(f"{output.type} is missing")
        elif output.mandatory and not sizes.get(output.type):
            wrong.append(f"{output.type} is empty")
    if wrong:
        raise ProcessorFailure(
            f"{job.processor} {job.data_id} has not written all outputs: {', '.join(wrong)}",
            expected=f"mandatory outputs {', '.join(output.type for output in job.outputs if output.mandatory)}",
            next_step="read the log of the job",
        )
    return tuple(found)


def record_of(job: JobRequest, outputs: tuple[RecordedFile, ...], *, warning: bool) -> JobRecord:
    """Return the record of a job that has written these outputs."""
    return JobRecord(
        id=job.id,
        key=job.key,
        task=job.task,
        processor=job.processor,
        version=job.version,
        types=tuple(dict.fromkeys(output.type for output in job.outputs)),
        warning=warning,
        outputs=outputs,
    )


def part_of(record: JobRecord, types: Set[str]) -> JobRecord:
    """Return the record of some output types only."""
    kept = tuple(name for name in record.types if name in types)
    files = tuple(entry for name in kept for entry in record.files_of(name))
    return record.model_copy(update={"types": kept, "outputs": files})


def write_record(folder: Path, record: JobRecord) -> None:
    """Write job.json into a job folder and sync it to the disk."""
    with (folder / JOB_DOCUMENT).open("w", encoding="utf-8") as stream:
        stream.write(record.model_dump_json(indent=1))
        stream.flush()
        os.fsync(stream.fileno())


def read_record(folder: Path) -> JobRecord | None:
    """Return the record of a finished job, or None when there is none that can be read."""
    try:
        return JobRecord.model_validate_json((folder / JOB_DOCUMENT).read_bytes())
    except (FileNotFoundError, NotADirectoryError, ValidationError):
        return None


def recorded(store: StagingStore, key: str) -> JobRecord | None:
    """Return the record of a job in the staging, without its outputs; None when there is none that can be read."""
    name = f"{key}/{JOB_DOCUMENT}"
    return read_record(store.open_local(name).parent) if store.exists(name) else None


def lost(store: StagingStore, key: str, record: JobRecord, mode: VerifyMode) -> str | None:
    """Return what is wrong with a finished job in the staging, or None.

    A store that fetches verifies what it brings: a quick look leaves the outputs where they are.
    """
    if store.fetches and mode == "quick":
        return store.damage(key)
    return damage(store.open_local(key), record, mode)


def damage(folder: Path, record: JobRecord, mode: VerifyMode) -> str | None:
    """Return what is wrong with the outputs of a finished job, or None when they are as recorded."""
    for entry in record.outputs:
        path = folder / entry.path
        try:
            status = path.stat()
        except OSError as error:
            return f"{entry.path}: {error.strerror}"
        if status.st_size != entry.size:
            return f"{entry.path}: {status.st_size} bytes where {entry.size} were written"
        untouched = status.st_mtime_ns == entry.mtime_ns and entry.size > QUICK_BYTES
        if not (mode == "quick" and untouched) and sha256_of(path) != entry.sha256:
            return f"{entry.path}: its checksum is not the one recorded"
    return None


def _files(folder: Path) -> list[Path]:
    found = [Path(base, name) for base, _, names in os.walk(folder) for name in names]
    return sorted(found)


def _recorded(folder: Path, path: Path) -> RecordedFile:
    name = path.relative_to(folder).as_posix()
    try:
        status = path.stat()
        return RecordedFile(path=name, size=status.st_size, sha256=sha256_of(path), mtime_ns=status.st_mtime_ns)
    except FileNotFoundError as error:
        raise ProcessorFailure(
            f"output {name} is a link that leads nowhere", next_step="have the processor write files"
        ) from error
