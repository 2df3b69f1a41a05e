"""The document a cluster of jobs leaves behind (contracts, section 7)."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Literal, Self

from s2ps.execution.request import Document

JobState = Literal["done", "reused", "failed", "not_run"]
ClusterState = Literal["success", "failed", "interrupted"]
Ending = Literal["exit", "timeout", "interrupted"]
"""How a process ended: by itself (also when others killed it), at its time limit, or stopped by the runner."""


class OutputFile(Document):
    """One file a job has written, relative to its job folder."""

    path: str
    size: int
    sha256: str


class RecordedFile(OutputFile):
    """An output file as it was when its job was committed."""

    mtime_ns: int


class JobRecord(Document):
    """`job.json` in the folder of a finished job: what made it and what it holds."""

    schema_version: Literal[1] = 1
    id: str
    key: str
    task: str
    processor: str
    version: str
    types: tuple[str, ...] = ()
    """Every output type the job was asked for, written or not."""
    warning: bool = False
    outputs: tuple[RecordedFile, ...] = ()

    def files_of(self, output_type: str) -> tuple[RecordedFile, ...]:
        """Return the files of one output type; their paths start with the type."""
        return tuple(entry for entry in self.outputs if entry.path.startswith(f"{output_type}/"))


class JobResult(Document):
    """How one job ended."""

    id: str
    task: str = ""
    data_id: str = ""
    state: JobState
    exit_code: int | None = None
    """128 + n when signal n ended the process; None when it never started or its result was reused."""
    ending: Ending | None = None
    warning: bool = False
    """True when the exit policy takes a non-zero exit code as a warning."""
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    peak_rss_bytes: int = 0
    started: datetime | None = None
    finished: datetime | None = None
    outputs: tuple[OutputFile, ...] = ()
    log: str | None = None
    """Path of the log, relative to the staging."""
    error: str | None = None
    """What went wrong, with the last lines of the log."""

    @property
    def ok(self) -> bool:
        """Return True when the outputs of the job can be used."""
        return self.state in ("done", "reused")


class ClusterResult(Document):
    """How a cluster ended, job by job, in the order of the request."""

    schema_version: Literal[1] = 1
    cluster_id: str
    run_id: str = ""
    plan_hash: str = ""
    attempt: str = ""
    """What the runner was told by S2PS_ATTEMPT, for example the uid of its pod: tells whose result this is."""
    state: ClusterState
    started: datetime | None = None
    finished: datetime | None = None
    jobs: tuple[JobResult, ...] = ()
    error: str | None = None
    """First reason of a failure, one that people can act on."""

    @property
    def failed_jobs(self) -> tuple[JobResult, ...]:
        """Return the jobs that failed themselves (not those that were never started)."""
        return tuple(job for job in self.jobs if job.state == "failed")

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a result from a JSON file; raise pydantic.ValidationError naming the wrong fields."""
        return cls.model_validate_json(path.read_bytes())

    def dump(self) -> str:
        """Return the result as JSON text."""
        return self.model_dump_json(indent=1)
