"""Values for the Airflow chart name what the overlay makes, hold no secret, and give no component needless rights."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from unit.k8s.manifests import K8S, Manifest, read, render

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parents[3]
COMPONENTS = ("apiServer", "dagProcessor", "scheduler", "triggerer", "migrateDatabaseJob", "databaseCleanup")
LAUNCHERS = {"scheduler", "triggerer"}


@pytest.fixture(scope="module")
def values() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((K8S / "airflow" / "values.yaml").read_text(encoding="utf-8"))
    return found


def names(items: list[Manifest], kind: str) -> set[str]:
    return {
        item["metadata"]["name"]
        for item in items
        if item["kind"] == kind and item["metadata"].get("namespace") in ("s2ps", None)
    }


def secrets() -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for file in (K8S / "secrets").glob("*.yaml"):
        for item in read(f"secrets/{file.name}"):
            found[item["metadata"]["name"]] = set(item["stringData"])
    return found


def test_the_version_is_the_pinned_one(values: dict[str, Any]) -> None:
    pinned = re.search(r"^apache-airflow==(\S+)$", (ROOT / "requirements/requirements.in").read_text(), re.MULTILINE)
    assert pinned
    assert values["airflowVersion"] == pinned[1]


def test_what_is_named_exists_in_the_overlay(values: dict[str, Any]) -> None:
    items = render("overlays/production")
    claims = {v["persistentVolumeClaim"]["claimName"] for v in values["volumes"] if "persistentVolumeClaim" in v}
    assert claims | {values["logs"]["persistence"]["existingClaim"]} <= names(items, "PersistentVolumeClaim")
    assert {v["configMap"]["name"] for v in values["volumes"] if "configMap" in v} <= names(items, "ConfigMap")
    accounts = {values[name]["serviceAccount"]["name"] for name in COMPONENTS}
    assert accounts <= names(items, "ServiceAccount")
    priorities = {values[name].get("priorityClassName") for name in COMPONENTS} - {None}
    assert priorities <= names(items, "PriorityClass")
    sources = yaml.safe_load(values["extraEnvFrom"])
    assert {entry["configMapRef"]["name"] for entry in sources if "configMapRef" in entry} <= names(items, "ConfigMap")


def test_secrets_have_a_template_with_the_key_the_chart_reads(values: dict[str, Any]) -> None:
    keys = secrets()
    assert "fernet-key" in keys[values["fernetKeySecretName"]]
    assert "api-secret-key" in keys[values["apiSecretKeySecretName"]]
    assert "jwt-secret" in keys[values["jwtSecretName"]]
    assert "connection" in keys[values["data"]["metadataSecretName"]]
    assert {v["secret"]["secretName"] for v in values["volumes"] if "secret" in v} <= set(keys)
    for entry in yaml.safe_load(values["extraEnvFrom"]):
        if "secretRef" in entry:
            assert entry["secretRef"]["name"] in keys
    login = values["config"]["core"]["simple_auth_manager_passwords_file"]
    assert Path(login).name in keys["s2ps-login"]


def test_no_value_is_a_secret(values: dict[str, Any]) -> None:
    assert not {"fernetKey", "apiSecretKey", "jwtSecret", "webserverSecretKey"} & set(values)
    assert set(values["data"]) == {"metadataSecretName"}
    assert values["createUserJob"]["enabled"] is False


@pytest.mark.parametrize("component", COMPONENTS)
def test_every_component_has_limits_and_its_own_account(values: dict[str, Any], component: str) -> None:
    part = values[component]
    for kind in ("requests", "limits"):
        assert set(part["resources"][kind]) == {"cpu", "memory", "ephemeral-storage"}
    account = part["serviceAccount"]
    assert account["create"] is False
    assert account["automountServiceAccountToken"] is (component in LAUNCHERS)
    assert account["name"] == ("s2ps-launcher" if component in LAUNCHERS else "s2ps-airflow")


def test_side_containers_of_the_official_image_are_off(values: dict[str, Any]) -> None:
    for component in ("scheduler", "triggerer", "dagProcessor"):
        assert values[component]["logGroomerSidecar"]["enabled"] is False
        assert values[component]["livenessProbe"]["command"][:3] == ["airflow", "jobs", "check"]


def test_nothing_runs_as_root_and_the_image_is_fixed(values: dict[str, Any]) -> None:
    pod, container = values["securityContexts"]["pod"], values["securityContexts"]["containers"]
    assert (pod["runAsNonRoot"], pod["runAsUser"], values["uid"]) == (True, 10001, 10001)
    assert container == {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
    assert re.fullmatch(r"sha256:[0-9a-f]{64}", values["images"]["airflow"]["digest"])
    assert values["rbac"]["create"] is False
    assert values["allowPodLaunching"] is False


def test_only_the_scheduler_writes_what_stations_publish(values: dict[str, Any]) -> None:
    read_only = {mount["mountPath"] for mount in values["volumeMounts"] if mount.get("readOnly")}
    settings = next(i for i in render("base") if i["kind"] == "ConfigMap" and i["metadata"]["name"] == "s2ps-settings")
    places = {settings["data"][name] for name in ("S2PS_SESSIONS", "S2PS_AUXILIARY")}
    mounts = values["scheduler"]["extraVolumeMounts"]
    assert {mount["mountPath"] for mount in mounts} == places
    assert {str(Path(place).parent) for place in places} <= read_only
    assert {(mount["name"], Path(mount["mountPath"]).name) for mount in mounts} == {
        ("data", mount["subPath"]) for mount in mounts
    }
    assert not any("extraVolumeMounts" in values[name] for name in COMPONENTS if name != "scheduler")


def test_pods_and_airflow_see_the_same_paths(values: dict[str, Any]) -> None:
    (template,) = (item for item in render("overlays/production") if item["kind"] == "PodTemplate")
    container = template["template"]["spec"]["containers"][0]
    here = {mount["name"]: mount["mountPath"] for mount in values["volumeMounts"]}
    for mount in container["volumeMounts"]:
        if mount["name"] != "scratch":
            assert here[mount["name"]] == mount["mountPath"]
