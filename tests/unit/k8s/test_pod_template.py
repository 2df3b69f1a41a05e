"""The pod template in k8s/ is the pod the service builds with the settings in k8s/."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import yaml
from dags.pods.cases import request
from kubernetes.client import ApiClient
from unit.k8s.manifests import Manifest, find, render

from s2ps.planning.strategy import ClusterSpec
from s2ps.settings import Settings
from s2ps_airflow.pods.labels import PART_OF, Identity
from s2ps_airflow.pods.settings import PodSettings
from s2ps_airflow.pods.spec import Order, build_pod

pytestmark = pytest.mark.unit

EXAMPLE = ClusterSpec.model_validate(
    {
        "name": "l1c_tile", "level": "L1C", "phase_group": "tiles", "tasks": ["GEN_ORTHO_TOA"],
        "resources": {"cpu": 1, "memory_gb": 4, "disk_gb": 20, "time_s": 3600},
    }
)  # fmt: skip


def built(items: list[Manifest], monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    for name, value in find(items, "ConfigMap", "s2ps-settings", "s2ps")["data"].items():
        monkeypatch.setenv(name, value)
    asked = request()
    order = Order(asked, EXAMPLE, Identity.of(asked, b""), memory_gb=4.0)
    pod = build_pod(order, 1, Settings.load(), PodSettings.load())
    found: dict[str, Any] = ApiClient().sanitize_for_serialization(pod)
    return found


def test_the_template_is_what_is_built(monkeypatch: pytest.MonkeyPatch) -> None:
    items = render("overlays/production")
    pod = built(items, monkeypatch)["spec"]
    pod["containers"][0]["args"][0] = "runs/DATATAKE/requests/CLUSTER.json"
    template = copy.deepcopy(find(items, "PodTemplate", "s2ps-processor", "s2ps-processing")["template"])
    assert template["spec"] == pod
    assert template["metadata"]["labels"] == PART_OF


def test_with_staging_in_s3_no_volume_is_left_and_the_secret_is_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    items = render("overlays/production-s3")
    pod = built(items, monkeypatch)["spec"]
    pod["containers"][0]["args"][0] = "runs/DATATAKE/requests/CLUSTER.json"
    template = find(items, "PodTemplate", "s2ps-processor", "s2ps-processing")["template"]
    assert template["spec"] == pod
    claims = {item["metadata"]["name"] for item in items if item["kind"] == "PersistentVolumeClaim"}
    assert claims == {"s2ps-data", "s2ps-products", "s2ps-logs"}


def test_additions_fit_the_container_and_keep_nodes_that_work() -> None:
    items = render("base")
    text = find(items, "ConfigMap", "s2ps-pod-template", "s2ps")["data"]["processor.yaml"]
    additions = yaml.safe_load(text)
    template = find(items, "PodTemplate", "s2ps-processor", "s2ps-processing")["template"]
    assert [item["name"] for item in additions["spec"]["containers"]] == [template["spec"]["containers"][0]["name"]]
    assert additions["metadata"]["annotations"] == template["metadata"]["annotations"]
