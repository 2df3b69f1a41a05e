"""The document that tells a cluster of jobs what to do (contracts, section 7)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path, PurePath
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

Kind = Literal["Directory", "Physical"]
ExitPolicy = Literal["idp_sc", "strict"]

SCHEMA_VERSION = 1
NAME_PATTERN = r"^[A-Za-z0-9_]+$"
"""A data type is a folder name too."""
JOB_ID_PATTERN = r"^[A-Za-z0-9_][A-Za-z0-9_.;=@+,-]*$"
"""A job id is a folder name too: one path segment, not hidden."""


class Document(BaseModel):
    """A frozen JSON document that refuses unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class InputRequest(Document):
    """One input of a job: the outputs of other jobs, paths, or an empty folder to work in."""

    type: str = Field(pattern=NAME_PATTERN)
    kind: Kind = "Directory"
    jobs: tuple[str, ...] = ()
    """Producers; several of them are given to the processor as one fused directory."""
    run: str | None = None
    """Key of the datatake or session whose job folders hold `jobs`; None: the request's own `datatake`."""
    source_type: str | None = Field(default=None, pattern=NAME_PATTERN)
    """Output type of the producers, where it differs from `type`."""
    paths: tuple[str, ...] = ()
    """Absolute paths, or paths relative to the staging; given to the processor one by one."""
    store: str | None = None
    """URI of the store with the outputs of `jobs`; None: the staging of the request."""
    workspace: bool = False
    """An empty folder the runner makes for this job and removes after it."""

    @model_validator(mode="after")
    def _one_origin(self) -> Self:
        if [bool(self.jobs), bool(self.paths), self.workspace].count(True) != 1:
            counts = f"{len(self.jobs)} jobs and {len(self.paths)} paths{' and a workspace' if self.workspace else ''}"
            raise ValueError(f"input {self.type}: expected either jobs or paths (or a workspace), got {counts}")
        return self

    @property
    def produced_type(self) -> str:
        """Return the output type to look for in the folders of the producers."""
        return self.source_type or self.type


class AuxiliaryRequest(Document):
    """The files chosen for one auxiliary or static type."""

    type: str = Field(pattern=NAME_PATTERN)
    paths: tuple[str, ...] = Field(min_length=1)
    kind: Kind | None = None
    """None: Directory when the path is a directory, else Physical."""


class OutputRequest(Document):
    """One output type a job is expected to write."""

    type: str = Field(pattern=NAME_PATTERN)
    kind: Kind = "Directory"
    mandatory: bool = True
    scratch: bool = False
    """Only jobs of the same cluster read it: it stays on the disk beside them and goes when the cluster is done."""


class JobRequest(Document):
    """One run of one processor for one data id."""

    id: str = Field(pattern=JOB_ID_PATTERN)
    phase: str
    task: str
    processor: str
    version: str
    executable: str
    """Command, which gets the path of its job order as only argument: an absolute path, or one below the folders of
    executables of the place where the job runs."""
    exit_policy: ExitPolicy = "strict"
    timeout_s: float = Field(gt=0)
    data_id: str = ""
    """Key text of the data id, for example "band=B03;detector=01-02"."""
    parameters: dict[str, str] = Field(default_factory=dict)
    inputs: tuple[InputRequest, ...] = ()
    auxiliary: tuple[AuxiliaryRequest, ...] = ()
    outputs: tuple[OutputRequest, ...] = ()
    environment: dict[str, str] = Field(default_factory=dict)
    key: str = ""
    """Content key (see `job_key`): a finished job with the same key is not run again; empty: always run."""


class ClusterRequest(Document):
    """Jobs to run together in one place, in the order of their data edges."""

    schema_version: Literal[1] = 1
    datatake: str
    """Key of the datatake or session: names the folder that holds the jobs."""
    run_id: str
    plan_hash: str
    cluster_id: str
    node: str
    label: str = ""
    slots: int = Field(default=1, ge=1)
    timeout_s: float | None = Field(default=None, gt=0)
    """Limit of the whole cluster; None: only the limits of the jobs."""
    staging: str
    """URI or absolute path of the staging, for example "file:///data/staging"."""
    store: str | None = None
    """URI of the store that takes the outputs of the jobs; None: the staging. Documents and logs go to the staging."""
    jobs: tuple[JobRequest, ...] = Field(min_length=1)
    sensing_start: datetime | None = None
    sensing_stop: datetime | None = None
    acquisition_station: str = ""
    processing_station: str = ""

    @model_validator(mode="after")
    def _unique_jobs(self) -> Self:
        seen: set[str] = set()
        for job in self.jobs:
            if job.id in seen:
                raise ValueError(f"cluster {self.cluster_id}: job {job.id} is listed twice")
            seen.add(job.id)
        return self

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a request from a JSON file; raise pydantic.ValidationError naming the wrong fields."""
        return cls.model_validate_json(path.read_bytes())

    def dump(self) -> str:
        """Return the request as JSON text; defaults are left out, so that older runners can read most requests."""
        return self.model_dump_json(indent=1, exclude_defaults=True)


def job_key(job: JobRequest, producer_keys: Mapping[str, str]) -> str:
    """Return the content key of a job: equal only if processor, parameters and all inputs are equal.

    `producer_keys` gives the key of every job named in the inputs, so a change travels down the graph.
    The environment, the time limit and the places of executable and data do not change the content and are left out:
    of a path the name counts.
    """
    content = job.model_dump(mode="json", exclude={"key", "environment", "timeout_s", "executable", "exit_policy"})
    for entry in content["inputs"]:
        del entry["store"]
    for entry in [*content["inputs"], *content["auxiliary"]]:
        entry["paths"] = [PurePath(path).name for path in entry["paths"]]
    for entry in content["outputs"]:
        del entry["scratch"]
    content["producers"] = {name: producer_keys[name] for entry in job.inputs for name in entry.jobs}
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
