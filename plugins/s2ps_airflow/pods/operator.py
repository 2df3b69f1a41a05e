"""The operator of a cluster that runs on a pod; it does for a node what `ClusterOperator` does on this machine."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any

from airflow.providers.cncf.kubernetes.operators.pod import KubernetesPodOperator
from airflow.sdk.exceptions import AirflowException
from kubernetes.client import ApiException, CoreV1Api
from kubernetes.config import ConfigException

from s2ps.execution.request import ClusterRequest
from s2ps.model.errors import ConfigurationError, NotReady
from s2ps.staging import layout
from s2ps_airflow import production, tasks
from s2ps_airflow.failures import translated
from s2ps_airflow.pods.api import PodApi, reason
from s2ps_airflow.pods.attempt import Attempt
from s2ps_airflow.pods.labels import Identity
from s2ps_airflow.pods.logs import copy_log
from s2ps_airflow.pods.memory import Memory
from s2ps_airflow.pods.settings import PodSettings
from s2ps_airflow.pods.spec import Order, build_pod, harden
from s2ps_airflow.pods.trigger import ClusterPodTrigger
from s2ps_airflow.pods.view import CONTAINER, PodView
from s2ps_airflow.roles import Context, OfCluster

OVER = frozenset({"success", "failed", "skipped", "removed", "upstream_failed"})
"""States of a task after which nobody takes its pod over."""
BEAT_S = 0.25


class ClusterPodOperator(OfCluster, KubernetesPodOperator):
    """Runs the clusters of one node on a pod each, one after the other; waits for them here or in the triggerer."""

    ui_color = "#dcfce7"
    ui_fgcolor = "#1f2937"
    template_fields: Sequence[str] = ("tile",)

    def __init__(
        self,
        *,
        node: str,
        plan_task: str,
        tile: Any = None,
        part: int | None = None,
        session_task: str | None = None,
        deferrable: bool | None = None,
        **kwargs: Any,
    ) -> None:
        """`part` picks one of the clusters of a datastrip node; None takes all of them, one after the other."""
        pods = PodSettings.load()
        super().__init__(
            namespace=pods.namespace,
            kubernetes_conn_id=pods.connection,
            base_container_name=CONTAINER,
            random_name_suffix=False,
            pod_template_file=str(pods.template) if pods.template else None,
            termination_message_policy="FallbackToLogsOnError",
            deferrable=pods.deferrable if deferrable is None else deferrable,
            do_xcom_push=True,
            on_finish_action="keep_pod",
            **kwargs,
        )
        self.node = node
        self.plan_task = plan_task
        self.tile = tile
        self.part = part
        self.session_task = session_task
        self._current: str | None = None
        self._waiting: Context | None = None
        self._parent = os.getppid()

    def execute(self, context: Context) -> dict[str, Any]:
        """Run the jobs; finished ones are reused, and a pod an earlier try has left is taken over."""
        clusters = self.clusters(context)
        tasks.skip_if_empty(self.node, clusters)
        return self._go_on(context, clusters, 0, tasks.Tally(self.node), None)

    def resume(
        self, context: Context, event: dict[str, Any], position: int, tally: dict[str, Any], pod: str, uid: str
    ) -> dict[str, Any]:
        """Go on after the triggerer has found something to judge about a pod."""
        self.log.info("the triggerer says of pod %s: %s", pod, event.get("row"))
        return self._go_on(context, self.clusters(context), position, tasks.Tally(**tally), (pod, uid))

    def _go_on(
        self,
        context: Context,
        clusters: Sequence[dict[str, Any]],
        position: int,
        tally: tasks.Tally,
        known: tuple[str, str] | None,
    ) -> dict[str, Any]:
        with self._in_charge(context), translated():
            for number, cluster in enumerate(clusters[position:], position):
                attempt = self._attempt(context, cluster["id"])
                if known is None:
                    self.still_ours(context)
                    tasks.announce(cluster)
                    known = self._start(context, attempt, number, tally)
                tally.add(self._finish(attempt, known, number, tally))
                known = None
        return tally.report()

    def _start(self, context: Context, attempt: Attempt, position: int, tally: tasks.Tally) -> tuple[str, str]:
        pod = attempt.take()
        self._current = pod.name
        context["ti"].xcom_push(key="pod_name", value=pod.name)
        if self.deferrable and attempt.waits(pod):
            self._defer(attempt, pod, position, tally)
        return pod.name, pod.uid

    def _finish(self, attempt: Attempt, known: tuple[str, str], position: int, tally: tasks.Tally) -> Any:
        """Return the result of a pod once it has one."""
        name, uid = known
        self._current = name
        while True:
            pod = attempt.api.get(name)
            if pod is not None and pod.uid != uid:
                pod = None
            if pod is not None and not self.deferrable:
                pod = attempt.watch(pod)
            elif pod is not None and pod.ended:
                copy_log(attempt.api, name, attempt.pods.log_lines, self.log.info)
            result = attempt.conclude(name, uid, pod)
            if result is not None:
                return result
            if pod is not None and self.deferrable:
                self._defer(attempt, pod, position, tally)

    def _defer(self, attempt: Attempt, pod: PodView, position: int, tally: tasks.Tally) -> None:
        pods = attempt.pods
        trigger = ClusterPodTrigger.of(
            pod, pods.namespace, pods.connection, attempt.limits, max(2.0, pods.poll_s), pods.defer_at_least_s
        )
        known = {"position": position, "tally": asdict(tally), "pod": pod.name, "uid": pod.uid}
        self.log.info("waiting for pod %s in the triggerer; see its log by: kubectl -n %s logs -f %s",
                      pod.name, pods.namespace, pod.name)  # fmt: skip
        self.defer(trigger=trigger, method_name="resume", kwargs=known)

    def _attempt(self, context: Context, cluster_id: str) -> Attempt:
        pods, run = PodSettings.load(), self.run_key(context)
        store = production.service().store
        key = layout.request(run.id, cluster_id)
        if not store.exists(key):
            raise NotReady(f"cluster {cluster_id} of {run.id} is not planned", next_step="plan its phase group first")
        document = store.read(key)
        request = ClusterRequest.model_validate_json(document)
        spec = production.cluster_spec(run.strategy, request.node)
        memory = Memory(context)
        order = Order(
            request=request,
            cluster=spec,
            identity=Identity.of(request, document),
            memory_gb=memory.memory_gb(cluster_id, spec.resources.memory_gb),
            reprocessing="backfill" in str(getattr(context["dag_run"], "run_type", "")),
        )
        return Attempt(
            api=PodApi(self._connect, pods.namespace, pods.api_patience_s, self._pause),
            store=store,
            order=order,
            pods=pods,
            memory=memory,
            build=lambda order, number: self.pod_of(order, number, context),
            pause=self._pause,
            write=self.log.info,
        )

    def pod_of(self, order: Order, number: int, context: Context | None, *, dry_run: bool = False) -> Any:
        """Return the pod as it is sent: ours over the template, with Airflow's labels and the pod mutation hook."""
        self.name = None
        self.full_pod_spec = build_pod(order, number, production.settings(), PodSettings.load())
        pushes, self.do_xcom_push = self.do_xcom_push, False
        try:
            return harden(self.build_pod_request_obj(context, dry_run=dry_run))
        finally:
            self.do_xcom_push = pushes

    def _connect(self) -> CoreV1Api:
        self.__dict__.pop("hook", None)  # a new one reads the credentials again
        try:
            return self.hook.core_v1_client
        except ConfigException as error:
            raise ConfigurationError(
                f"there is no way to Kubernetes: {error}",
                expected=f"Airflow connection {self.kubernetes_conn_id}, a service account, or KUBECONFIG",
                next_step="set one of them for the scheduler and the triggerer",
            ) from error

    @contextmanager
    def _in_charge(self, context: Context) -> Iterator[None]:
        """While inside, a task that is killed decides itself what becomes of its pod."""
        self._waiting, self._parent = context, os.getppid()
        try:
            yield
        except ApiException as error:
            raise AirflowException(
                f"Kubernetes refuses: {reason(error)}; next: check the rights of the launcher in {self.namespace}"
            ) from error
        finally:
            self._waiting = None

    def _pause(self, seconds: float) -> None:
        """Sleep, and wake up when this task is killed or nobody listens to it any more."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            if self._killed:
                self._leave()
            if os.getppid() != self._parent:
                raise AirflowException("the process that started this task is gone; the next try takes its pod over")
            time.sleep(min(left, BEAT_S))

    def on_kill(self) -> None:
        """Note that the task is killed; the waiting then decides. After a time-out nothing waits: delete the pod."""
        self._killed = True
        if self._waiting is None:
            self._delete_current()

    def _leave(self) -> None:
        """End a killed task: its pod ends with it when people ended the task, and is left to the next try if not."""
        context, self._waiting, self._killed = self._waiting, None, False
        state = self._own_state(context)
        if state in OVER:
            self._delete_current()
            raise AirflowException(f"the task was set to {state}; its pod {self._current} is deleted")
        raise AirflowException(f"the task was stopped; its pod {self._current} goes on, the next try takes it over")

    def _own_state(self, context: Context) -> str:
        ti = context["ti"]
        states = ti.get_task_states(
            dag_id=ti.dag_id, task_ids=[ti.task_id], run_ids=[ti.run_id], map_index=ti.map_index
        )
        found = states.get(ti.run_id, {})
        return str(next(iter(found.values()), ""))

    def _delete_current(self) -> None:
        if self._current:
            self.log.info("deleting pod %s", self._current)
            pods = PodSettings.load()
            PodApi(self._connect, pods.namespace, 0.0).delete(self._current)
