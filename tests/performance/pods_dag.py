"""DAG file of the measurement of pods, copied and not imported: tasks of every kind in turn, and many at a time.

Every task does the same: it runs the command STAMP, which says when it has begun, and then sleeps.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from airflow.providers.cncf.kubernetes.operators.pod import KubernetesPodOperator
from airflow.sdk import DAG, BaseOperator
from kubernetes.client import models as k8s

from s2ps.execution.request import ClusterRequest, JobRequest
from s2ps.staging import layout
from s2ps_airflow import production
from s2ps_airflow.operators import ClusterOperator
from s2ps_airflow.pods.operator import ClusterPodOperator
from s2ps_airflow.roles import CLUSTERS

PLAN = json.loads(Path(__file__).with_name("bench.json").read_text())
NODE, DATATAKE, STAMP = "l0_location", PLAN["datatake"], PLAN["stamp"]


def request_of(staging: str, name: str, nap: float) -> ClusterRequest:
    """Return a cluster of one job."""
    job = JobRequest(
        id=f"L0.STAMP@part={name}", phase="L0", task="STAMP", processor="STAMP", version="1", executable=STAMP,
        timeout_s=600, data_id=f"part={name}", key=name, environment={"S2PS_NAP": str(nap)},
    )  # fmt: skip
    return ClusterRequest(
        datatake=DATATAKE, run_id=DATATAKE, plan_hash="bench", cluster_id=f"{NODE}@part={name}", node=NODE, label=name,
        timeout_s=600, staging=staging, jobs=(job,),
    )  # fmt: skip


class PlanStamps(BaseOperator):
    """Writes the requests of all tasks of a DAG."""

    def __init__(self, *, names: list[str], nap: float, **kwargs):
        super().__init__(**kwargs)
        self.names, self.nap = names, nap

    def execute(self, context):
        """Leave the clusters for the tasks behind."""
        store = production.service().store
        requests = [request_of(store.uri, name, self.nap) for name in self.names]
        for request in requests:
            store.write(layout.request(DATATAKE, request.cluster_id), request.dump().encode())
        clusters = [{"id": request.cluster_id, "label": request.label, "jobs": 1} for request in requests]
        context["ti"].xcom_push(key=CLUSTERS, value={NODE: clusters})


def plain(name: str, nap: float, deferrable: bool) -> KubernetesPodOperator:
    """Return a KubernetesPodOperator as in its manual, with the image, volumes, user and limits of the others."""
    claims = {"staging": ("s2ps-staging", PLAN["staging"]), "data": ("s2ps-data", PLAN["data"])}
    limits = {"cpu": "1", "memory": "200M", "ephemeral-storage": "100M"}
    return KubernetesPodOperator(
        task_id=name, name=name.replace("_", "-"), namespace=PLAN["namespace"], image=PLAN["image"], cmds=[STAMP],
        image_pull_policy="Never", env_vars={"S2PS_NAP": str(nap)}, deferrable=deferrable, in_cluster=False,
        config_file=os.environ["KUBECONFIG"], service_account_name="s2ps-processor",
        security_context={"runAsUser": 10001, "runAsGroup": 10001, "fsGroup": 10001},
        container_resources=k8s.V1ResourceRequirements(limits=limits, requests={"cpu": "100m", "memory": "40M"}),
        volumes=[k8s.V1Volume(name=volume, persistent_volume_claim=k8s.V1PersistentVolumeClaimVolumeSource(claim))
                 for volume, (claim, _) in claims.items()],
        volume_mounts=[k8s.V1VolumeMount(name=volume, mount_path=path) for volume, (_, path) in claims.items()],
    )  # fmt: skip


def task_of(kind: str, name: str, number: int, nap: float) -> BaseOperator:
    """Return a task; those of S2PS take the cluster with a number."""
    if kind.startswith("plain"):
        return plain(name, nap, kind == "plain_deferred")
    cluster = {"task_id": name, "node": NODE, "plan_task": "plan", "part": number}
    if kind == "local":
        return ClusterOperator(**cluster)
    return ClusterPodOperator(**cluster, deferrable=kind == "pod_deferred")


def dag_of(dag_id: str, tasks: list[tuple[str, str]], nap: float, chained: bool) -> DAG:
    """Return a DAG of (kind, name)s."""
    params = {"datatake": DATATAKE, "strategy": "tiny"}
    common = {"schedule": None, "max_active_tasks": 100, "is_paused_upon_creation": False}
    with DAG(dag_id, params=params, default_args={"retries": 2}, **common) as dag:
        before = PlanStamps(task_id="plan", names=[name for _, name in tasks], nap=nap)
        for number, (kind, name) in enumerate(tasks):
            task = task_of(kind, name, number, nap)
            before >> task
            before = task if chained else before
    return dag


for entry in PLAN["dags"]:
    globals()[entry["dag"]] = dag_of(entry["dag"], entry["tasks"], entry["nap"], entry["chained"])
