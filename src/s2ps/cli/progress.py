"""The progress of a run on the terminal: one bar per level, one line per product."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from s2ps.cli.terminal import console
from s2ps.execution.result import ClusterResult
from s2ps.model.mission import Level
from s2ps.planning.cluster import Cluster
from s2ps.planning.plan import Plan
from s2ps.processors.phases import phase_of
from s2ps.production.runs import RunKey

_JOB_ENDED = re.compile(r"\[\s*\d+/\d+\] (?P<job>\S+)")


@dataclass(slots=True)
class LevelTimes:
    """When the first cluster of a level started and the last one ended (seconds since the run began)."""

    first: float
    last: float


@dataclass(slots=True)
class TerminalWatcher:
    """Shows bars while a run goes on and remembers the products and times for the end."""

    began: float = field(default_factory=time.monotonic)
    levels: dict[str, LevelTimes] = field(default_factory=dict)
    products: list[Path] = field(default_factory=list)
    jobs: int = 0
    reused: int = 0
    _bars: dict[tuple[str, Level], TaskID] = field(default_factory=dict)
    _progress: Progress = field(
        default_factory=lambda: Progress(
            TextColumn("{task.fields[subject]}"), TextColumn("[bold]{task.description:<4}"), BarColumn(30),
            MofNCompleteColumn(), TimeElapsedColumn(), TextColumn("{task.fields[doing]}"), console=console,
        )
    )  # fmt: skip

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def planned(self, run: RunKey, plan: Plan) -> None:
        """Open a bar for every level of the plan."""
        for job in plan.graph:
            level = phase_of(job.phase).level
            if (run.id, level) not in self._bars:
                total = sum(1 for other in plan.graph if phase_of(other.phase).level is level)
                bar = self._progress.add_task(level.value, total=total, subject=run.id, doing="", start=False)
                self._bars[run.id, level] = bar

    def line(self, run: RunKey, cluster: Cluster, text: str) -> None:
        """Move the bar when a job has ended."""
        bar = self._bars[run.id, Level(cluster.level)]
        now = time.monotonic() - self.began
        self.levels.setdefault(cluster.level, LevelTimes(now, now)).last = now
        self._progress.start_task(bar)
        if found := _JOB_ENDED.match(text):
            label = f" {cluster.label}" if cluster.label else ""
            self._progress.update(bar, advance=1, doing=f"{found['job']}{label}")

    def finished(self, run: RunKey, cluster: Cluster, result: ClusterResult) -> None:
        """Count the jobs; tell warnings."""
        self.jobs += len(result.jobs)
        self.reused += sum(job.state == "reused" for job in result.jobs)
        for job in result.jobs:
            if job.warning:
                self._progress.console.print(f"[yellow]warning[/] {job.id}: exit code {job.exit_code}, see {job.log}")
        bar = self._bars[run.id, Level(cluster.level)]
        task = next(item for item in self._progress.tasks if item.id == bar)
        if task.finished:
            self._progress.update(bar, doing="[green]done[/]")

    def published(self, run: RunKey, level: Level, paths: list[Path]) -> None:
        """Name the user products as they appear."""
        self.products += paths
        shown = [path for path in paths if path.name.endswith(".SAFE")]
        for path in shown:
            self._progress.console.print(f"[green]published[/] {path.name}")
        if not shown and paths:
            self._progress.console.print(f"[green]published[/] {len(paths)} {level} items")
