"""Compare Airflow's executors on the test cluster: `python -m tests.performance.executors --mode local-deferred`.

A DAG of plain pods, each of which only sleeps, runs under an Airflow of its own. Measured are the seconds a task costs
beside its pod, and the memory that waits while pods run. The KubernetesExecutor needs the image of the service on the
nodes (tests/cluster/load_images.sh).
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import shutil
import statistics
import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path
from typing import Any

from s2ps.embedded import runtime
from s2ps.embedded.runtime import EmbeddedAirflow
from tests.performance.executor_setup import (
    NAMESPACE,
    BenchAirflow,
    changes,
    image_of,
    kubectl,
    make_namespace,
    project,
)
from tests.performance.processes import below, command_lines, cpu, pss_mib, pss_of

PATIENCE_S = 900.0
"""For the start of Airflow, on a busy machine."""
PORT = 18080
MODES = ("local", "local-deferred", "kubernetes", "kubernetes-deferred")


def main() -> int:
    """Run one mode, print and write its figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mode", choices=MODES, required=True)
    parser.add_argument("--links", type=int, default=6, help="tasks one after the other")
    parser.add_argument("--width", type=int, default=8, help="tasks at the same time")
    parser.add_argument("--nap", type=int, default=60, help="seconds each of these pods sleeps")
    parser.add_argument("--address", default="192.0.2.2", help="of this machine, as pods reach it")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--keep", type=Path, help="copy Airflow's logs there")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="s2ps-executors-") as name:
        figures = measure(Path(name), options)
    print(json.dumps(figures, indent=1))
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1))
    return 0


def measure(folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    """Return the figures of one mode."""
    runtime.MIGRATION_LIMIT = PATIENCE_S
    folder.chmod(0o755)
    make_namespace()
    place = project(folder, options)
    # With pods the scheduler loads the Kubernetes client once, before it forks.
    settings = {"S2PS_HOME": str(folder / "home"), "S2PS_EXECUTION": "pod", "S2PS_POD_IMAGE": image_of("reference")}
    airflow = BenchAirflow(folder / "airflow", PORT, project=place, settings=settings)
    airflow.changes = changes(folder, options)
    figures: dict[str, Any] = {"mode": options.mode, "load at start": round(os.getloadavg()[0], 1)}
    try:
        airflow.start(wait=PATIENCE_S)
        client = airflow.client()
        while not {"chain", "wide"} <= set(client.dag_ids()):
            time.sleep(1)
        before = cpu(_roots(airflow))
        figures |= _chain(airflow, options)
        figures["CPU seconds per task of the chain"] = round((cpu(_roots(airflow)) - before) / options.links, 2)
        figures |= _wide(airflow, options)
    finally:
        airflow.stop()
        if options.keep:
            shutil.copytree(folder / "airflow" / "logs", options.keep, dirs_exist_ok=True)
        kubectl("delete", "namespace", NAMESPACE, "--wait=false")
    figures["load at end"] = round(os.getloadavg()[0], 1)
    return figures


def _chain(airflow: EmbeddedAirflow, options: argparse.Namespace) -> dict[str, Any]:
    tasks = _run(airflow, "chain", lambda: None)
    ends = sorted(_time(task["end_date"]) for task in tasks)
    hops = [later - earlier - 1.0 for earlier, later in itertools.pairwise(ends)]
    return {
        "seconds per task beside its pod, median": round(statistics.median(hops), 2),
        "seconds per task beside its pod, all": [round(hop, 1) for hop in hops],
        "chain states": _states(tasks),
    }


def _wide(airflow: EmbeddedAirflow, options: argparse.Namespace) -> dict[str, Any]:
    samples: list[dict[str, float]] = []
    began = time.monotonic()
    tasks = _run(airflow, "wide", lambda: samples.append(_memory(airflow)))
    top = max(samples, key=lambda sample: sample["pods"])
    calm = [sample for sample in samples if sample["pods"] == top["pods"]]
    middle = calm[len(calm) // 2]
    return {
        "wide seconds": round(time.monotonic() - began, 1),
        "wide states": _states(tasks),
        "sleeping pods": top["pods"],
        "MiB of task processes": round(middle["tasks"]),
        "task processes": middle["processes"],
        "MiB of the triggerer": round(middle["triggerer"]),
        "MiB of the scheduler": round(middle["scheduler"]),
    }


def _states(tasks: list[dict[str, Any]]) -> dict[str, int]:
    found = [str(task["state"]) for task in tasks]
    return {state: found.count(state) for state in sorted(set(found))}


def _time(text: str) -> float:
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def _run(airflow: EmbeddedAirflow, dag: str, look: Any) -> list[dict[str, Any]]:
    client = airflow.client()
    made = client._request("POST", f"/api/v2/dags/{dag}/dagRuns", json={"logical_date": None})
    run, deadline = made["dag_run_id"], time.monotonic() + PATIENCE_S
    while client.run_state(dag, run) in ("queued", "running"):
        if time.monotonic() > deadline:
            raise SystemExit(f"DAG {dag} has not ended after 900 s")
        time.sleep(2)
        look()
    return list(client._get(f"/api/v2/dags/{dag}/dagRuns/{run}/taskInstances")["task_instances"])


def _roots(airflow: EmbeddedAirflow) -> list[int]:
    return [process.pid for process in airflow._processes()]


def _memory(airflow: EmbeddedAirflow) -> dict[str, float]:
    roots = {process.name: process.pid for process in airflow._processes()}
    lines = command_lines()
    workers = {pid for pid, line in lines.items() if "execution_time.execute_workload" in line}
    scheduler = below([roots["scheduler"]])
    tasks = below(list(workers)) if workers else {pid for pid in scheduler if _is_busy(lines.get(pid, ""))}
    running = kubectl("get", "pods", "-n", NAMESPACE, "-l", "bench!=worker", "--field-selector=status.phase=Running",
                      "-o", "name")  # fmt: skip
    return {
        "pods": len(running.split()),
        "tasks": pss_of(tasks),
        "processes": len(tasks),
        "scheduler": pss_of(scheduler - tasks),
        "triggerer": pss_mib([roots["triggerer"]]),
    }


def _is_busy(line: str) -> bool:
    return line.startswith("airflow worker --") and "<idle>" not in line


if __name__ == "__main__":
    sys.exit(main())
