"""The pod that is sent to Kubernetes: what it may do, what it gets, and that no secret is in it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from dags.pods import cases
from kubernetes.client import ApiClient

from s2ps.model.errors import ConfigurationError
from s2ps.planning.strategy import PodOptions, Toleration
from s2ps_airflow.pods.labels import label_value
from s2ps_airflow.pods.operator import ClusterPodOperator
from s2ps_airflow.pods.settings import PodSettings

pytestmark = pytest.mark.dags


@pytest.fixture(autouse=True)
def _settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("S2PS_HOME", "/srv/s2ps")
    monkeypatch.setenv("S2PS_STAGING", "/mnt/cephfs/staging")
    monkeypatch.setenv("S2PS_POD_IMAGE", cases.IMAGE)


def sent(number: int = 1, **given: Any) -> dict[str, Any]:
    operator = ClusterPodOperator(task_id="t", node="l1c_tile", plan_task="plan_tiles")
    pod = operator.pod_of(cases.order(**given), number, None, dry_run=True)
    document: dict[str, Any] = ApiClient().sanitize_for_serialization(pod)
    return document


def test_it_has_no_rights() -> None:
    spec = sent()["spec"]
    assert spec["securityContext"] == {
        "runAsNonRoot": True, "runAsUser": 10001, "runAsGroup": 10001, "seccompProfile": {"type": "RuntimeDefault"},
    }  # fmt: skip
    (container,) = spec["containers"]
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False, "privileged": False, "readOnlyRootFilesystem": True, "runAsNonRoot": True,
        "capabilities": {"drop": ["ALL"]},
    }  # fmt: skip
    assert spec["automountServiceAccountToken"] is False
    assert spec["enableServiceLinks"] is False
    assert spec["serviceAccountName"] == "s2ps-processor"
    assert spec["restartPolicy"] == "Never"
    assert not {"hostNetwork", "hostPID", "hostIPC"} & {key for key, value in spec.items() if value}


def test_it_gets_what_the_strategy_says(monkeypatch: pytest.MonkeyPatch) -> None:
    (container,) = sent()["spec"]["containers"]
    same = {"cpu": "1000m", "memory": "4000M", "ephemeral-storage": "10000M"}
    assert container["resources"] == {"limits": same, "requests": same}
    assert sent(memory_gb=8.0)["spec"]["containers"][0]["resources"]["limits"]["memory"] == "8000M"
    monkeypatch.setenv("S2PS_POD_CPU_REQUEST_SHARE", "0.25")
    assert sent()["spec"]["containers"][0]["resources"]["requests"]["cpu"] == "250m"


def test_it_runs_the_request_by_two_words_and_knows_its_attempt() -> None:
    (container,) = sent()["spec"]["containers"]
    assert container["image"] == cases.IMAGE
    assert container["args"] == [
        f"runs/{cases.DATATAKE}/requests/l1c_tile@tile=32TPQ.json", "--staging", "file:///mnt/cephfs/staging",
    ]  # fmt: skip
    assert not container.get("command")
    assert container["env"][0] == {
        "name": "S2PS_ATTEMPT", "valueFrom": {"fieldRef": {"fieldPath": "metadata.uid"}},
    }  # fmt: skip
    assert container["terminationMessagePolicy"] == "FallbackToLogsOnError"


def test_staging_and_data_are_at_the_paths_airflow_uses(monkeypatch: pytest.MonkeyPatch) -> None:
    spec = sent()["spec"]
    mounts = {mount["mountPath"]: mount for mount in spec["containers"][0]["volumeMounts"]}
    assert set(mounts) == {
        "/tmp", "/mnt/cephfs/staging", "/srv/s2ps/auxiliary", "/srv/s2ps/static", "/srv/s2ps/gri", "/srv/s2ps/session",
    }  # fmt: skip
    assert all(mount.get("readOnly") for path, mount in mounts.items() if path.startswith("/srv"))
    assert mounts["/srv/s2ps/session"]["subPath"] == "sessions"
    claims = {volume["name"]: volume for volume in spec["volumes"]}
    assert claims["staging"]["persistentVolumeClaim"] == {"claimName": "s2ps-staging"}
    assert claims["data"]["persistentVolumeClaim"] == {"claimName": "s2ps-data", "readOnly": True}
    assert claims["scratch"]["emptyDir"] == {"sizeLimit": "10000M"}
    monkeypatch.setenv("S2PS_POD_DATA_MOUNT", "/srv/s2ps")
    monkeypatch.setenv("S2PS_POD_STAGING_MOUNT", "/mnt/cephfs")
    places = {mount["mountPath"]: mount.get("subPath") for mount in sent()["spec"]["containers"][0]["volumeMounts"]}
    assert places == {"/tmp": None, "/mnt/cephfs": None, "/srv/s2ps": None}
    monkeypatch.setenv("S2PS_POD_STAGING_MOUNT", "/elsewhere")
    with pytest.raises(ConfigurationError, match="is not below /elsewhere"):
        sent()


def test_an_s3_staging_brings_a_secret_by_name_and_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("S2PS_STAGING", "s3://bucket/staging?endpoint=http://10.0.0.1:7480&region=default")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "KEYOFTESTS")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "SECRETOFTESTS")
    document = sent()
    (container,) = document["spec"]["containers"]
    assert container["envFrom"] == [{"secretRef": {"name": "s2ps-s3"}}]
    assert [volume["name"] for volume in document["spec"]["volumes"]] == ["scratch", "data"]
    assert "OFTESTS" not in json.dumps(document)


def test_a_folder_staging_brings_no_secret() -> None:
    assert not sent()["spec"]["containers"][0].get("envFrom")


def test_labels_are_safe_and_find_the_pod() -> None:
    meta = sent(number=3)["metadata"]
    labels = meta["labels"]
    assert (labels["datatake"], labels["node"], labels["tile"]) == (cases.DATATAKE, "l1c_tile", "32TPQ")
    assert labels["cluster"] == "l1c_tile_tile_32TPQ"
    for value in labels.values():
        assert re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?", value), value
    assert re.fullmatch(r"l1c-tile-32tpq-[0-9a-f]{10}-3", meta["name"])
    assert len(label_value("=" + "x" * 80 + "=")) == 63
    assert label_value("x" * 80) != label_value("x" * 81)


def test_pods_of_other_requests_and_stagings_are_told_apart() -> None:
    here = cases.identity()
    again, elsewhere = cases.identity(timeout_s=1.0), cases.identity(staging="s3://other")
    assert (here.cluster == again.cluster, here.request == again.request) == (True, False)
    assert here.cluster != elsewhere.cluster
    assert here == cases.identity()


def test_limits_in_time() -> None:
    spec = sent()["spec"]
    assert spec["activeDeadlineSeconds"] == 3600 + 900 + 30
    assert spec["terminationGracePeriodSeconds"] == 30
    leaving = {entry["key"]: entry for entry in spec["tolerations"]}
    assert leaving["node.kubernetes.io/unreachable"]["tolerationSeconds"] == 60


def test_an_image_needs_a_digest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("S2PS_POD_IMAGE", "s2ps/reference:1")
    with pytest.raises(ConfigurationError, match="'s2ps/reference:1' has no digest"):
        sent()
    monkeypatch.setenv("S2PS_POD_IMAGE_TAGS", "true")
    assert sent()["spec"]["containers"][0]["image"] == "s2ps/reference:1"
    monkeypatch.setenv("S2PS_POD_IMAGE", "")
    with pytest.raises(ConfigurationError, match="cluster l1c_tile has no image"):
        sent()


def test_the_strategy_may_say_where_a_cluster_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("S2PS_POD_PRIORITY_CLASS", "s2ps-near-real-time")
    monkeypatch.setenv("S2PS_POD_REPROCESSING_PRIORITY_CLASS", "s2ps-reprocessing")
    monkeypatch.setenv("S2PS_POD_NODE_SELECTOR", '{"pool": "any", "arch": "amd64"}')
    monkeypatch.setenv("S2PS_POD_TOLERATIONS", '[{"key": "s2ps", "operator": "Exists", "tolerationSeconds": 9}]')
    assert sent()["spec"]["priorityClassName"] == "s2ps-near-real-time"
    assert sent(reprocessing=True)["spec"]["priorityClassName"] == "s2ps-reprocessing"
    other = cases.IMAGE.replace("reference", "special")
    options = PodOptions(
        image=other,
        node_selector={"pool": "large"},
        tolerations=(Toleration(key="large", operator="Exists", effect="NoSchedule"),),
        priority_class="mine",
    )
    spec = sent(cluster=cases.spec(pod=options))["spec"]
    assert spec["priorityClassName"] == "mine"
    assert spec["nodeSelector"] == {"pool": "large", "arch": "amd64"}
    assert spec["containers"][0]["image"] == other
    assert [entry["key"] for entry in spec["tolerations"]][:2] == ["s2ps", "large"]
    assert spec["tolerations"][0]["tolerationSeconds"] == 9


def test_a_template_adds_but_does_not_loosen(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    template = tmp_path / "pod.yaml"
    template.write_text(
        """
