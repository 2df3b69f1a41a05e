"""The few calls to the API server a task needs; each waits while the server is away."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable
from typing import Any, TypeVar

from kubernetes.client import ApiException, CoreV1Api
from urllib3.exceptions import HTTPError

from s2ps.model.errors import StagingError
from s2ps_airflow.pods.view import CONTAINER, PodView

log = logging.getLogger(__name__)
T = TypeVar("T")
AWAY = frozenset({401, 408, 425, 429, 500, 502, 503, 504})
"""Answers of a server that is starting, stopping or overloaded; 401 while credentials are renewed."""
FORBIDDEN_PATIENCE_S = 60.0
"""A server that has just started refuses everything until it has read its rules: so long rights may be missing."""
TIMEOUTS_S = (5.0, 30.0)
LONGEST_PAUSE_S = 8.0
TAIL_LINES = 20
EVENTS = 5


class ApiAway(StagingError):
    """The API server did not answer for longer than S2PS_POD_API_PATIENCE_S; the pod may well go on."""


class PodApi:
    """Pods of one namespace. Errors that waiting does not cure are raised as ApiException."""

    def __init__(
        self,
        connect: Callable[[], CoreV1Api],
        namespace: str,
        patience_s: float,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        """`connect` makes a client with fresh credentials; `pause` may raise to break off the waiting."""
        self.namespace = namespace
        self._connect = connect
        self._client: CoreV1Api | None = None
        self._answered = False
        self._forbidden_since: float | None = None
        self._patience_s = patience_s
        self._pause = pause

    @property
    def client(self) -> CoreV1Api:
        """Return the client of the provider."""
        if self._client is None:
            self._client = self._connect()
            # The waiting is ours; the client's own tries would only fill the log of the task with warnings.
            self._client.api_client.rest_client.pool_manager.connection_pool_kw["retries"] = False
        return self._client

    def get(self, name: str) -> PodView | None:
        """Return a pod; None when there is none of this name."""
        try:
            found = self._patiently(
                lambda: self.client.read_namespaced_pod(
                    name, self.namespace, _preload_content=False, _request_timeout=TIMEOUTS_S
                )
            )
        except ApiException as error:
            if error.status == 404:
                return None
            raise
        return PodView.of(json.loads(found.data))

    def list(self, selector: str, fields: str = "") -> list[PodView]:
        """Return the pods with certain labels (and fields), oldest first."""
        more = {"field_selector": fields} if fields else {}
        found = self._patiently(
            lambda: self.client.list_namespaced_pod(
                self.namespace, label_selector=selector, _preload_content=False, _request_timeout=TIMEOUTS_S, **more
            )
        )
        return sorted((PodView.of(item) for item in json.loads(found.data)["items"]), key=lambda pod: pod.number)

    def create(self, pod: Any) -> PodView | None:
        """Make a pod; None when there is one of its name already, which may be our own after a lost answer."""
        try:
            made = self._patiently(
                lambda: self.client.create_namespaced_pod(
                    self.namespace, pod, _preload_content=False, _request_timeout=TIMEOUTS_S
                )
            )
        except ApiException as error:
            if error.status == 409:
                return None
            raise
        return PodView.of(json.loads(made.data))

    def delete(self, name: str, *, now: bool = False) -> None:
        """Delete a pod; `now` without waiting for its node, which may not answer."""
        grace = {"grace_period_seconds": 0} if now else {}
        try:
            self._patiently(
                lambda: self.client.delete_namespaced_pod(
                    name, self.namespace, _preload_content=False, _request_timeout=TIMEOUTS_S, **grace
                )
            )
        except ApiException as error:
            if error.status != 404:
                raise

    def label(self, name: str, labels: dict[str, str]) -> None:
        """Add labels to a pod; one that is gone needs none."""
        body = {"metadata": {"labels": labels}}
        try:
            self._patiently(
                lambda: self.client.patch_namespaced_pod(
                    name, self.namespace, body, _preload_content=False, _request_timeout=TIMEOUTS_S
                )
            )
        except ApiException as error:
            if error.status != 404:
                raise

    def tail(self, name: str, lines: int = TAIL_LINES) -> str:
        """Return the end of a pod's log; empty when it cannot be had."""
        try:
            found = self.client.read_namespaced_pod_log(
                name, self.namespace, container=CONTAINER, tail_lines=lines,
                _preload_content=False, _request_timeout=TIMEOUTS_S,
            )  # fmt: skip
        except (ApiException, HTTPError, OSError) as error:
            log.info("the log of pod %s cannot be read: %s", name, reason(error))
            return ""
        return bytes(found.data).decode("utf-8", "replace").rstrip()

    def warnings(self, name: str) -> tuple[str, ...]:
        """Return the last warnings about a pod; empty when events may not be read."""
        try:
            found = self.client.list_namespaced_event(
                self.namespace, field_selector=f"involvedObject.name={name},type=Warning",
                _preload_content=False, _request_timeout=TIMEOUTS_S,
            )  # fmt: skip
        except (ApiException, HTTPError, OSError):
            return ()
        events = [f"{item.get('reason')}: {item.get('message')}" for item in json.loads(found.data)["items"]]
        return tuple(dict.fromkeys(events))[-EVENTS:]

    def _patiently(self, call: Callable[[], T]) -> T:
        began: float | None = None
        wait = 0.5
        while True:
            try:
                answer = call()
            except (ApiException, HTTPError, OSError) as error:
                if isinstance(error, ApiException) and not self._passes(error):
                    raise
                began = self._still_patient(began, error)
                if isinstance(error, ApiException) and error.status == 401:
                    self._client = None
            else:
                if began is not None:
                    log.info("the Kubernetes API answers again after %.0f s", time.monotonic() - began)
                self._answered, self._forbidden_since = True, None
                return answer
            self._pause(wait)
            wait = min(wait * 2, LONGEST_PAUSE_S)

    def _passes(self, error: ApiException) -> bool:
        """Tell whether a refusal may pass by waiting: rights this task has had until now are not lost for good."""
        if error.status in AWAY:
            return True
        if error.status != 403 or not self._answered or "is forbidden: User" not in message_of(error):
            return False
        self._forbidden_since = self._forbidden_since or time.monotonic()
        return time.monotonic() - self._forbidden_since <= FORBIDDEN_PATIENCE_S

    def _still_patient(self, began: float | None, error: Exception) -> float:
        now = time.monotonic()
        if began is None:
            log.warning("the Kubernetes API does not answer (%s); the pods go on, waiting for it", reason(error))
            return now
        if now - began > self._patience_s:
            raise ApiAway(
                f"the Kubernetes API has not answered for {now - began:.0f} s: {reason(error)}",
                next_step="nothing: the next try takes its pod over; if that is frequent raise S2PS_POD_API_PATIENCE_S",
            ) from error
        return began


def reason(error: Exception) -> str:
    """Return an error of the client in one line."""
    if isinstance(error, ApiException):
        return f"{error.status} {message_of(error)}"
    return f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"


def message_of(error: ApiException) -> str:
    """Return what the API server says itself."""
    try:
        return str(json.loads(error.body or "")["message"])
    except (ValueError, KeyError, TypeError):
        return str(error.reason or error.body or "")
