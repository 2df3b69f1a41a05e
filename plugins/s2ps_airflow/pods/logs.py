"""The log of a pod as plain lines in the log of its task; losing it loses nothing."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from typing import Any

from kubernetes.client import ApiException
from urllib3.exceptions import HTTPError

from s2ps_airflow.pods.api import PodApi, reason
from s2ps_airflow.pods.view import CONTAINER

log = logging.getLogger(__name__)
SILENCE_S = 300.0
"""A connection without a line for so long is opened again."""
PAUSE_S = 1.0


class LogFollower:
    """Copies the lines of a running pod in a thread of its own, which never outlives the task."""

    def __init__(self, api: PodApi, pod: str, write: Callable[[str], None]) -> None:
        self._api = api
        self._pod = pod
        self._write = write
        self._last = ""
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._follow, name=f"log of {pod}", daemon=True)

    def start(self) -> None:
        """Begin to follow."""
        self._thread.start()

    def finish(self, seconds: float) -> None:
        """Give the last lines a moment to arrive, then stop."""
        self._over.set()
        self._thread.join(seconds)

    def _follow(self) -> None:
        while True:
            over = self._over.is_set()
            try:
                for line in self._lines():
                    self._tell(line)
            except (ApiException, HTTPError, OSError) as error:
                log.debug("log of pod %s: %s", self._pod, reason(error))
            if over or self._over.wait(PAUSE_S):
                return

    def _lines(self) -> Iterator[str]:
        last = self._over.is_set()
        stream: Any = self._api.client.read_namespaced_pod_log(
            self._pod, self._api.namespace, container=CONTAINER, follow=not last, timestamps=True,
            _preload_content=False, _request_timeout=(5.0, SILENCE_S),
        )  # fmt: skip
        try:
            rest = b""
            for chunk in stream.stream(amt=None):
                *whole, rest = (rest + chunk).split(b"\n")
                yield from (line.decode("utf-8", "replace") for line in whole)
            if rest and last:  # else the connection broke inside a line, which the next one brings whole
                yield rest.decode("utf-8", "replace")
        finally:
            stream.release_conn()

    def _tell(self, line: str) -> None:
        """Write a line without its time stamp, unless it was written before."""
        stamp, _, text = line.partition(" ")
        if stamp > self._last:
            self._last = stamp
            self._write(text)


def copy_log(api: PodApi, pod: str, lines: int, write: Callable[[str], None]) -> None:
    """Write the end of the log of a pod that has ended."""
    for line in api.tail(pod, lines).splitlines():
        write(line)
