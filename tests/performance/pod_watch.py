"""Notes when each pod of a namespace is made, placed and running, and what it says, line by line with its time."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from e2e_cluster.cluster import Cluster
from kubernetes import client, config, watch
from urllib3.exceptions import HTTPError


@dataclass(slots=True)
class Seen:
    """One pod; times in seconds of the system clock, 0: not seen."""

    created: float = 0.0
    scheduled: float = 0.0
    running: float = 0.0
    lines: list[tuple[float, str]] = field(default_factory=list)


@dataclass(slots=True)
class PodWatch:
    """Watches a namespace in a thread until it is stopped."""

    cluster: Cluster
    namespace: str
    pods: dict[str, Seen] = field(default_factory=dict)
    """By the id of the Airflow task."""
    _over: bool = False

    def start(self) -> None:
        """Begin."""
        threading.Thread(target=self._run, daemon=True).start()

    def stop(self) -> None:
        """End with the next news."""
        self._over = True

    def running(self) -> int:
        """Return how many pods have been running so far."""
        return sum(1 for seen in self.pods.values() if seen.running)

    def _api(self) -> client.CoreV1Api:
        return client.CoreV1Api(config.new_client_from_config(self.cluster.env["KUBECONFIG"]))

    def _run(self) -> None:
        api, news = self._api(), watch.Watch()
        while not self._over:
            try:
                for event in news.stream(api.list_namespaced_pod, self.namespace, timeout_seconds=60):
                    self._note(event["object"], time.time())
                    if self._over:
                        return
            except (HTTPError, client.ApiException) as error:
                print(f"the pods of {self.namespace} are not seen for a moment: {error}", flush=True)
                time.sleep(1)

    def _note(self, pod: Any, now: float) -> None:
        task = (pod.metadata.labels or {}).get("task_id", pod.metadata.name)
        seen = self.pods.setdefault(task, Seen())
        seen.created = seen.created or now
        states = [status.state for status in pod.status.container_statuses or ()]
        if pod.spec.node_name:
            seen.scheduled = seen.scheduled or now
        if any(state.running for state in states) and not seen.running:
            seen.running = now
            threading.Thread(target=self._follow, args=(pod.metadata.name, seen), daemon=True).start()

    def _follow(self, name: str, seen: Seen) -> None:
        try:
            stream = self._api().read_namespaced_pod_log(
                name, self.namespace, follow=True, timestamps=True, _preload_content=False
            )
            text = stream.read().decode()
        except client.ApiException as error:
            text = ""
            print(f"the log of {name} is lost: {error.status}", flush=True)
        for line in text.splitlines():
            stamp, _, rest = line.partition(" ")
            seen.lines.append((_seconds(stamp), rest))


def _seconds(stamp: str) -> float:
    """Read a time with nanoseconds."""
    return datetime.fromisoformat(f"{stamp[:26].rstrip('Z')}+00:00").timestamp()
