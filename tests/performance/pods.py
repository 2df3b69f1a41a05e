"""What a cluster on a pod costs, beside a plain KubernetesPodOperator and beside a process of this machine.

Tasks of every kind run one after the other under one Airflow on the test cluster, each doing the same: a command that
says when it has begun, and sleeps. Then many of a kind wait at the same time, for their memory.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

from e2e_cluster.cluster import Cluster
from e2e_cluster.service import Service
from performance.pods_service import DATATAKE, Bench, bench_of
from performance.processes import Sample, pss_mib
from performance.report import Report

from s2ps.staging import layout
from s2ps.staging.location import open_store

KINDS = ("pod", "plain", "pod_deferred", "plain_deferred", "local")
NAP = 2.0
LONG_NAP = 45.0
TICKS = 100


def measure_pods(folder: Path, report: Report, cluster: Cluster, rounds: int, width: int) -> None:
    """Measure `rounds` tasks of each kind in turn, then `width` of each kind that wait at the same time."""
    tasks = [(kind, f"{kind}_{number:02d}") for number in range(rounds) for kind in KINDS]
    dags = [{"dag": "bench_chain", "tasks": tasks, "nap": NAP, "chained": True}]
    for kind in KINDS if width else ():
        many = [(kind, f"wait_{kind}_{number:02d}") for number in range(width)]
        dags.append({"dag": f"bench_wait_{kind}", "tasks": many, "nap": LONG_NAP, "chained": False})
    with bench_of(folder, cluster, dags) as bench:
        found = _run(bench.service, "bench_chain", lambda: None)
        time.sleep(30)  # an Airflow that has just started reads DAG files; after the run it is idle
        idle = bench.sampler.between(time.time() - 20, time.time() - 1)
        _tell_starts(bench, report, found)
        _tell_costs(bench, report, found, idle)
        for entry in dags[1:]:
            _tell_memory(bench, report, str(entry["dag"]), width)


def _tell_starts(bench: Bench, report: Report, found: list[dict[str, Any]]) -> None:
    """Report the seconds from the start of a task to the first line of its processor, and where they go."""
    for kind in KINDS:
        rows = [_steps(bench, task) for task in found if task["task_id"].rpartition("_")[0] == kind]
        steps = {name: median(row[name] for row in rows) for name in rows[0]}
        most = max(row["first_line_s"] for row in rows)
        report.add(f"pods start {kind}", f"task start to processor: {kind}", longest_s=most, n=len(rows), **steps)


def _steps(bench: Bench, task: dict[str, Any]) -> dict[str, float]:
    """Return the seconds of each step of a task; the steps of a pod add up to `first_line_s`."""
    name, began = task["task_id"], _time(task["start_date"])
    seen = bench.watch.pods.get(name)
    if seen is None:
        first, _ = _stamp(_job_log(bench, name))
        return {"first_line_s": first - began}
    said = [line for _, line in seen.lines if line.startswith("stamp ")]
    first, process = _stamp(said[0] if said else _job_log(bench, name))
    steps = {
        "first_line_s": first - began,
        "pod_made_s": seen.created - began,
        "scheduled_s": seen.scheduled - seen.created,
        "container_s": process - seen.scheduled,
    }
    if said:
        return {**steps, "command_s": first - process}
    return {**steps, "runner_line_s": seen.lines[0][0] - process, "processor_line_s": first - seen.lines[0][0]}


def _tell_costs(bench: Bench, report: Report, found: list[dict[str, Any]], idle: Sample) -> None:
    """Report wall clock and CPU seconds of a task beside what its processor takes, from the task before it on."""
    ends = sorted((_time(task["end_date"]), task) for task in found)
    used: dict[str, list[Sample]] = {}
    for (before, _), (end, task) in pairwise(ends):
        used.setdefault(task["task_id"].rpartition("_")[0], []).append(bench.sampler.between(before, end))
    for kind in KINDS:
        costs = used[kind]
        own = [_time(task["end_date"]) - _time(task["start_date"]) - NAP
               for task in found if task["task_id"].rpartition("_")[0] == kind]  # fmt: skip
        values = {
            name: median(getattr(cost, name) - getattr(idle, name) / idle.moment * cost.moment for cost in costs)
            for name in ("machine", "airflow", "pods")
        }
        report.add(
            f"pods cost {kind}", f"cost of a cluster: {kind}", task_wall_s=median(own), task_longest_s=max(own),
            from_task_to_task_s=median(cost.moment for cost in costs) - NAP, machine_cpu_s=values["machine"],
            airflow_cpu_s=values["airflow"], pod_cpu_s=values["pods"], n=len(costs),
        )  # fmt: skip
    rate = {f"{name}_cpu_s_per_s": getattr(idle, name) / idle.moment for name in ("machine", "airflow", "pods")}
    report.add("pods idle", "Airflow and test cluster idle", **rate)


def _tell_memory(bench: Bench, report: Report, dag: str, width: int) -> None:
    """Report the memory of Airflow per waiting task."""
    names = ("api-server", "scheduler", "dag-processor", "triggerer")
    roots = dict(zip(names, bench.roots, strict=True))
    before = {name: pss_mib([root]) for name, root in roots.items()}
    samples: list[dict[str, float]] = []

    def look() -> None:
        samples.append({name: pss_mib([root]) for name, root in roots.items()})

    found = _run(bench.service, dag, look)
    starts, ends = [[_time(task[key]) for task in found] for key in ("start_date", "end_date")]
    middle = samples[len(samples) // 2]
    growth = {name: (middle[name] - before[name]) / width for name in names}
    report.add(
        f"pods memory {dag.removeprefix('bench_wait_')}", f"memory per waiting task: {dag.removeprefix('bench_wait_')}",
        airflow_mib=sum(growth.values()), scheduler_and_tasks_mib=growth["scheduler"],
        triggerer_mib=growth["triggerer"], at_once=width, wall_s=max(ends) - min(starts),
    )  # fmt: skip


def _run(service: Service, dag: str, look: Callable[[], None]) -> list[dict[str, Any]]:
    """Run a DAG and return its tasks but the first as Airflow describes them; all must succeed at the first try."""
    run = service.client.trigger(dag, {})
    state = service.client.wait(dag, run, 1800, lambda _: look(), pause=2)
    if state != "success":
        raise RuntimeError(f"DAG {dag} has failed\n{service.failures(dag, run)}")
    answer = service.client._get(f"/api/v2/dags/{dag}/dagRuns/{run}/taskInstances", limit=1000)
    tasks = [task for task in answer["task_instances"] if task["task_id"] != "plan"]
    again = [task["task_id"] for task in tasks if task["try_number"] > 1]
    if again:
        print(f"left out, since they took more than one try: {', '.join(again)}", flush=True)
    return [task for task in tasks if task["task_id"] not in again]


def _job_log(bench: Bench, name: str) -> str:
    store = open_store(bench.service.place.staging)
    return store.read(layout.log(DATATAKE, f"L0.STAMP@part={name}")).decode().splitlines()[0]


def _stamp(line: str) -> tuple[float, float]:
    """Return when the command began and when the first process of its container did."""
    _, now, ticks, age = line.split()
    return float(now), float(now) - (float(age) - int(ticks) / TICKS)


def _time(text: str) -> float:
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()
