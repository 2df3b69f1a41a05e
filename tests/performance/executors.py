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
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml

from s2ps.embedded import runtime
from s2ps.embedded.runtime import EmbeddedAirflow

ROOT = Path(__file__).resolve().parents[2]
STATE = Path(os.environ.get("S2PS_TEST_CLUSTER", "/tmp/s2ps-test-cluster"))
NAMESPACE = "s2ps-bench"
PATIENCE_S = 900.0
"""For the start of Airflow, on a busy machine."""
PORT = 18080
MODES = ("local", "local-deferred", "kubernetes", "kubernetes-deferred")
DAG = """
from airflow.providers.cncf.kubernetes.operators.pod import KubernetesPodOperator
from airflow.sdk import DAG

POD = dict(
    namespace="{namespace}", image="{image}", cmds=["python3", "-c"], image_pull_policy="Never", name="bench",
    config_file="{config}", in_cluster=False, deferrable={deferred}, startup_check_interval_seconds=1, poll_interval=2,
    on_finish_action="delete_pod", do_xcom_push=False, container_resources=None, retries=0,
)
NAP = "import time; time.sleep({{}})"
with DAG("chain", schedule=None, is_paused_upon_creation=False):
    before = None
    for number in range({links}):
        task = KubernetesPodOperator(task_id=f"pod_{{number}}", arguments=[NAP.format(1)], **POD)
        if before:
            before >> task
        before = task
with DAG("wide", schedule=None, is_paused_upon_creation=False, max_active_tasks=256):
    KubernetesPodOperator.partial(task_id="pod", **POD).expand(arguments=[[NAP.format({nap})]] * {width})
"""


class BenchAirflow(EmbeddedAirflow):
    """An embedded Airflow with another executor and address."""

    changes: dict[str, str] = {}  # noqa: RUF012

    def environment(self, port: int) -> dict[str, str]:
        return {**super().environment(port), **{k: v.replace("PORT", str(port)) for k, v in self.changes.items()}}


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
    _namespace()
    project = _project(folder, options)
    # With pods the scheduler loads the Kubernetes client once, before it forks.
    settings = {"S2PS_HOME": str(folder / "home"), "S2PS_EXECUTION": "pod", "S2PS_POD_IMAGE": _image("reference")}
    airflow = BenchAirflow(folder / "airflow", PORT, project=project, settings=settings)
    airflow.changes = _changes(folder, options)
    figures: dict[str, Any] = {"mode": options.mode, "load at start": round(os.getloadavg()[0], 1)}
    try:
        airflow.start(wait=PATIENCE_S)
        client = airflow.client()
        while not {"chain", "wide"} <= set(client.dag_ids()):
            time.sleep(1)
        before = _cpu(airflow)
        figures |= _chain(airflow, options)
        figures["CPU seconds per task of the chain"] = round((_cpu(airflow) - before) / options.links, 2)
        figures |= _wide(airflow, options)
    finally:
        airflow.stop()
        if options.keep:
            shutil.copytree(folder / "airflow" / "logs", options.keep, dirs_exist_ok=True)
        _kubectl("delete", "namespace", NAMESPACE, "--wait=false")
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


def _project(folder: Path, options: argparse.Namespace) -> Path:
    project = folder / "project"
    (project / "dags").mkdir(parents=True)
    for part in ("plugins", "config", "src"):
        (project / part).symlink_to(ROOT / part)
    for file in (ROOT / "dags").glob("*.py"):
        (project / "dags" / file.name).write_text(file.read_text(encoding="utf-8"), encoding="utf-8")
    config = folder / "kubeconfig"
    config.write_text((STATE / "kubernetes" / "admin.kubeconfig").read_text(encoding="utf-8"), encoding="utf-8")
    config.chmod(0o644)
    text = DAG.format(
        namespace=NAMESPACE, image=_image("reference"), config=config, deferred="deferred" in options.mode,
        links=options.links, width=options.width, nap=options.nap,
    )  # fmt: skip
    (project / "dags" / "bench.py").write_text(text, encoding="utf-8")
    return project


def _image(name: str) -> str:
    images = Path(os.environ.get("S2PS_IMAGES", ROOT / "var" / "images")) / "images.json"
    return str(json.loads(images.read_text(encoding="utf-8"))[name]["reference"])