apiVersion: v1
kind: Pod
metadata: {name: any, labels: {team: ours}, annotations: {note: kept}}
spec:
  automountServiceAccountToken: true
  enableServiceLinks: true
  hostNetwork: true
  imagePullSecrets: [{name: registry}]
  volumes: [{name: extra, emptyDir: {}}, {name: scratch, hostPath: {path: /}}]
  containers:
    - name: any
      image: other
      env: [{name: EXTRA, value: "1"}]
      volumeMounts: [{name: extra, mountPath: /extra}]
      securityContext: {privileged: true, allowPrivilegeEscalation: true}
"""
    )
    monkeypatch.setenv("S2PS_POD_TEMPLATE", str(template))
    document = sent()
    spec, (container,) = document["spec"], document["spec"]["containers"]
    assert document["metadata"]["labels"]["team"] == "ours"
    assert spec["imagePullSecrets"] == [{"name": "registry"}]
    volumes = {volume["name"]: volume for volume in spec["volumes"]}
    assert (set(volumes), len(spec["volumes"])) == ({"extra", "scratch", "staging", "data"}, 4)
    assert "hostPath" not in volumes["scratch"]
    assert {entry["name"] for entry in container["env"]} >= {"EXTRA", "S2PS_ATTEMPT"}
    assert (container["image"], container["name"]) == (cases.IMAGE, "processor")
    assert spec["automountServiceAccountToken"] is False
    assert spec["enableServiceLinks"] is False
    assert not spec.get("hostNetwork")
    assert container["securityContext"]["privileged"] is False
    assert container["securityContext"]["allowPrivilegeEscalation"] is False


def test_a_wrong_setting_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("S2PS_POD_START_LIMIT_S", "soon")
    with pytest.raises(ConfigurationError, match="S2PS_POD_START_LIMIT_S='soon'"):
        PodSettings.load()


def test_every_setting_is_in_the_manual() -> None:
    manual = (Path(__file__).parents[3] / "docs" / "pods.md").read_text()
    fields = {f"`S2PS_POD_{name.upper()}`" for name in PodSettings.model_fields}
    assert [name for name in sorted(fields) if f"| {name} | " not in manual] == []
    assert "|  |\n" not in manual
