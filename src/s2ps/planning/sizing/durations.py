"""How long jobs take: from a file of seconds per task, else from the strategy, else one second."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from statistics import median

import yaml

from s2ps.graph.job_graph import Job
from s2ps.model.errors import CatalogueError, ConfigurationError
from s2ps.planning.strategy import Strategy
from s2ps.processors.catalogue import Catalogue, StepKey


class Durations:
    """Seconds per task; remembers for which tasks nothing is known."""

    def __init__(self, catalogue: Catalogue, strategy: Strategy, file: Path | None = None) -> None:
        """`file` is YAML, TASK or TASK@PHASE: seconds; raises ConfigurationError naming what does not fit."""
        given = {**strategy.seconds, **(read_seconds(file) if file else {})}
        self._seconds: dict[StepKey, float] = {}
        self.unknown: set[str] = set()
        for name, value in given.items():
            try:
                self._seconds[catalogue.named(name)] = value
            except CatalogueError as error:
                raise ConfigurationError(f"seconds of {name}: {error}", next_step="correct the name") from error

    def __call__(self, job: Job) -> float:
        """Return the seconds of a job."""
        key = StepKey(job.phase, job.task)
        if key not in self._seconds:
            self.unknown.add(str(key))
        return self._seconds.get(key, 1.0)


def read_seconds(file: Path) -> dict[str, float]:
    """Read a file of seconds per task; raises ConfigurationError."""
    try:
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise ConfigurationError(f"seconds {file}: cannot be read: {error}") from error
    if not isinstance(content, dict):
        raise ConfigurationError(f"seconds {file}: no table", expected="TASK: seconds, one per line")
    for name, value in content.items():
        if isinstance(value, bool) or not isinstance(value, int | float) or value <= 0:
            raise ConfigurationError(f"seconds {file}: {name}: {value!r}", expected="a number above 0")
    return {str(name): float(value) for name, value in content.items()}


def median_seconds(jobs: Iterable[tuple[str, float]]) -> Mapping[str, float]:
    """Return the median per TASK@PHASE of jobs given by id and seconds, as `read_seconds` takes them."""
    found: dict[str, list[float]] = {}
    for name, seconds in jobs:
        phase, _, task = name.partition("@")[0].partition(".")
        found.setdefault(f"{task}@{phase}", []).append(seconds)
    return {task: max(0.01, round(median(values), 2)) for task, values in sorted(found.items())}