def _changes(folder: Path, options: argparse.Namespace) -> dict[str, str]:
    parallel = {
        "AIRFLOW__CORE__PARALLELISM": "32",
        "AIRFLOW__CORE__DEFAULT_POOL_TASK_SLOT_COUNT": "128",
        "AIRFLOW__CORE__DAGBAG_IMPORT_TIMEOUT": "300",
    }
    if options.mode.startswith("local"):
        return parallel
    url = f"http://{options.address}:PORT"
    template = folder / "worker.yaml"
    repository, _, digest = _image("service").partition("@")
    template.write_text(yaml.safe_dump(_worker(folder, f"{repository}@{digest}")), encoding="utf-8")
    return {
        **parallel,
        "AIRFLOW__CORE__EXECUTOR": "KubernetesExecutor",
        "AIRFLOW__API__HOST": "0.0.0.0",  # noqa: S104 - workers come over the network of the pods
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{url}/execution/",
        "AIRFLOW__KUBERNETES_EXECUTOR__NAMESPACE": NAMESPACE,
        "AIRFLOW__KUBERNETES_EXECUTOR__POD_TEMPLATE_FILE": str(template),
        "AIRFLOW__KUBERNETES_EXECUTOR__IN_CLUSTER": "False",
        "AIRFLOW__KUBERNETES_EXECUTOR__CONFIG_FILE": str(folder / "kubeconfig"),
        "AIRFLOW__KUBERNETES_EXECUTOR__WORKER_PODS_CREATION_BATCH_SIZE": "16",
    }


def _worker(folder: Path, image: str) -> dict[str, Any]:
    """Return the pod in which the KubernetesExecutor runs a task."""
    variables = {
        "AIRFLOW__CORE__DAGS_FOLDER": str(folder / "project" / "dags"),
        "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
        "AIRFLOW__CORE__DAGBAG_IMPORT_TIMEOUT": "300",
        "S2PS_HOME": "/tmp/s2ps",
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "worker", "labels": {"bench": "worker"}},
        "spec": {
            "restartPolicy": "Never",
            "automountServiceAccountToken": False,
            "containers": [
                {
                    "name": "base", "image": image, "imagePullPolicy": "Never",
                    "env": [{"name": name, "value": value} for name, value in variables.items()],
                    "volumeMounts": [{"name": "bench", "mountPath": str(folder), "readOnly": True}],
                }
            ],
            "volumes": [{"name": "bench", "hostPath": {"path": str(folder)}}],
        },
    }  # fmt: skip


def _namespace() -> None:
    for _ in range(60):
        text = json.dumps({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}})
        if "Terminating" not in _kubectl("get", "namespace", NAMESPACE, "--ignore-not-found"):
            _kubectl("apply", "-f", "-", text=text)
            return
        time.sleep(2)
    raise SystemExit(f"namespace {NAMESPACE} of an earlier measurement does not go away")


def _kubectl(*words: str, text: str | None = None) -> str:
    config = STATE / "kubernetes" / "admin.kubeconfig"
    command = ["kubectl", "--kubeconfig", str(config), *words]
    return subprocess.run(command, input=text, capture_output=True, text=True, timeout=120, check=False).stdout


def _processes() -> Iterator[tuple[int, int, str]]:
    """Yield id, parent and command line of every process."""
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            stat = (folder / "stat").read_text(encoding="utf-8", errors="replace")
            line = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
        except OSError:
            continue
        yield int(folder.name), int(stat.rpartition(")")[2].split()[1]), line


def _below(root: int) -> set[int]:
    children: dict[int, list[int]] = {}
    for pid, parent, _ in _processes():
        children.setdefault(parent, []).append(pid)
    found, open_ = set(), [root]
    while open_:
        pid = open_.pop()
        found.add(pid)
        open_ += children.get(pid, [])
    return found


def _pss(pids: set[int]) -> float:
    """Return the memory of processes in MiB, what they share divided between those that share it."""
    total = 0
    for pid in pids:
        try:
            text = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="utf-8")
        except OSError:
            continue
        total += next((int(line.split()[1]) for line in text.splitlines() if line.startswith("Pss:")), 0)
    return total / 1024


def _memory(airflow: EmbeddedAirflow) -> dict[str, float]:
    roots = {process.name: process.pid for process in airflow._processes()}
    workers = {pid for pid, _, line in _processes() if "execution_time.execute_workload" in line}
    tasks = {child for pid in workers for child in _below(pid)}
    scheduler = _below(roots["scheduler"])
    if not workers:
        tasks = {pid for pid, _, line in _processes() if pid in scheduler and line.startswith("airflow worker --")}
        tasks -= {pid for pid, _, line in _processes() if "<idle>" in line}
    running = _kubectl("get", "pods", "-n", NAMESPACE, "-l", "bench!=worker", "--field-selector=status.phase=Running",
                       "-o", "name")  # fmt: skip
    return {
        "pods": len(running.split()),
        "tasks": _pss(tasks),
        "processes": len(tasks),
        "scheduler": _pss(scheduler - tasks),
        "triggerer": _pss(_below(roots["triggerer"])),
    }


def _cpu(airflow: EmbeddedAirflow) -> float:
    """Return the CPU seconds used so far by Airflow's components and what they started and waited for."""
    ticks = 0
    for process in airflow._processes():
        for pid in _below(process.pid):
            try:
                fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
            except OSError:
                continue
            ticks += sum(map(int, fields[11:15] if pid == process.pid else fields[11:13]))
    return ticks / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    sys.exit(main())
