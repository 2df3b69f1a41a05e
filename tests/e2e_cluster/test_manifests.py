"""A real API server takes the manifests, and gives the launcher exactly what it needs."""

from __future__ import annotations

import json
import os
import subprocess
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from unit.k8s.manifests import K8S, OVERLAYS, find, read

pytestmark = pytest.mark.cluster

STATE = Path(os.environ.get("S2PS_TEST_CLUSTER", "/tmp/s2ps-test-cluster"))
LAUNCHER = "system:serviceaccount:s2ps:s2ps-launcher"
Kubectl = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def kubectl() -> Kubectl:
    """Run kubectl as administrator of the test cluster; its namespaces and rights are those of the base."""
    config = STATE / "kubernetes" / "admin.kubeconfig"
    if not config.exists():
        pytest.skip(f"{config} is missing: start the test cluster with `make test-cluster-up`")

    def run(*words: str, text: str | None = None, check: bool = True) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            ["kubectl", "--kubeconfig", str(config), *words],
            input=text, capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
        assert done.returncode == 0 or not check, f"kubectl {' '.join(words)}: {done.stderr}"
        return done

    for file in ("namespaces", "service-accounts", "launcher-rights", "priority-classes"):
        run("apply", "-f", str(K8S / "base" / f"{file}.yaml"))
    return run


@pytest.mark.parametrize("folder", OVERLAYS)
def test_the_server_takes_every_object(kubectl: Kubectl, folder: str) -> None:
    rendered = kubectl("kustomize", str(K8S / folder)).stdout
    count = len([item for item in yaml.safe_load_all(rendered) if item])
    answer = kubectl("apply", "--dry-run=server", "-k", str(K8S / folder)).stdout.splitlines()
    assert len(answer) == count
    assert all(line.endswith("(server dry run)") for line in answer)


def test_the_server_refuses_a_wrong_object(kubectl: Kubectl) -> None:
    item = find(read("base/quotas.yaml"), "ResourceQuota", "s2ps-processing", "s2ps-processing")
    item["spec"]["hard"]["pods"] = "many"
    done = kubectl("apply", "--dry-run=server", "-f", "-", text=json.dumps(item), check=False)
    assert done.returncode != 0
    assert "quantities must match" in done.stderr


def may(kubectl: Kubectl, who: str, verb: str, resource: str, namespace: str) -> bool:
    name, _, sub = resource.partition("/")
    more = ["--subresource", sub] if sub else []
    answer = kubectl("auth", "can-i", verb, name, *more, "--as", who, "-n", namespace, check=False)
    return answer.stdout.strip() == "yes"


def test_the_launcher_may_what_the_operator_does_and_nothing_else(kubectl: Kubectl) -> None:
    role = find(read("base/launcher-rights.yaml"), "Role", "s2ps-launcher", "s2ps-processing")
    for rule in role["rules"]:
        for resource in rule["resources"]:
            for verb in rule["verbs"]:
                assert may(kubectl, LAUNCHER, verb, resource, "s2ps-processing"), f"{verb} {resource}"
    for verb, resource in (("create", "pods/exec"), ("get", "secrets"), ("list", "secrets"), ("create", "configmaps"),
                           ("deletecollection", "pods"), ("create", "jobs"), ("create", "rolebindings")):  # fmt: skip
        assert not may(kubectl, LAUNCHER, verb, resource, "s2ps-processing"), f"{verb} {resource}"
    for namespace in ("s2ps", "kube-system", "default"):
        assert not may(kubectl, LAUNCHER, "create", "pods", namespace)
    listed = kubectl("auth", "can-i", "--list", "--as", "system:serviceaccount:s2ps-processing:s2ps-processor").stdout
    assert "pods" not in listed


