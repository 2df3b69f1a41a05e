"""Every manifest fits current Kubernetes, and says what the house rules want."""

from __future__ import annotations

import copy
import json
import os
import re
import textwrap
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
from kubernetes.utils.quantity import parse_quantity
from unit.k8s.manifests import K8S, OVERLAYS, Manifest, find, findings, name_of, pod_specs, read, render

from s2ps.planning.strategy import load_strategy, strategy_names
from s2ps.settings import Settings
from s2ps_airflow.pods.settings import PodSettings

pytestmark = pytest.mark.unit

VERSIONS = ("1.30", "1.34", "1.37")
"""Kubernetes versions whose schemas are asked; the test cluster itself is of 1.20 and asked by the e2e tests."""
SECRETS = sorted(path.name for path in (K8S / "secrets").glob("*.yaml"))


def check(item: Manifest, version: str) -> None:
    try:
        kubernetes_validate.validate(item, version, strict=True)
    except kubernetes_validate.ValidationError as error:
        place = ".".join(map(str, error.path))
        raise AssertionError(f"{name_of(item)} for Kubernetes {version}: {place}: {error.message}") from None


@pytest.mark.parametrize("version", VERSIONS)
def test_every_object_fits_the_schema(version: str) -> None:
    items = {json.dumps(item, sort_keys=True): item for folder in OVERLAYS for item in render(folder)}
    assert len(items) > 40
    for item in items.values():
        check(item, version)


@pytest.mark.parametrize("file", SECRETS)
def test_secret_templates_fit_and_hold_no_secret(file: str) -> None:
    for item in read(f"secrets/{file}"):
        check(item, VERSIONS[-1])
        assert set(item["stringData"].values()) == {""}


def test_the_schema_check_can_fail() -> None:
    item = copy.deepcopy(find(read("pod-templates/processor.yaml"), "PodTemplate", "s2ps-processor", "s2ps-processing"))
    item["template"]["spec"]["containers"][0]["ressources"] = {}
    with pytest.raises(AssertionError, match="ressources"):
        check(item, VERSIONS[-1])


@pytest.mark.parametrize("folder", ["overlays/local", "overlays/production"])
def test_pods_obey_the_house_rules(folder: str) -> None:
    specs = [spec for item in render(folder) for spec in pod_specs(item)]
    assert specs
    for spec in specs:
        assert findings(spec) == []


def broken(change: str) -> dict[str, Any]:
    spec = copy.deepcopy(next(pod_specs(read("pod-templates/processor.yaml"))))
    container = spec["containers"][0]
    container["image"] = "registry.example.org/reference@sha256:" + 64 * "0"
    match change:
        case "limit":
            del container["resources"]["limits"]["memory"]
        case "root":
            container["securityContext"]["runAsNonRoot"] = False
        case "latest":
            container["image"] = "registry.example.org:5000/reference"
        case "token":
            del spec["automountServiceAccountToken"]
    return spec


@pytest.mark.parametrize(
    ("change", "text"),
    [("limit", "memory"), ("root", "root"), ("latest", "not fixed"), ("token", "token"), ("nothing", None)],
)
def test_the_house_rules_find_what_is_wrong(change: str, text: str | None) -> None:
    found = findings(broken(change))
    assert [text in item for item in found] == ([True] if text else [])


def test_production_runs_images_by_digest() -> None:
    images = [c["image"] for item in render("overlays/production") for s in pod_specs(item) for c in s["containers"]]
    assert images
    assert all(re.fullmatch(r"[\w.:/-]+@sha256:[0-9a-f]{64}", image) for image in images)


@pytest.mark.parametrize("folder", OVERLAYS)
def test_nothing_enters_a_namespace_unasked(folder: str) -> None:
    for namespace in ("s2ps", "s2ps-processing"):
        spec = find(render(folder), "NetworkPolicy", "deny-all", namespace)["spec"]
        assert spec == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}


def test_processors_reach_names_and_the_object_store_only() -> None:
    policies = [
        item
        for item in render("base")
        if item["kind"] == "NetworkPolicy" and item["metadata"]["namespace"] == "s2ps-processing"
    ]
    assert {item["metadata"]["name"] for item in policies} == {"deny-all", "allow-names", "allow-s3"}
    assert not any(item["spec"].get("ingress") for item in policies)


