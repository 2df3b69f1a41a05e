"""The test cluster as the tests see it: its environment, kubectl, namespaces with volumes and rights, images."""

from __future__ import annotations

import base64
import json
import os
import secrets
import shutil
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import yaml
from botocore.config import Config

ROOT = Path(__file__).resolve().parents[2]
STATE = Path(os.environ.get("S2PS_TEST_CLUSTER", "/tmp/s2ps-test-cluster"))
IMAGES = Path(os.environ.get("S2PS_IMAGES", ROOT / "var" / "images"))
GROUP = 10001
"""Group of the pods."""


class NoCluster(Exception):
    """There is no test cluster, or it does not answer."""


@dataclass(frozen=True)
class Cluster:
    """A running test cluster."""

    env: Mapping[str, str]

    @classmethod
    def find(cls) -> Cluster:
        """Return the running cluster; raise NoCluster saying what is missing."""
        script = STATE / "env.sh"
        if not script.is_file():
            raise NoCluster(f"no test cluster in {STATE}: make test-cluster-up starts one")
        done = subprocess.run(
            ["bash", "-c", f"set -a; source {script}; env -0"], capture_output=True, text=True, check=True
        )
        cluster = cls(dict(line.split("=", 1) for line in done.stdout.split("\0") if "=" in line))
        try:
            cluster.kubectl("get", "nodes", timeout=20)
        except (subprocess.SubprocessError, OSError) as error:
            raise NoCluster(f"the test cluster in {STATE} does not answer: {error}") from error
        return cluster

    @property
    def cephfs(self) -> Path:
        return Path(self.env["S2PS_TEST_CEPHFS"])

    def kubectl(self, *arguments: str, stdin: str | None = None, timeout: float = 120) -> str:
        """Run kubectl as administrator and return what it says."""
        program = self.env.get("S2PS_TEST_KUBECTL", "kubectl")
        done = subprocess.run(
            [program, *arguments], input=stdin, capture_output=True, text=True, timeout=timeout, env=dict(self.env),
            check=False,
        )  # fmt: skip
        if done.returncode:
            raise subprocess.CalledProcessError(done.returncode, arguments, done.stdout, done.stderr + done.stdout)
        return done.stdout

    def get(self, *arguments: str) -> Any:
        """Return objects as data."""
        return json.loads(self.kubectl("get", *arguments, "-o", "json"))

    def apply(self, *documents: Mapping[str, Any]) -> None:
        """Make objects."""
        self.kubectl("apply", "-f", "-", stdin=yaml.safe_dump_all([dict(item) for item in documents]))

    def s3(self) -> Any:
        """Return a client of the object store."""
        return boto3.client(
            "s3",
            endpoint_url=self.env["S2PS_TEST_S3"],
            region_name=self.env["AWS_DEFAULT_REGION"],
            aws_access_key_id=self.env["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=self.env["AWS_SECRET_ACCESS_KEY"],
            config=Config(s3={"addressing_style": "path"}),
        )

    def reference_image(self) -> str:
        """Return the image of the reference processors by digest; loads it on the nodes when they lack it."""
        known = json.loads((IMAGES / "images.json").read_text()) if (IMAGES / "images.json").is_file() else {}
        if "reference" not in known:
            raise NoCluster(f"no reference image in {IMAGES}: make images makes it")
        image = str(known["reference"]["reference"])
        names = [{n for i in node["status"]["images"] for n in i["names"]} for node in self.get("nodes")["items"]]
        if not all(image in found for found in names):
            script = ROOT / "tests" / "cluster" / "load_images.sh"
            subprocess.run([str(script), known["reference"]["archive"]], check=True, timeout=300, capture_output=True)
        return image


@dataclass
class Place:
    """A namespace of its own with everything pods of processors need, and folders for staging and data."""

    cluster: Cluster
    data: Path
    """Read-only in pods at the same path."""
    name: str = field(default_factory=lambda: f"s2ps-e2e-{secrets.token_hex(3)}")

    @property
    def staging(self) -> Path:
        """The folder on CephFS that pods and Airflow share."""
        return self.cluster.cephfs / self.name

    def make(self) -> None:
        """Make the namespace, accounts, rights, volumes and the Secret."""
        self.staging.mkdir()
        os.chown(self.staging, -1, GROUP)
        self.staging.chmod(0o2775)
        self.cluster.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": self.name}})
        self.cluster.apply(
            *self._volume("staging", self.staging, "ReadWriteMany"),
            *self._volume("data", self.data, "ReadOnlyMany"),
            self._object("ServiceAccount", "s2ps-processor", automountServiceAccountToken=False),
            self._object("ServiceAccount", "s2ps-launcher"),
            self._object("Secret", "s2ps-s3", stringData={k: v for k, v in self.cluster.env.items() if k in AWS_KEYS}),
            *self._rights(),
        )

    def remove(self) -> None:
        """Remove all of it; what pods have written stays until its folder is removed."""
        for pod in self.pods():
            self.cluster.kubectl(
                "-n", self.name, "delete", "pod", pod["metadata"]["name"], "--force", "--grace-period=0"
            )
        self.cluster.kubectl("delete", "namespace", self.name, "--wait=false")
        self.cluster.kubectl("delete", "pv", f"{self.name}-staging", f"{self.name}-data", "--wait=false")
        shutil.rmtree(self.staging, ignore_errors=True)

    def pods(self, selector: str = "") -> list[dict[str, Any]]:
        """Return the pods of the namespace."""
        chosen = ["-l", selector] if selector else []
        return list(self.cluster.get("-n", self.name, "pods", *chosen)["items"])

    def kubeconfig(self, folder: Path) -> Path:
        """Write a configuration with the rights of the launcher only; return its path."""
        whole = yaml.safe_load(Path(self.cluster.env["KUBECONFIG"]).read_text())
        whole["users"] = [{"name": whole["users"][0]["name"], "user": {"token": self._token("s2ps-launcher")}}]
        path = folder / "launcher.kubeconfig"
        path.write_text(yaml.safe_dump(whole))
        path.chmod(0o600)
        return path

    def _token(self, account: str) -> str:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            for item in self.cluster.get("-n", self.name, "secrets")["items"]:
                owner = item["metadata"].get("annotations", {}).get("kubernetes.io/service-account.name")
                if owner == account and "token" in item.get("data", {}):
                    return base64.b64decode(item["data"]["token"]).decode()
            time.sleep(0.5)
        raise NoCluster(f"service account {account} got no token")

    def _object(self, kind: str, name: str, version: str = "v1", **content: Any) -> dict[str, Any]:
        return {"apiVersion": version, "kind": kind, "metadata": {"name": name, "namespace": self.name}, **content}

    def _volume(self, name: str, folder: Path, mode: str) -> list[dict[str, Any]]:
        spec = {"accessModes": [mode], "storageClassName": "", "volumeName": f"{self.name}-{name}"}
        volume = {
            "apiVersion": "v1",
            "kind": "PersistentVolume",
            "metadata": {"name": f"{self.name}-{name}"},
            "spec": {
                "accessModes": [mode],
                "capacity": {"storage": "10Gi"},
                "hostPath": {"path": str(folder), "type": "Directory"},
                "persistentVolumeReclaimPolicy": "Retain",
                "storageClassName": "",
                "claimRef": {"namespace": self.name, "name": f"s2ps-{name}"},
            },
        }
        spec["resources"] = {"requests": {"storage": "10Gi"}}  # type: ignore[assignment]
        return [volume, self._object("PersistentVolumeClaim", f"s2ps-{name}", spec=spec)]

    def _rights(self) -> list[dict[str, Any]]:
        """Return the rights of the launcher as the manifests of the project give them, in this namespace."""
        found = yaml.safe_load_all((ROOT / "k8s" / "base" / "launcher-rights.yaml").read_text())
        rights = [item for item in found if item["kind"] in ("Role", "RoleBinding")]
        for item in rights:
            item["metadata"]["namespace"] = self.name
            for subject in item.get("subjects", ()):
                subject["namespace"] = self.name
        return rights


AWS_KEYS = frozenset({"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION", "AWS_ENDPOINT_URL"})
