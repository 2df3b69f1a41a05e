"""The whole chain on a simulated session, without Airflow: simulation, a first run, a run that reuses everything."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from performance.commands import measured
from performance.report import Report

from s2ps.model.mission import Level
from s2ps.processors.phases import phase_of

S2PS = (sys.executable, "-c", "from s2ps.cli.main import main; main()")


@dataclass(frozen=True, slots=True)
class Job:
    """What a finished job cost."""

    task: str
    level: Level
    started: datetime
    finished: datetime
    seconds: float
    cpu_seconds: float
    peak_mb: float


def measure_chain(home: Path, scale: int, report: Report) -> None:
    """Simulate a session and run it twice; the levels and processors come from the results of the clusters."""
    simulation = [sys.executable, "-m", "ipf_adapters.simulation", "--output", str(home), "--scale", str(scale)]
    cost = measured(simulation, home.with_suffix(".simulation.log"))
    report.add("simulation", f"simulate a session, scale {scale}", wall_s=cost.wall_s, cpu_s=cost.cpu_s)
    run = [*S2PS, "run", "--home", str(home)]
    cost = measured(run, home / "run.log")
    jobs = sorted(finished_jobs(home), key=lambda job: job.finished)
    report.add(
        "run", f"run it, {len(jobs)} jobs", wall_s=cost.wall_s, cpu_s=cost.cpu_s, peak_mb=cost.peak_mb,
        jobs_cpu_s=sum(job.cpu_seconds for job in jobs),
    )  # fmt: skip
    begun = min(job.started for job in jobs)
    for level in Level:
        of_level = [job for job in jobs if job.level is level]
        if of_level:
            _add_level(report, level, of_level, begun)
    _add_processors(report, jobs)
    cost = measured(run, home / "again.log")
    report.add("reuse", "run it again, every job reused", wall_s=cost.wall_s, cpu_s=cost.cpu_s)


def _add_level(report: Report, level: Level, jobs: list[Job], begun: datetime) -> None:
    first, last = min(job.started for job in jobs), max(job.finished for job in jobs)
    report.add(
        f"level {level}", f"level {level}, {len(jobs)} jobs", wall_s=(last - first).total_seconds(),
        cpu_s=sum(job.cpu_seconds for job in jobs), done_after_s=(last - begun).total_seconds(),
        peak_mb=max(job.peak_mb for job in jobs),
    )  # fmt: skip


def _add_processors(report: Report, jobs: list[Job]) -> None:
    tasks = {job.task for job in jobs}
    costs = {task: [job for job in jobs if job.task == task] for task in tasks}
    for task, group in sorted(costs.items(), key=lambda item: -sum(job.cpu_seconds for job in item[1]))[:12]:
        report.add(
            f"processor {task}", f"{task}, {len(group)} jobs", cpu_s=sum(job.cpu_seconds for job in group),
            peak_mb=max(job.peak_mb for job in group),
        )  # fmt: skip


def finished_jobs(home: Path) -> Iterator[Job]:
    """Yield the jobs of all cluster results below a home."""
    for path in sorted(home.glob("staging/runs/*/results/*.json")):
        for job in json.loads(path.read_text())["jobs"]:
            yield _job(job)


def _job(entry: dict[str, Any]) -> Job:
    phase = str(entry["id"]).partition(".")[0]
    return Job(
        entry["task"],
        phase_of(phase).level,
        datetime.fromisoformat(entry["started"]),
        datetime.fromisoformat(entry["finished"]),
        entry["seconds"],
        entry["cpu_seconds"],
        entry["peak_rss_bytes"] / 1e6,
    )
