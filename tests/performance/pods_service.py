"""The service for the measurement of pods: its own DAGs and strategy, on the test cluster, and what watches it."""

from __future__ import annotations

import json
import shutil
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from e2e_cluster.cluster import ROOT, Cluster, Place
from e2e_cluster.service import Mission, Service
from performance.pod_watch import PodWatch
from performance.processes import Sampler

from s2ps.embedded.runtime import EmbeddedAirflow
from s2ps.planning.strategy import load_strategy

DATATAKE = "GS2B_20260701T101559_043890_N05.00"
STAMP = """#!/bin/sh
echo "stamp $(date +%s.%N) $(cut -d' ' -f22 /proc/1/stat) $(cut -d' ' -f1 /proc/uptime)"
sleep "${S2PS_NAP:-1}"
"""
"""The time now, and the start of the container's first process: ticks since the machine started, and its age."""


@dataclass(frozen=True, slots=True)
class Bench:
    """A service on the test cluster and what watches it."""

    service: Service
    watch: PodWatch
    sampler: Sampler
    roots: list[int]


@contextmanager
def bench_of(folder: Path, cluster: Cluster, dags: list[dict[str, Any]]) -> Iterator[Bench]:
    """Start a service with some DAGs (see `pods_dag`) in a namespace of its own; end all of it."""
    folder.mkdir(exist_ok=True)
    folder.parent.chmod(0o755)
    folder.chmod(0o755)
    mission = Mission(folder / "data")
    for name in ("auxiliary", "static", "gri", "session"):
        (mission.folder / name).mkdir(parents=True)
    stamp = mission.folder / "stamp.sh"
    stamp.write_text(STAMP)
    stamp.chmod(0o755)
    image = cluster.reference_image()
    place = Place(cluster, mission.folder)
    project = _project(folder / "project")
    plan = {
        "datatake": DATATAKE, "stamp": str(stamp), "staging": str(place.staging), "data": str(mission.folder),
        "namespace": place.name, "image": image, "dags": dags,
    }  # fmt: skip
    (project / "dags" / "bench.json").write_text(json.dumps(plan))
    shutil.copyfile(Path(__file__).with_name("pods_dag.py"), project / "dags" / "bench.py")
    variables = {"S2PS_STRATEGIES": str(_strategies(folder / "strategies"))}
    service = Service(place, mission, folder / "service", image, variables=variables, project=project)
    place.make()
    try:
        service._airflow = EmbeddedAirflow(
            service.home / "airflow", _free_port(), settings=service.environment, project=project
        )
        service.airflow.start(wait=600)
        _await(lambda: {str(entry["dag"]) for entry in dags} <= set(service.client.dag_ids()), "the DAGs are known")
        roots = [process.pid for process in service.airflow._processes()]
        bench = Bench(service, PodWatch(cluster, place.name), Sampler(roots), roots)
        bench.watch.start()
        bench.sampler.start()
        yield bench
        bench.watch.stop()
        bench.sampler.stop()
    finally:
        service.stop()
        place.remove()


def _project(folder: Path) -> Path:
    """Make a project folder with the DAGs of the checkout, to which others can be added."""
    (folder / "dags").mkdir(parents=True)
    for name in ("plugins", "src", "config", "ipf_adapters"):
        (folder / name).symlink_to(ROOT / name)
    for file in (ROOT / "dags").glob("*.py"):
        (folder / "dags" / file.name).symlink_to(file)
    return folder


def _strategies(folder: Path) -> Path:
    """Write a strategy named tiny, like single_machine but for its resources."""
    folder.mkdir(parents=True)
    content = load_strategy("single_machine").model_dump(mode="json", exclude_defaults=True)
    content["name"] = "tiny"
    for cluster in content["clusters"]:
        cluster["resources"] = {"cpu": 1, "memory_gb": 0.2, "disk_gb": 0.1, "time_s": 1800}
    (folder / "tiny.yaml").write_text(yaml.safe_dump(content))
    return folder


def _free_port() -> int:
    """Return a port no other Airflow that is just starting takes for free too."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _await(condition: Callable[[], bool], what: str, seconds: float = 300) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise RuntimeError(f"waited {seconds:.0f} s in vain until {what}")
        time.sleep(1)
