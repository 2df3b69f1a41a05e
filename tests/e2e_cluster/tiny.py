"""Clusters of jobs that do what a test says, for tests of pods and not of processors.

A job runs the script a test has written (`script`), in the pod, with TINY_CLUSTER and TINY_JOB (both from 0) in its
environment; it has no inputs and no outputs. Trigger the DAG `tiny`; its one mapped task is named `cluster`.
"""

from __future__ import annotations

import textwrap
from pathlib import Path

import yaml
from e2e_cluster.cluster import ROOT, Place

from s2ps.execution.result import ClusterResult
from s2ps.planning.strategy import load_strategy
from s2ps.staging import layout
from s2ps.staging.store import StagingStore

NODE = "l0_location"
"""The node of the strategy that the tiny clusters belong to."""
DATATAKE = "GS2B_20260701T101559_043890_N05.00"


def strategies(folder: Path, cpu: float = 1, memory_gb: float = 0.2) -> Path:
    """Write a strategy named tiny, like single_machine but for its resources; return the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    content = load_strategy("single_machine").model_dump(mode="json", exclude_defaults=True)
    content["name"] = "tiny"
    for cluster in content["clusters"]:
        cluster["resources"] = {"cpu": cpu, "memory_gb": memory_gb, "disk_gb": 0.1, "time_s": 1800}
        cluster["pod"] = {"memory_ceiling_gb": memory_gb * 4}
    (folder / "tiny.yaml").write_text(yaml.safe_dump(content))
    return folder


def script(place: Place, text: str, name: str = "job.sh") -> str:
    """Write a bash script that pods can run; return its path."""
    path = place.staging / name
    path.write_text(f"#!/bin/bash\nset -eu\n{text}\n")
    path.chmod(0o755)
    return str(path)


def project(folder: Path, *, clusters: int, jobs: int = 1, command: str = "/bin/true") -> Path:
    """Make a project folder with the DAGs of the checkout and the DAG `tiny`; return it."""
    (folder / "dags").mkdir(parents=True)
    for name in ("plugins", "src", "config", "ipf_adapters"):
        (folder / name).symlink_to(ROOT / name)
    for file in (ROOT / "dags").glob("*.py"):
        (folder / "dags" / file.name).symlink_to(file)
    source = DAG_FILE.replace("@CLUSTERS@", str(clusters)).replace("@JOBS@", str(jobs)).replace("@COMMAND@", command)
    (folder / "dags" / "tiny.py").write_text(source)
    return folder


def cluster_id(number: int) -> str:
    """Return the id of a cluster."""
    return f"{NODE}@granule={number + 1:03d}"


def result_of(store: StagingStore, number: int) -> ClusterResult:
    """Return what a cluster has left."""
    return ClusterResult.model_validate_json(store.read(layout.result(DATATAKE, cluster_id(number))))


DAG_FILE = textwrap.dedent(
    '''
    """Tiny clusters, one mapped task each."""

    from airflow.sdk import DAG, BaseOperator

    from s2ps.execution.request import ClusterRequest, JobRequest
    from s2ps.staging import layout
    from s2ps_airflow import production
    from s2ps_airflow.execution import cluster_arguments
    from s2ps_airflow.pods.operator import ClusterPodOperator
    from s2ps_airflow.roles import CLUSTERS

    COUNT, JOBS, NODE, DATATAKE = @CLUSTERS@, @JOBS@, "l0_location", "GS2B_20260701T101559_043890_N05.00"


    class PlanTiny(BaseOperator):
        def execute(self, context):
            store = production.service().store
            planned = []
            for number in range(COUNT):
                name = f"{NODE}@granule={number + 1:03d}"
                jobs = tuple(
                    JobRequest(
                        id=f"L0.TINY{job}@granule={number + 1:03d}", phase="L0", task="TINY", processor="TINY",
                        version="1", executable="@COMMAND@", timeout_s=1500, key=f"key of {number} {job}",
                        environment={"TINY_CLUSTER": str(number), "TINY_JOB": str(job)},
                    )
                    for job in range(JOBS)
                )
                request = ClusterRequest(
                    datatake=DATATAKE, run_id=DATATAKE, plan_hash="tiny", cluster_id=name, node=NODE, label=str(number),
                    timeout_s=1500, staging=store.uri, jobs=jobs,
                )
                store.write(layout.request(DATATAKE, name), request.dump().encode())
                planned.append({"id": name, "label": str(number), "jobs": JOBS})
            context["ti"].xcom_push(key=CLUSTERS, value={NODE: planned})
            return list(range(COUNT))


    with DAG("tiny", schedule=None, params={"datatake": DATATAKE, "strategy": "tiny"}, max_active_tasks=1000,
             is_paused_upon_creation=False) as dag:
        plan = PlanTiny(task_id="plan")
        ClusterPodOperator.partial(
            task_id="cluster", node=NODE, plan_task="plan", map_index_template="{{ part_name }}",
            **cluster_arguments(1500),
        ).expand(part=plan.output)
    '''
)
