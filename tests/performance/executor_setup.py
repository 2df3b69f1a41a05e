"""An Airflow with another executor on the test cluster: its DAGs of plain pods, its settings, its namespace."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import time
from pathlib import Path
from typing import Any

import yaml

from s2ps.embedded.runtime import EmbeddedAirflow

ROOT = Path(__file__).resolve().parents[2]
STATE = Path(os.environ.get("S2PS_TEST_CLUSTER", "/tmp/s2ps-test-cluster"))
NAMESPACE = "s2ps-bench"
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


def project(folder: Path, options: argparse.Namespace) -> Path:
    """Write the project folder of the Airflow, with the DAGs that are measured, and return it."""
    place = folder / "project"
    (place / "dags").mkdir(parents=True)
    for part in ("plugins", "config", "src"):
        (place / part).symlink_to(ROOT / part)
    for file in (ROOT / "dags").glob("*.py"):
        (place / "dags" / file.name).write_text(file.read_text(encoding="utf-8"), encoding="utf-8")
    config = folder / "kubeconfig"
    config.write_text((STATE / "kubernetes" / "admin.kubeconfig").read_text(encoding="utf-8"), encoding="utf-8")
    config.chmod(0o644)
    text = DAG.format(
        namespace=NAMESPACE, image=image_of("reference"), config=config, deferred="deferred" in options.mode,
        links=options.links, width=options.width, nap=options.nap,
    )  # fmt: skip
    (place / "dags" / "bench.py").write_text(text, encoding="utf-8")
    return place


def image_of(name: str) -> str:
    """Return an image as `make images` has written it, by digest."""
    images = Path(os.environ.get("S2PS_IMAGES", ROOT / "var" / "images")) / "images.json"
    return str(json.loads(images.read_text(encoding="utf-8"))[name]["reference"])


def changes(folder: Path, options: argparse.Namespace) -> dict[str, str]:
    """Return the variables that make the executor of a mode."""
    parallel = {
        "AIRFLOW__CORE__PARALLELISM": "32",
        "AIRFLOW__CORE__DEFAULT_POOL_TASK_SLOT_COUNT": "128",
        "AIRFLOW__CORE__DAGBAG_IMPORT_TIMEOUT": "300",
    }
    if options.mode.startswith("local"):
        return parallel
    url = f"http://{options.address}:PORT"
    template = folder / "worker.yaml"
    repository, _, digest = image_of("service").partition("@")
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


def make_namespace() -> None:
    """Make the namespace of the pods, when that of an earlier measurement is gone."""
    for _ in range(60):
        text = json.dumps({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}})
        if "Terminating" not in kubectl("get", "namespace", NAMESPACE, "--ignore-not-found"):
            kubectl("apply", "-f", "-", text=text)
            return
        time.sleep(2)
    raise SystemExit(f"namespace {NAMESPACE} of an earlier measurement does not go away")


def kubectl(*words: str, text: str | None = None) -> str:
    """Return what kubectl prints."""
    config = STATE / "kubernetes" / "admin.kubeconfig"
    command = ["kubectl", "--kubeconfig", str(config), *words]
    return subprocess.run(command, input=text, capture_output=True, text=True, timeout=120, check=False).stdout
