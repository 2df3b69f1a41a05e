"""One pod per cluster: take over the one that is there, or make one; never two at the same time."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.sdk.exceptions import AirflowException, AirflowFailException
from kubernetes.client import ApiException

from s2ps_airflow.pods.api import PodApi, message_of
from s2ps_airflow.pods.labels import JUDGED, PART_OF, Identity
from s2ps_airflow.pods.outcome import Reaction, Verdict, judge_refusal
from s2ps_airflow.pods.settings import PodSettings
from s2ps_airflow.pods.view import PodView

log = logging.getLogger(__name__)
QUOTA_PAUSE_S = 5.0
ENDED_FIELDS = "status.phase!=Pending,status.phase!=Running,status.phase!=Unknown"


@dataclass(slots=True)
class Launcher:
    """Finds, makes and removes the pods of one cluster."""

    api: PodApi
    identity: Identity
    pods: PodSettings
    pause: Callable[[float], None] = time.sleep

    def take(self, build: Callable[[int], Any], before: Callable[[], None]) -> tuple[PodView, bool]:
        """Return the pod of this very request, and whether it was there already.

        `build` makes the pod with a number; `before` is called just before a new one is made. A pod that ended while
        nobody looked is taken over too, as long as nobody has judged it. Raises AirflowFailException when the API
        server refuses the pod and AirflowException when its quota or a pod that does not end leaves no room.
        """
        deadline = time.monotonic() + self.pods.start_limit_s
        while True:
            known = self.api.list(self.identity.selector)
            mine = self._clear(known)
            if mine is not None:
                return mine, True
            problem = self._in_the_way(known)
            if not problem:
                before()
                made = self._create(build(1 + max((pod.number for pod in known), default=0)))
                if isinstance(made, PodView):
                    return made, False
                problem = made
            if time.monotonic() > deadline:
                raise AirflowException(
                    f"no pod could be made within {self.pods.start_limit_s:g} s: {problem}\n  next: it is tried again"
                )
            self.pause(QUOTA_PAUSE_S if "quota" in problem else self.pods.poll_s)

    def settle(self, pod: PodView, verdict: Verdict) -> None:
        """Remove a pod that is judged; one that failed is kept for a while."""
        if pod.deleted is not None and not pod.ended:
            self.api.delete(pod.name, now=True)
        elif verdict.reaction is Reaction.SUCCESS or not pod.ended:
            self.api.delete(pod.name)
        else:
            self.api.label(pod.name, {JUDGED: verdict.row.replace(" ", "_")})

    def _clear(self, known: list[PodView]) -> PodView | None:
        """Return the pod to take over; ask all others that still run to go."""
        current = [pod for pod in known if not pod.judged]
        mine = next((pod for pod in current if pod.request == self.identity.request and pod.deleted is None), None)
        for pod in current:
            if pod is not mine and pod.deleted is None:
                log.warning("pod %s runs an older request of this cluster; it is deleted", pod.name)
                self.api.delete(pod.name)
        return mine

    def _in_the_way(self, known: list[PodView]) -> str:
        """Return which pod is still ending; one whose node does not answer is given up."""
        waiting = ""
        for pod in known:
            if pod.judged or pod.ended:
                continue
            overdue = datetime.now(UTC) - timedelta(seconds=self.pods.node_lost_s)
            if pod.deleted is not None and pod.deleted < overdue:
                log.warning("pod %s does not end, its node %s does not answer; it is given up", pod.name, pod.node)
                self.api.delete(pod.name, now=True)
            else:
                waiting = f"pod {pod.name} of this cluster is still ending"
                log.info("%s; waiting for it", waiting)
        return waiting

    def _create(self, pod: Any) -> PodView | str:
        try:
            made = self.api.create(pod)
        except ApiException as error:
            verdict = judge_refusal(error.status or 0, message_of(error), self.pods.namespace)
            if verdict.reaction is Reaction.FAIL:
                raise AirflowFailException(verdict.message) from error
            log.warning("%s; waiting for room", verdict.message)
            return verdict.message
        return made or f"a pod named {pod.metadata.name} is there already"


def reap(api: PodApi, keep_s: float) -> int:
    """Delete the pods of processors that ended longer ago than they are kept; return how many."""
    before = datetime.now(UTC) - timedelta(seconds=keep_s)
    selector = ",".join(f"{key}={value}" for key, value in PART_OF.items())
    old = [pod for pod in api.list(selector, ENDED_FIELDS) if _since(pod) < before]
    for pod in old:
        log.info("pod %s ended more than %.0f s ago; it is deleted", pod.name, keep_s)
        api.delete(pod.name)
    return len(old)


def _since(pod: PodView) -> datetime:
    return pod.finished or pod.created or datetime.now(UTC)
