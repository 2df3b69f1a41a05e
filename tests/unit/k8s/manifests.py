"""Manifests as they would be applied, and what is looked for in them."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
import yaml

K8S = Path(__file__).parents[3] / "k8s"
OVERLAYS = ("base", "overlays/local", "overlays/production", "overlays/production-s3")
Manifest = dict[str, Any]


def render(folder: str | Path) -> list[Manifest]:
    """Return the objects of a kustomize folder; the test is skipped where kubectl is not installed."""
    if shutil.which("kubectl") is None:
        pytest.skip("kubectl is not installed, nothing renders the kustomize folders")
    return list(_render(str(folder)))


@lru_cache(maxsize=16)
def _render(folder: str) -> tuple[Manifest, ...]:
    done = subprocess.run(
        ["kubectl", "kustomize", str(K8S / folder)], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return tuple(item for item in yaml.safe_load_all(done.stdout) if item)


def read(file: str) -> list[Manifest]:
    """Return the objects of one file below k8s/."""
    return [item for item in yaml.safe_load_all((K8S / file).read_text(encoding="utf-8")) if item]


def name_of(item: Manifest) -> str:
    """Return kind/namespace/name."""
    return f"{item['kind']}/{item['metadata'].get('namespace', '-')}/{item['metadata']['name']}"


def find(items: list[Manifest], kind: str, name: str, namespace: str | None = None) -> Manifest:
    """Return the one object of this kind and name."""
    found = [
        item
        for item in items
        if item["kind"] == kind and item["metadata"]["name"] == name and item["metadata"].get("namespace") == namespace
    ]
    assert len(found) == 1, f"{kind} {namespace}/{name}: {len(found)} of them in {sorted(map(name_of, items))}"
    return found[0]


def pod_specs(item: Any) -> Iterator[dict[str, Any]]:
    """Yield every pod specification inside an object: whatever has containers."""
    if isinstance(item, dict):
        if "containers" in item:
            yield item
        for value in item.values():
            yield from pod_specs(value)
    elif isinstance(item, list):
        for value in item:
            yield from pod_specs(value)


def findings(spec: dict[str, Any]) -> list[str]:
    """Return what is wrong with a pod specification by the rules of this project."""
    found = []
    security = spec.get("securityContext", {})
    if spec.get("automountServiceAccountToken") is not False:
        found.append("a token is mounted")
    if security.get("seccompProfile", {}).get("type") != "RuntimeDefault":
        found.append("no seccomp profile")
    for container in spec["containers"] + spec.get("initContainers", []):
        found += [f"{container['name']}: {text}" for text in _container_findings(container, security)]
    return found


def _container_findings(container: dict[str, Any], pod: dict[str, Any]) -> Iterator[str]:
    own = container.get("securityContext", {})
    limits = container.get("resources", {}).get("limits", {})
    for resource in ("cpu", "memory", "ephemeral-storage"):
        if resource not in limits:
            yield f"no limit of {resource}"
    if own.get("runAsNonRoot", pod.get("runAsNonRoot")) is not True:
        yield "may run as root"
    if own.get("runAsUser", pod.get("runAsUser")) != 10001:
        yield "is not user 10001"
    if own.get("readOnlyRootFilesystem") is not True:
        yield "writable root file system"
    if own.get("allowPrivilegeEscalation") is not False:
        yield "may gain privileges"
    if own.get("capabilities", {}).get("drop") != ["ALL"]:
        yield "keeps capabilities"
    image = container["image"]
    if image.endswith(":latest") or (":" not in image.rsplit("/", 1)[-1] and "@" not in image):
        yield f"image {image} is not fixed"