def test_only_the_launcher_has_rights() -> None:
    items = render("overlays/production")
    assert not [item for item in items if item["kind"] in ("ClusterRole", "ClusterRoleBinding")]
    bindings = [item for item in items if item["kind"] == "RoleBinding"]
    assert [item["subjects"] for item in bindings] == [
        [{"kind": "ServiceAccount", "name": "s2ps-launcher", "namespace": "s2ps"}]
    ]
    accounts = [item for item in items if item["kind"] == "ServiceAccount"]
    assert [a["metadata"]["name"] for a in accounts if a["automountServiceAccountToken"]] == ["s2ps-launcher"]


CALL = re.compile(r"\.(create|read|list|patch|delete)_namespaced_(pod|pod_log|event)\b")


def calls_of_the_provider() -> set[tuple[str, str]]:
    """Return verb and resource of the calls in the installed provider, without those for side containers."""
    provider = distribution("apache-airflow-providers-cncf-kubernetes")
    folder = Path(str(provider.locate_file("airflow/providers/cncf/kubernetes")))
    verbs = {"read": "get"}
    resources = {"pod": "pods", "pod_log": "pods/log", "event": "events"}
    found = set()
    for file in ("operators/pod.py", "utils/pod_manager.py", "hooks/kubernetes.py", "triggers/pod.py"):
        for verb, resource in CALL.findall((folder / file).read_text(encoding="utf-8")):
            found.add((verbs.get(verb, verb), resources[resource]))
    hook = (folder / "hooks/kubernetes.py").read_text(encoding="utf-8")
    if re.search(r"\.stream\(\s*v1_api\.list_namespaced_event", hook):
        found.add(("watch", "events"))
    return found


def test_the_launcher_has_the_rights_the_provider_uses_and_no_more() -> None:
    role = find(render("base"), "Role", "s2ps-launcher", "s2ps-processing")
    granted = {(verb, name) for rule in role["rules"] for name in rule["resources"] for verb in rule["verbs"]}
    assert granted == calls_of_the_provider()


def test_settings_are_known_to_the_service() -> None:
    known = {f"S2PS_{name.upper()}" for name in Settings.model_fields}
    known |= {f"S2PS_POD_{name.upper()}" for name in PodSettings.model_fields}
    assert set(find(render("base"), "ConfigMap", "s2ps-settings", "s2ps")["data"]) <= known


def test_every_cluster_of_the_strategies_fits_the_limits_of_a_container() -> None:
    limits = find(render("overlays/production"), "LimitRange", "s2ps-processing", "s2ps-processing")["spec"]["limits"]
    most = {name: parse_quantity(value) for name, value in limits[0]["max"].items()}
    for cluster in (spec for name in strategy_names() for spec in load_strategy(name).clusters):
        asked = cluster.resources
        memory = max(asked.memory_gb, cluster.pod.memory_ceiling_gb or 0)
        assert asked.cpu <= most["cpu"], cluster.name
        assert memory * 10**9 <= most["memory"], cluster.name
        assert asked.disk_gb * 10**9 <= most["ephemeral-storage"], cluster.name


def test_both_namespaces_claim_the_same_data() -> None:
    items = render("overlays/production")
    for claim in ("s2ps-staging", "s2ps-data"):
        first, second = (find(items, "PersistentVolumeClaim", claim, where) for where in ("s2ps", "s2ps-processing"))
        assert first["spec"]["resources"] == second["spec"]["resources"]
        assert second["spec"]["volumeName"] == f"{claim}-processing"
        assert first["spec"]["storageClassName"] == "rook-cephfs"


def test_near_real_time_displaces_reprocessing_but_never_airflow() -> None:
    classes = {item["metadata"]["name"]: item for item in render("base") if item["kind"] == "PriorityClass"}
    values = [classes[f"s2ps-{name}"]["value"] for name in ("reprocessing", "near-real-time", "service")]
    assert values == sorted(values)
    assert 0 < values[0] < values[1] < values[2]
    assert classes["s2ps-reprocessing"]["preemptionPolicy"] == "Never"
    assert not any(item.get("globalDefault") for item in classes.values())


def test_the_network_rules_can_be_narrowed_as_the_page_says(tmp_path: Path) -> None:
    page = (K8S.parent / "docs" / "kubernetes.md").read_text(encoding="utf-8")
    patches = textwrap.dedent(page.partition("```yaml\n")[2].partition("```")[0].rstrip(" "))
    production = os.path.relpath(K8S / "overlays" / "production", tmp_path)
    (tmp_path / "kustomization.yaml").write_text(f"resources: [{production}]\n{patches}", encoding="utf-8")
    policies = [item for item in render(tmp_path) if item["kind"] == "NetworkPolicy"]
    assert len(policies) > 5
    assert "0.0.0.0/0" not in json.dumps(policies)
    assert "rook-ceph" not in json.dumps(policies)
