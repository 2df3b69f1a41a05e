"""Break parts of the test cluster on purpose, mend them, and look at its pods: for tests of failures."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SCRIPTS = Path(__file__).resolve().parent
NODES = ("node1", "node2")


@dataclass(frozen=True, slots=True)
class Pod:
    """What the API server says about a pod now."""

    name: str
    namespace: str
    uid: str
    node: str | None
    phase: str
    deleting: bool
    labels: dict[str, str]
    restarts: int
    exit_code: int | None
    containers: dict[str, str]
    """Container names, and their ids in containerd; empty before they are started."""


class Controls:
    """The running test cluster; without one, RuntimeError says how to start it."""

    def __init__(self) -> None:
        self.state = Path(os.environ.get("S2PS_TEST_CLUSTER", "/tmp/s2ps-test-cluster"))
        self._kubectl = os.environ.get("S2PS_TEST_KUBECTL", "")
        if not self._kubectl or not (self.state / "env.sh").is_file():
            raise RuntimeError(f"no test cluster: make test-cluster-up, then source {self.state}/env.sh")

    # ---- Kubernetes
    def kubectl(self, *arguments: str, stdin: str | None = None, timeout_s: float = 60) -> str:
        """Run kubectl as administrator and return what it prints; RuntimeError repeats what it complains about."""
        config = self.state / "kubernetes" / "admin.kubeconfig"
        return _run([self._kubectl, "--kubeconfig", str(config), *arguments], stdin, timeout_s)

    def apply(self, *manifests: dict[str, Any]) -> None:
        """Make or change objects."""
        self.kubectl("apply", "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": manifests}))

    def pods(self, namespace: str = "s2ps-processing", selector: str = "") -> list[Pod]:
        """Return the pods of a namespace, oldest first."""
        found = self.kubectl("get", "pods", "-n", namespace, "-l", selector, "-o", "json")
        items = sorted(json.loads(found)["items"], key=lambda item: str(item["metadata"]["creationTimestamp"]))
        return [_pod(item) for item in items]

    def delete_pod(self, pod: Pod, *, at_once: bool = False) -> None:
        """Delete a pod; `at_once` only forgets it, as after the loss of its node."""
        force = ("--grace-period=0", "--force") if at_once else ()
        self.kubectl("delete", "pod", "-n", pod.namespace, pod.name, "--wait=false", "--ignore-not-found", *force)

    def kill_container(self, pod: Pod, container: str | None = None) -> None:
        """Kill the first process of a container by SIGKILL, as the kernel does when memory is short."""
        name = container or next(iter(pod.containers))
        socket = self.state / str(pod.node) / "containerd.sock"
        kill = ("tasks", "kill", "--signal", "SIGKILL", pod.containers[name])
        _run(["ctr", "--address", str(socket), "--namespace", "k8s.io", *kill])

    def load_images(self, *archives: Path) -> str:
        """Bring docker archives to all nodes; return what tells their names with digests."""
        return _run([str(SCRIPTS / "load_images.sh"), *map(str, archives)], timeout_s=300)

    # ---- nodes
    def ready_nodes(self) -> set[str]:
        """Return the names of the nodes that are ready."""
        lines = self.kubectl("get", "nodes", "--no-headers").splitlines()
        return {line.split()[0] for line in lines if "Ready" in line.split()[1].split(",")}

    def wait_ready(self, *nodes: str, seconds: float = 90) -> None:
        """Wait until nodes (default: all) are ready."""
        wait(f"{nodes or NODES} ready", lambda: set(nodes or NODES) <= self.ready_nodes(), seconds)

    def wait_lost(self, node: str, seconds: float = 60) -> None:
        """Wait until the API server has noticed that a node does not answer."""
        wait(f"{node} not ready", lambda: node not in self.ready_nodes(), seconds)

    def kill_kubelet(self, node: str) -> None:
        """Kill the kubelet of a node by SIGKILL; its containers go on."""
        _run([str(SCRIPTS / "node.sh"), "kill-kubelet", node])

    def start_kubelet(self, node: str) -> None:
        """Start the kubelet of a node again and wait until the node is ready."""
        _run([str(SCRIPTS / "node.sh"), "start-kubelet", node])
        self.wait_ready(node)

    def lose_node(self, node: str) -> None:
        """Kill everything on a node at once, containers too, as when its power is cut."""
        _run([str(SCRIPTS / "node.sh"), "down", node])

    def return_node(self, node: str) -> None:
        """Start a lost node again and wait until it is ready."""
        _run([str(SCRIPTS / "node.sh"), "up", node])
        self.wait_ready(node)

    # ---- API server and Ceph
    @contextmanager
    def without_api_server(self) -> Iterator[None]:
        """Stop the API server, and start it again at the end."""
        _run([str(SCRIPTS / "kubernetes.sh"), "stop", "apiserver"])
        try:
            yield
        finally:
            _run([str(SCRIPTS / "kubernetes.sh"), "start", "apiserver"], timeout_s=120)

    def restart_api_server(self, away_s: float) -> None:
        """Stop the API server and start it again after some seconds."""
        with self.without_api_server():
            time.sleep(away_s)

    def restart_mds(self, away_s: float = 0) -> None:
        """Kill the metadata server of CephFS, start it again after some seconds and wait until it is active."""
        _run([str(SCRIPTS / "ceph.sh"), "restart-mds", str(away_s)], timeout_s=150 + away_s)


def wait(what: str, condition: Callable[[], object], seconds: float, pause_s: float = 0.5) -> None:
    """Wait until a condition holds; TimeoutError says what was waited for."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(f"{what}: not within {seconds:.0f} s")
        time.sleep(pause_s)


def _pod(item: dict[str, Any]) -> Pod:
    metadata, status = item["metadata"], item["status"]
    states = status.get("containerStatuses", ())
    ended = [state["state"]["terminated"]["exitCode"] for state in states if "terminated" in state.get("state", {})]
    return Pod(
        name=metadata["name"],
        namespace=metadata["namespace"],
        uid=metadata["uid"],
        node=item["spec"].get("nodeName"),
        phase=status.get("phase", "Pending"),
        deleting="deletionTimestamp" in metadata,
        labels=metadata.get("labels", {}),
        restarts=sum(state.get("restartCount", 0) for state in states),
        exit_code=ended[0] if ended else None,
        containers={
            state["name"]: state["containerID"].removeprefix("containerd://")
            for state in states
            if state.get("containerID")
        },
    )


def _run(command: list[str], stdin: str | None = None, timeout_s: float = 60) -> str:
    done = subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=timeout_s, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command[:6])} ended with {done.returncode}: {done.stderr.strip()[-2000:]}")
    return done.stdout
