"""One cluster on its pod, from taking it to the conclusion, for tasks that wait and tasks that are deferred."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from airflow.sdk.exceptions import AirflowException, AirflowFailException
from kubernetes.client import ApiException

from s2ps.execution.result import ClusterResult
from s2ps.staging import layout
from s2ps.staging.store import StagingStore
from s2ps_airflow.pods.api import PodApi, reason
from s2ps_airflow.pods.launch import Launcher, reap
from s2ps_airflow.pods.logs import LogFollower, copy_log
from s2ps_airflow.pods.memory import Memory
from s2ps_airflow.pods.outcome import Case, Limits, Reaction, Verdict, judge
from s2ps_airflow.pods.results import await_result
from s2ps_airflow.pods.settings import PodSettings
from s2ps_airflow.pods.spec import Order
from s2ps_airflow.pods.view import PodView

log = logging.getLogger(__name__)
LAST_LINES_S = 5.0
WRITES_RESULT = frozenset({0, 1, 143})
"""Exit codes of a runner that has written its result."""


@dataclass(slots=True)
class Attempt:
    """What one try of a task needs for one of its clusters."""

    api: PodApi
    store: StagingStore
    order: Order
    pods: PodSettings
    memory: Memory
    build: Callable[[Order, int], Any]
    pause: Callable[[float], None]
    write: Callable[[str], None]

    @property
    def launcher(self) -> Launcher:
        """Return what finds and makes pods of this cluster."""
        return Launcher(self.api, self.order.identity, self.pods, self.pause)

    @property
    def limits(self) -> Limits:
        """Return the limits of the failure table for this cluster."""
        pods = self.pods
        return Limits(
            start_s=pods.start_limit_s,
            image_s=pods.image_patience_s,
            lost_s=float(pods.node_lost_s),
            memory_ceiling_gb=self.order.cluster.pod.memory_ceiling_gb,
        )

    def take(self) -> PodView:
        """Return the pod of this cluster: the one that is there, or a new one."""
        try:
            reap(self.api, self.pods.keep_failed_s)
        except ApiException as error:
            log.warning("old pods cannot be removed: %s", reason(error))
        pod, adopted = self.launcher.take(lambda number: self.build(self.order, number), self._forget_result)
        how = "is there already and is taken over" if adopted else f"is made, {pod.memory_gb or 0:g} GB of memory"
        log.info("pod %s %s", pod.name, how)
        return pod

    def waits(self, pod: PodView) -> bool:
        """Return whether there is nothing to judge about a pod yet."""
        return judge(self._case(pod.name, pod)).reaction is Reaction.WAIT

    def watch(self, pod: PodView) -> PodView | None:
        """Wait until there is something to judge, with the pod's log in the log of the task; None: it is gone."""
        seen: PodView | None = pod
        follower = LogFollower(self.api, pod.name, self.write)
        following = False
        told = ""
        try:
            while seen is not None and self.waits(seen):
                if seen.started and not following:
                    log.info("pod %s runs on node %s", seen.name, seen.node)
                    follower.start()
                    following = True
                told = self._tell(seen, told)
                self.pause(self.pods.poll_s)
                seen = self.api.get(pod.name)
        finally:
            if following:
                follower.finish(LAST_LINES_S)
        if not following and seen is not None and seen.ended:
            copy_log(self.api, pod.name, self.pods.log_lines, self.write)
        return seen

    def conclude(self, name: str, uid: str, pod: PodView | None) -> ClusterResult | None:
        """Return the result of a pod, None when it still runs; raise what Airflow has to do when it failed."""
        if pod is not None and self.waits(pod):
            return None
        patience = self.pods.result_patience_s if pod is not None and pod.exit_code in WRITES_RESULT else 0.0
        result = await_result(self.store, self.order.request, uid, patience, self.pause)
        verdict = judge(self._full_case(name, pod, result))
        verdict = self._remember(pod, verdict)
        if pod is not None:
            self.launcher.settle(pod, verdict)
        if verdict.reaction is Reaction.SUCCESS:
            return result
        raise _exception(verdict)

    def _remember(self, pod: PodView | None, verdict: Verdict) -> Verdict:
        """Keep what the next try must know; done before the pod is marked, so that a crash between repeats it."""
        cluster = self.order.request.cluster_id
        if verdict.reaction is Reaction.ONCE:
            self.memory.note(cluster, verdict.row)
        if verdict.reaction is Reaction.MORE_MEMORY and pod is not None:
            ceiling = self.limits.memory_ceiling_gb or 0.0
            more = self.memory.raise_memory(cluster, pod.memory_gb or 0.0, self.pods.memory_factor, ceiling)
            return replace(verdict, message=f"{verdict.message}\n  the next try gets {more:g} GB")
        return verdict

    def _forget_result(self) -> None:
        """Remove what an earlier pod has left, which nobody will ask for any more."""
        self.store.delete(layout.result(self.order.request.run_id, self.order.request.cluster_id))

    def _full_case(self, name: str, pod: PodView | None, result: ClusterResult | None) -> Case:
        case = self._case(name, pod, result)
        if result is not None or pod is None:
            return case
        tail = self.api.tail(name) if pod.ended else ""
        return replace(case, tail=tail, events=self.api.warnings(name))

    def _case(self, name: str, pod: PodView | None, result: ClusterResult | None = None) -> Case:
        tried = self.memory.tried(self.order.request.cluster_id)
        return Case(name, pod, result, datetime.now(UTC), self.limits, tried)

    @staticmethod
    def _tell(pod: PodView, told: str) -> str:
        """Write why a pod does not start, once for each reason."""
        now = "" if pod.started else pod.unscheduled or f"{pod.waiting} {pod.waiting_message}".strip()
        if now and now != told:
            log.info("pod %s waits: %s", pod.name, now)
        return now or told


def _exception(verdict: Verdict) -> AirflowException:
    kind = AirflowFailException if verdict.reaction is Reaction.FAIL else AirflowException
    return kind(verdict.message)
