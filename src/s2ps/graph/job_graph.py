"""Jobs of a datatake and the data edges between them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from s2ps.model.dimensions import DataId
from s2ps.model.errors import PlanError


@dataclass(frozen=True, slots=True)
class JobInput:
    """One input of a job: outputs of other jobs, or something from outside (then `jobs` is empty)."""

    type: str
    kind: str
    jobs: tuple[str, ...] = ()
    source_type: str | None = None
    """Output type of the producers, where it has another name."""
    from_session: bool = False
    """The producers belong to the run of the session (L0U), not to that of the datatake."""
    external: str | None = None
    """"session": the files of the downlink session."""


@dataclass(frozen=True, slots=True)
class JobOutput:
    """One output type of a job."""

    type: str
    kind: str
    mandatory: bool


@dataclass(frozen=True, slots=True)
class Job:
    """One run of one processor for one data id."""

    id: str
    phase: str
    task: str
    processor: str
    version: str
    executable: str
    """Path below the root of the executables."""
    exit_policy: str
    timeout: int
    """Seconds."""
    data_id: DataId
    parameters: Mapping[str, str]
    inputs: tuple[JobInput, ...]
    """Several entries of one type are given to the processor as one, fused in this order."""
    workspace: tuple[str, ...]
    """Types of working directories the runner makes and lists as inputs."""
    auxiliary: tuple[str, ...]
    static: tuple[str, ...]
    outputs: tuple[JobOutput, ...]

    @property
    def producers(self) -> tuple[str, ...]:
        """Ids of all jobs this one takes data from, each once."""
        return tuple(dict.fromkeys(name for entry in self.inputs for name in entry.jobs))

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for JSON."""
        data = {item.name: getattr(self, item.name) for item in fields(self)}
        data["data_id"] = self.data_id.key
        data["parameters"] = dict(self.parameters)
        data["inputs"] = [_plain(entry) for entry in self.inputs]
        data["outputs"] = [_plain(entry) for entry in self.outputs]
        for name in ("workspace", "auxiliary", "static"):
            data[name] = list(data[name])
        return data

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Job:
        """Read what `to_dict` writes."""
        values = dict(data)
        values["data_id"] = DataId.parse(values["data_id"])
        values["inputs"] = tuple(JobInput(**{**entry, "jobs": tuple(entry["jobs"])}) for entry in values["inputs"])
        values["outputs"] = tuple(JobOutput(**entry) for entry in values["outputs"])
        for name in ("workspace", "auxiliary", "static"):
            values[name] = tuple(values[name])
        return cls(**values)


def _plain(entry: JobInput | JobOutput) -> dict[str, Any]:
    values = {item.name: getattr(entry, item.name) for item in fields(entry)}
    return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}


@dataclass(slots=True)
class JobGraph:
    """Jobs by id, producers before consumers; `comparisons` counts the pairs looked at to find the edges."""

    jobs: dict[str, Job]
    comparisons: int = field(default=0, compare=False)

    @classmethod
    def of(cls, jobs: Iterable[Job], comparisons: int = 0) -> JobGraph:
        """Index jobs; raises PlanError when two have one id."""
        index: dict[str, Job] = {}
        for job in jobs:
            if job.id in index:
                raise PlanError(f"job {job.id} exists twice", expected="one job per task and data id")
            index[job.id] = job
        return cls(index, comparisons)

    def __len__(self) -> int:
        return len(self.jobs)

    def __iter__(self) -> Iterator[Job]:
        return iter(self.jobs.values())

    def edges(self) -> Iterator[tuple[str, str]]:
        """Yield (producer id, consumer id), each pair once; producers outside this graph are left out."""
        for job in self:
            for producer in job.producers:
                if producer in self.jobs:
                    yield producer, job.id

    def counts(self) -> dict[str, dict[str, int]]:
        """Return the number of jobs per phase and task."""
        counts: dict[str, dict[str, int]] = {}
        for job in self:
            tasks = counts.setdefault(job.phase, {})
            tasks[job.task] = tasks.get(job.task, 0) + 1
        return counts

    def of_phases(self, phases: Iterable[str]) -> JobGraph:
        """Return the jobs of some phases; their inputs still name jobs of the phases left out."""
        chosen = set(phases)
        return JobGraph({name: job for name, job in self.jobs.items() if job.phase in chosen}, self.comparisons)

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for JSON."""
        return {"jobs": [job.to_dict() for job in self]}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> JobGraph:
        """Read what `to_dict` writes."""
        return cls.of(Job.from_dict(item) for item in data["jobs"])
