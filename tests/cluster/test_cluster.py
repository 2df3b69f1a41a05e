"""The test cluster does what tests of failures rely on."""

from __future__ import annotations

import os
import subprocess
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from cluster.controls import NODES, SCRIPTS, Controls, Pod, wait
from cluster.fault_proxy import FaultProxy
from cluster.scratch_image import write_image

pytestmark = pytest.mark.cluster
NAMESPACE = "test-of-cluster"
LABEL = "test=cluster"


@pytest.fixture(scope="module")
def controls() -> Iterator[Controls]:
    if "S2PS_TEST_KUBECTL" not in os.environ:
        pytest.skip("no test cluster: make test-cluster-up, then source its env.sh")
    opened = Controls()
    opened.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}})
    wait("service account", lambda: opened.kubectl("get", "serviceaccounts", "-n", NAMESPACE, "-o", "name"), 30)
    yield opened
    opened.kubectl("delete", "namespace", NAMESPACE, "--wait=false")


@pytest.fixture(scope="module")
def image(controls: Controls, tmp_path_factory: pytest.TempPathFactory) -> str:
    """An image that does nothing until it is ended, by its digest."""
    archive = tmp_path_factory.mktemp("image") / "idle.tar"
    write_image(
        archive, "localhost/test/idle:1", "/idle", {"/idle": Path(os.environ["S2PS_TEST_KUBECTL"]).with_name("pause")}
    )
    return next(word for word in controls.load_images(archive).split() if "@sha256:" in word)


def start(controls: Controls, image: str, node: str) -> str:
    """Start a pod on a node and return its name."""
    name = f"idle-{uuid.uuid4().hex[:8]}"
    container = {"name": "main", "image": image, "imagePullPolicy": "Never"}
    spec = {"restartPolicy": "Never", "nodeSelector": {"kubernetes.io/hostname": node}, "containers": [container]}
    metadata = {"name": name, "namespace": NAMESPACE, "labels": {"test": "cluster"}}
    controls.apply({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec})
    wait(f"{name} on {node}", lambda: (found := pod(controls, name)) and found.phase == "Running", 60)
    return name


def pod(controls: Controls, name: str) -> Pod | None:
    return next((found for found in controls.pods(NAMESPACE, LABEL) if found.name == name), None)


@pytest.mark.parametrize("node", NODES)
def test_pod_by_digest_runs_on_each_node_and_can_be_killed(controls: Controls, image: str, node: str) -> None:
    name = start(controls, image, node)
    running = pod(controls, name)
    assert running is not None
    assert running.node == node
    controls.kill_container(running)
    wait("the end", lambda: (found := pod(controls, name)) and found.exit_code == 137, 30)


def test_lost_node_is_noticed_its_pods_evicted_and_it_comes_back(controls: Controls, image: str) -> None:
    name = start(controls, image, "node2")
    begun = time.monotonic()
    controls.kill_kubelet("node2")
    try:
        controls.wait_lost("node2", 30)
        wait("eviction", lambda: (found := pod(controls, name)) and found.deleting, 20)
        assert 10 < time.monotonic() - begun < 30
    finally:
        controls.start_kubelet("node2")
    wait("the evicted pod gone", lambda: pod(controls, name) is None, 60)
    start(controls, image, "node2")


def test_pod_survives_the_api_server(controls: Controls, image: str) -> None:
    name = start(controls, image, "node1")
    with controls.without_api_server(), pytest.raises(RuntimeError, match="refused"):
        controls.pods(NAMESPACE)
    found = pod(controls, name)
    assert found is not None
    assert (found.phase, found.deleting, found.restarts) == ("Running", False, 0)


def test_cephfs_goes_on_after_the_metadata_server_was_killed(controls: Controls) -> None:
    first, second = (Path(os.environ[name]) for name in ("S2PS_TEST_CEPHFS", "S2PS_TEST_CEPHFS_2"))
    name = f"mds-{uuid.uuid4().hex[:8]}"
    (first / name).write_text("before")
    controls.restart_mds(2)
    try:
        assert (second / name).read_text() == "before"
        (second / name).write_text("after")
        assert (first / name).read_text() == "after"
    finally:
        (first / name).unlink()


def test_fault_proxy_refuses_and_delays_for_its_time() -> None:
    proxy = FaultProxy()
    settings = Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"})
    client: Any = boto3.client("s3", endpoint_url=proxy.address, config=settings)
    try:
        client.list_buckets()
        proxy.refuse_for(1)
        with pytest.raises(ClientError, match="SlowDown"):
            client.list_buckets()
        time.sleep(1)
        proxy.delay_for(1, 0.5)
        begun = time.monotonic()
        client.list_buckets()
        assert 0.5 < time.monotonic() - begun < 5
        assert (proxy.refused, proxy.delayed) == (1, 1)
    finally:
        client.close()
        proxy.close()


def test_scripts_never_touch_the_cluster_of_another_folder(controls: Controls, tmp_path: Path) -> None:
    environment = {**os.environ, "S2PS_TEST_CLUSTER": str(tmp_path / "other")}
    command = [str(SCRIPTS / "node.sh"), "down", "node9"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode != 0
    assert f"is in {controls.state}, not in {tmp_path}" in done.stderr
