"""Waits in the triggerer until there is something to judge about a pod; the task then looks for itself."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from airflow.providers.cncf.kubernetes.hooks.kubernetes import AsyncKubernetesHook
from airflow.triggers.base import BaseTrigger, TriggerEvent
from kubernetes_asyncio.client import CoreV1Api

from s2ps_airflow.pods.board import board_of
from s2ps_airflow.pods.outcome import Case, Limits, Reaction, judge
from s2ps_airflow.pods.view import PodView

IN_POD, KUBECONFIG = "KUBERNETES_SERVICE_HOST", "KUBECONFIG"
MISSED = 3
"""A pod is taken for gone when so many readings in a row do not show it; one alone may come from an old cache."""


class ClusterPodTrigger(BaseTrigger):
    """Fires when the pod has ended, is gone, or cannot start; says no more than that."""

    def __init__(
        self, *, pod: str, namespace: str, connection: str, limits: dict[str, Any], poll_s: float, not_before: float
    ) -> None:
        """`limits` are those of the failure table; `not_before` is a time of the system clock."""
        super().__init__()  # type: ignore[no-untyped-call]
        self.pod = pod
        self.namespace = namespace
        self.connection = connection
        self.limits = limits
        self.poll_s = poll_s
        self.not_before = not_before

    @classmethod
    def of(
        cls, pod: PodView, namespace: str, connection: str, limits: Limits, poll_s: float, at_least_s: float
    ) -> ClusterPodTrigger:
        """Return the trigger for a pod."""
        return cls(
            pod=pod.name, namespace=namespace, connection=connection, limits=asdict(limits), poll_s=poll_s,
            not_before=time.time() + at_least_s,
        )  # fmt: skip

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return what makes this trigger again."""
        names = ("pod", "namespace", "connection", "limits", "poll_s", "not_before")
        return ("s2ps_airflow.pods.trigger.ClusterPodTrigger", {name: getattr(self, name) for name in names})

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Yield one event with the row of the failure table that ended the waiting."""
        row = await self._wait()
        await asyncio.sleep(max(0.0, self.not_before - time.time()))
        yield TriggerEvent({"pod": self.pod, "row": row})  # type: ignore[no-untyped-call]

    async def on_kill(self) -> None:
        """Delete the pod of a task that was ended by hand."""
        self.log.info("deleting pod %s of a task that was ended", self.pod)
        await self.hook.delete_pod(self.pod, self.namespace)

    @cached_property
    def hook(self) -> AsyncKubernetesHook:
        """Return the connection to Kubernetes."""
        return AsyncKubernetesHook(conn_id=self.connection)

    async def _wait(self) -> str:
        missed = 0
        board = board_of(self.connection, self.namespace, self._connect, self.poll_s)
        async with board.reader() as states:
            async for pods in states():
                if pods is None:
                    continue
                missed = 0 if self.pod in pods else missed + 1
                if 0 < missed < MISSED:
                    continue
                verdict = judge(Case(self.pod, pods.get(self.pod), None, datetime.now(UTC), Limits(**self.limits)))
                if verdict.reaction is not Reaction.WAIT:
                    return verdict.row
        raise RuntimeError("the board never ends")

    @asynccontextmanager
    async def _connect(self) -> AsyncIterator[CoreV1Api]:
        if IN_POD in os.environ and KUBECONFIG not in os.environ and not await self.hook.get_conn_extras():
            self.hook.in_cluster = True  # the provider finds this out for tasks, but not for triggers
        async with self.hook.get_conn() as connection:
            yield CoreV1Api(connection)
