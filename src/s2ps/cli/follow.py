"""Follow runs of the embedded Airflow: one bar per level, products as they appear."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn

from s2ps.cli.terminal import console
from s2ps.embedded.rest import AirflowClient, TaskProgress
from s2ps.model.errors import ProcessorFailure, TimeoutFailure

ENDED = frozenset({"success", "failed", "skipped", "upstream_failed", "removed"})
RUNNING = frozenset({"running", "queued", "restarting"})
LEVEL_WIDTH = 5
PAUSE = 1.0


@dataclass(slots=True)
class Span:
    """Seconds since the start of the demonstration at which a level was first and last at work."""

    first: float
    last: float


@dataclass(slots=True)
class AirflowWatch:
    """Shows what Airflow does until runs have ended; remembers how long each level took."""

    client: AirflowClient
    products: Path
    level_of_node: Mapping[str, str]
    began: float
    spans: dict[str, Span] = field(default_factory=dict)
    seen: dict[str, float] = field(default_factory=dict)
    """User products with the second they were first seen."""
    _told: set[str] = field(default_factory=set)
    _bars: dict[str, TaskID] = field(default_factory=dict)
    _progress: Progress = field(
        default_factory=lambda: Progress(
            TextColumn("  [bold]{task.description}"), BarColumn(30), MofNCompleteColumn(), TextColumn("tasks"),
            TextColumn("[dim]{task.fields[doing]}"), console=console, transient=True,
        )
    )  # fmt: skip

    def run(self, dag_id: str, find_run: Callable[[], str | None], limit: float) -> None:
        """Wait for a run to appear and to succeed; raises ProcessorFailure with the reason when it fails."""
        deadline = time.monotonic() + limit
        run_id = None
        with self._progress:
            while True:
                run_id = run_id or find_run()
                if run_id is not None:
                    tasks = self.client.task_instances(dag_id, run_id)
                    self._show(tasks)
                    state = self.client.run_state(dag_id, run_id)
                    if state == "success":
                        return
                    if state == "failed":
                        raise self._failure(dag_id, run_id, tasks)
                if time.monotonic() > deadline:
                    raise TimeoutFailure(
                        f"the run of {dag_id} has not ended after {limit:.0f} s", next_step=f"look at {self.client.url}"
                    )
                time.sleep(PAUSE)

    def _show(self, tasks: Iterable[TaskProgress]) -> None:
        now = time.monotonic() - self.began
        by_level: dict[str, list[TaskProgress]] = {}
        for task in tasks:
            level = self.level_of_node.get(task.task_id.rpartition(".")[2])
            if level is not None:
                by_level.setdefault(level, []).append(task)
        for level, members in by_level.items():
            self._note(level, members, now)
            doing = [f"{t.task_id.rpartition('.')[2]} {t.label}".strip() for t in members if t.state in RUNNING]
            if level not in self._bars:
                self._bars[level] = self._progress.add_task(level.ljust(LEVEL_WIDTH), doing="")
            ended = sum(task.state in ENDED for task in members)
            if ended == len(members) and level in self.spans and level not in self._told:
                self._told.add(level)
                self._progress.console.print(f"  {level.ljust(LEVEL_WIDTH)} [green]done[/] [dim]after {now:.0f} s[/]")
            self._progress.update(self._bars[level], completed=ended, total=len(members), doing=", ".join(doing))
        self._show_products(now)

    def _note(self, level: str, members: Iterable[TaskProgress], now: float) -> None:
        states = {task.state for task in members}
        if states & (RUNNING | {"success", "failed"}):
            span = self.spans.setdefault(level, Span(now, now))
            if states & RUNNING:
                span.last = now

    def _show_products(self, now: float) -> None:
        for path in sorted(self.products.glob("*/*.SAFE")):
            if path.name not in self.seen:
                self.seen[path.name] = now
                self._progress.console.print(f"  [green]published[/] {path.name} [dim]after {now:.0f} s[/]")

    def _failure(self, dag_id: str, run_id: str, tasks: Iterable[TaskProgress]) -> ProcessorFailure:
        failed = [task for task in tasks if task.state == "failed"]
        said = [self._reason(dag_id, run_id, task) for task in failed[:3]]
        names = ", ".join(f"{task.task_id} {task.label}".strip() for task in failed) or "no task"
        return ProcessorFailure(
            f"run {run_id} of {dag_id} failed in {names}\n" + "\n".join(said),
            next_step=f"read the log at {self.client.url}/dags/{dag_id}/runs/{run_id}, then clear the task there",
        )

    def _reason(self, dag_id: str, run_id: str, task: TaskProgress) -> str:
        log = self.client.log(dag_id, run_id, task.task_id, task.try_number, task.map_index)
        lines = [line for line in log.splitlines() if "[E]" in line or "Exception" in line or "error" in line.lower()]
        return "\n".join(lines[-6:])