@pytest.fixture(scope="module")
def as_launcher(kubectl: Kubectl, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a kubeconfig that has the launcher's token only."""
    accounts = kubectl("-n", "s2ps", "get", "secrets", "-o", "json").stdout
    found = [
        item["data"]["token"]
        for item in json.loads(accounts)["items"]
        if item["metadata"].get("annotations", {}).get("kubernetes.io/service-account.name") == "s2ps-launcher"
    ]
    assert found, "the service account has no token"
    decoded = subprocess.run(["base64", "-d"], input=found[0], capture_output=True, text=True, check=True).stdout
    config: dict[str, Any] = yaml.safe_load((STATE / "kubernetes" / "admin.kubeconfig").read_text(encoding="utf-8"))
    for user in config["users"]:
        user["user"] = {"token": decoded}
    file = tmp_path_factory.mktemp("launcher") / "kubeconfig"
    file.write_text(yaml.safe_dump(config), encoding="utf-8")
    file.chmod(0o600)
    return file


@pytest.fixture
def pod_name(kubectl: Kubectl) -> Iterator[str]:
    name = f"manifests-{uuid.uuid4().hex[:8]}"
    yield name
    kubectl("-n", "s2ps-processing", "delete", "pod", name, "--ignore-not-found", "--grace-period=0", "--force")


def test_the_launchers_token_runs_follows_and_removes_a_pod(kubectl: Kubectl, as_launcher: Path, pod_name: str) -> None:
    def launcher(*words: str, text: str | None = None) -> str:
        return kubectl("--kubeconfig", str(as_launcher), "-n", "s2ps-processing", *words, text=text).stdout

    pause = next(
        name
        for node in json.loads(kubectl("get", "nodes", "-o", "json").stdout)["items"]
        for image in node["status"]["images"]
        for name in image["names"]
        if "pause" in name
    )
    template = find(read("pod-templates/processor.yaml"), "PodTemplate", "s2ps-processor", "s2ps-processing")
    spec = template["template"]["spec"]
    container = spec["containers"][0]
    container.update(image=pause, imagePullPolicy="Never", args=[], volumeMounts=container["volumeMounts"][:1])
    container["resources"]["requests"] = container["resources"]["limits"] = {"cpu": "10m", "memory": "16Mi"}
    spec["volumes"] = spec["volumes"][:1]
    about = {"name": pod_name, "labels": {"s2ps-test": pod_name}}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": about, "spec": spec}
    launcher("create", "--validate=false", "-f", "-", text=json.dumps(pod))
    kubectl("-n", "s2ps-processing", "wait", f"pod/{pod_name}", "--for=condition=Ready", "--timeout=60s")
    assert pod_name in launcher("get", "pods", "-l", f"s2ps-test={pod_name}", "-o", "name")
    launcher("patch", "pod", pod_name, "-p", '{"metadata":{"labels":{"already_checked":"True"}}}')
    assert launcher("get", "events", "--field-selector", f"involvedObject.name={pod_name}", "-o", "name")
    launcher("logs", pod_name)
    launcher("delete", "pod", pod_name, "--grace-period=0", "--force")


def cephfs_volume(name: str) -> list[dict[str, Any]]:
    """Return a claim of s2ps and the volume a CephFS driver would have made for it."""
    csi = {
        "driver": "rook-ceph.cephfs.csi.ceph.com",
        "volumeHandle": f"0001-0009-rook-ceph-0000000000000001-{name}",
        "volumeAttributes": {"clusterID": "rook-ceph", "fsName": "main", "subvolumePath": f"/volumes/csi/{name}/1"},
        "nodeStageSecretRef": {"name": "rook-csi-cephfs-node", "namespace": "rook-ceph"},
    }
    common: dict[str, Any] = {"accessModes": ["ReadWriteMany"], "storageClassName": ""}
    return [
        {
            "apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": name},
            "spec": {**common, "capacity": {"storage": "1Gi"}, "csi": csi},
        },
        {
            "apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "s2ps-data", "namespace": "s2ps"},
            "spec": {**common, "volumeName": name, "resources": {"requests": {"storage": "1Gi"}}},
        },
    ]  # fmt: skip


@pytest.fixture
def bound_claim(kubectl: Kubectl) -> Iterator[str]:
    name = f"manifests-{uuid.uuid4().hex[:8]}"
    for item in cephfs_volume(name):
        kubectl("create", "-f", "-", text=json.dumps(item))
    kubectl("-n", "s2ps", "wait", "pvc/s2ps-data", "--for=jsonpath={.status.phase}=Bound", "--timeout=60s")
    yield name
    kubectl("-n", "s2ps", "delete", "pvc", "s2ps-data", "--wait=false")
    kubectl("delete", "pv", name, "s2ps-data-processing", "--ignore-not-found", "--wait=false")


def test_a_cephfs_volume_is_shown_in_the_second_namespace_too(kubectl: Kubectl, bound_claim: str) -> None:
    config = {"KUBECONFIG": str(STATE / "kubernetes" / "admin.kubeconfig")}
    for _ in range(2):  # it may be run again
        done = subprocess.run(
            [str(K8S / "share-volume.sh"), "s2ps-data"],
            capture_output=True, text=True, timeout=60, env={**os.environ, **config}, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
    spec = json.loads(kubectl("get", "pv", "s2ps-data-processing", "-o", "json").stdout)["spec"]
    assert spec["csi"]["volumeAttributes"]["rootPath"] == f"/volumes/csi/{bound_claim}/1"
    assert spec["csi"]["volumeAttributes"]["staticVolume"] == "true"
    assert spec["csi"]["nodeStageSecretRef"]["name"] == "rook-csi-cephfs-node-user"
    assert spec["accessModes"] == ["ReadOnlyMany"]
    assert (spec["claimRef"]["namespace"], spec["claimRef"]["name"]) == ("s2ps-processing", "s2ps-data")
    first = json.loads(kubectl("get", "pv", bound_claim, "-o", "json").stdout)["spec"]
    assert first["persistentVolumeReclaimPolicy"] == "Retain"
