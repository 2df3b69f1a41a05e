"""Every pod of a namespace there ever was, by a watch that survives the API server."""

from __future__ import annotations

import json
import subprocess
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

CLUSTER, NUMBER = "s2ps-cluster", "s2ps-number"


@dataclass
class Seen:
    """What was seen of one pod, the last state of each field that was ever known."""

    uid: str
    name: str
    labels: dict[str, str]
    spec: dict[str, Any]
    node: str = ""
    started: str = ""
    finished: str = ""
    exit_code: int | None = None
    reason: str = ""
    """Of the pod, such as Evicted."""
    message: str = ""
    ended_by: str = ""
    """Of the container, such as OOMKilled."""
    deleted: bool = False

    @property
    def memory(self) -> str:
        return str(self.spec["containers"][0]["resources"]["limits"]["memory"])


@dataclass
class PodWatch:
    """Collects pods while inside; `seen` is in the order of their appearance."""

    kubectl: str
    environment: Mapping[str, str]
    namespace: str
    seen: dict[str, Seen] = field(default_factory=dict)
    _process: subprocess.Popen[str] | None = None
    _over: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._follow, daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        time.sleep(1)
        self._over.set()
        if self._process is not None:
            self._process.terminate()
        if self._thread is not None:
            self._thread.join(10)

    def of(self, tile: str) -> list[Seen]:
        """Return the pods of a tile."""
        return [pod for pod in list(self.seen.values()) if pod.labels.get("tile") == tile]

    def _follow(self) -> None:
        command = [self.kubectl, "-n", self.namespace, "get", "pods", "--watch", "--output-watch-events", "-o", "json"]
        while not self._over.is_set():
            with subprocess.Popen(
                command, env=dict(self.environment), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
            ) as process:
                self._process = process
                self._read(process)
            self._over.wait(0.5)

    def _read(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        for line in process.stdout:  # one event per line
            self._note(json.loads(line))

    def _note(self, event: dict[str, Any]) -> None:
        pod = event["object"]
        meta, status = pod["metadata"], pod.get("status", {})
        seen = self.seen.setdefault(meta["uid"], Seen(meta["uid"], meta["name"], meta.get("labels", {}), pod["spec"]))
        seen.labels = meta.get("labels", {})
        seen.deleted = seen.deleted or event["type"] == "DELETED"
        seen.node = pod["spec"].get("nodeName") or seen.node
        seen.reason, seen.message = status.get("reason") or seen.reason, status.get("message") or seen.message
        for container in status.get("containerStatuses", ()):
            state = container.get("state", {})
            running, ended = state.get("running", {}), state.get("terminated", {})
            seen.started = running.get("startedAt") or ended.get("startedAt") or seen.started
            seen.finished = ended.get("finishedAt") or seen.finished
            seen.exit_code = ended.get("exitCode", seen.exit_code)
            seen.ended_by = ended.get("reason") or seen.ended_by
