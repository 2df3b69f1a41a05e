"""What tasks know of the run they belong to and of their clusters, whatever runs these."""

from __future__ import annotations

import logging
from typing import Any

from airflow.sdk.exceptions import AirflowFailException

from s2ps.inventory.records import Claim
from s2ps_airflow import claims, production
from s2ps_airflow.identity import datatake_id, options

log = logging.getLogger(__name__)

CLUSTERS = "clusters"
"""Name under which a plan leaves its clusters per node."""
Context = Any


class OfRun:
    """A task of a run of the production service."""

    session_task: str | None = None

    def run_key(self, context: Context) -> Any:
        """Return the key of the session or datatake this run makes."""
        if self.session_task:
            session = context["ti"].xcom_pull(task_ids=self.session_task)
            return production.run_key("session", session, options(context))
        return production.run_key("datatake", datatake_id(context), options(context))

    def own_claim(self, context: Context) -> Claim:
        """Return the claim of this run."""
        return Claim(context["dag_run"].dag_id, context["dag_run"].run_id)

    def state_of(self, context: Context, claim: Claim) -> str | None:
        """Return the state of another run, asked from Airflow."""
        from airflow.sdk.exceptions import AirflowRuntimeError

        try:
            state = context["ti"].get_dagrun_state(dag_id=claim.dag_id, run_id=claim.run_id)
        except AirflowRuntimeError:
            log.info("run %s is no longer known; its claim is taken over", claim.run_id)
            return None
        return str(getattr(state, "value", state))


class OfCluster(OfRun):
    """A task that runs the clusters of one node: of the datastrip, or of one tile inside the mapped group."""

    node: str
    plan_task: str
    tile: Any = None
    part: int | None = None

    def clusters(self, context: Context) -> list[dict[str, Any]]:
        """Return the clusters of this task as they were planned; gives the task a name for people."""
        if self.tile is not None:
            context["tile_name"] = self.tile["tile"]
            return list(self.tile["clusters"].get(self.node, []))
        planned = context["ti"].xcom_pull(task_ids=self.plan_task, key=CLUSTERS) or {}
        clusters = list(planned.get(self.node, []))
        if self.part is not None:
            clusters = clusters[self.part : self.part + 1]
            context["part_name"] = clusters[0]["label"] or "all" if clusters else f"{self.part + 1}"
        return clusters

    def still_ours(self, context: Context) -> None:
        """Raise when another run produces the datatake by now."""
        if self.session_task:
            return
        datatake, mine = datatake_id(context), self.own_claim(context)
        holder = claims.claim(production.inventory(), datatake, mine, lambda c: self.state_of(context, c))
        if holder is not None:
            raise AirflowFailException(
                f"datatake {datatake} is being produced by run {holder.run_id} of {holder.dag_id} now; "
                "next: wait for that run to end, then clear this task"
            )
