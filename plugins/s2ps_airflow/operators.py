"""The four kinds of tasks: plan, cluster, publish, announce. They only connect Airflow's context to `tasks`."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from airflow.sdk import Asset, BaseOperator
from airflow.sdk.exceptions import DownstreamTasksSkipped

from s2ps_airflow import claims, production, tasks
from s2ps_airflow.identity import DATATAKE_ASSET, datatake_id
from s2ps_airflow.roles import CLUSTERS, Context, OfCluster, OfRun

log = logging.getLogger(__name__)

XCOM_RETURN_KEY = "return_value"
NOTHING_PLANNED = [0]
"""What mapped tasks find in a run that does nothing: one part, which they skip."""


class ProductionOperator(OfRun, BaseOperator):
    """Base: knows for which run of the production service the task works."""

    ui_fgcolor = "#1f2937"

    def __init__(self, *, session_task: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.session_task = session_task


class PlanOperator(ProductionOperator):
    """Plans a phase group; the first one of a datatake also makes sure that no other run produces it."""

    ui_color = "#dbeafe"

    def __init__(
        self,
        *,
        phase_group: str,
        tile_nodes: Sequence[str] = (),
        cut_nodes: Sequence[str] = (),
        first: bool = False,
        **kwargs: Any,
    ) -> None:
        """`cut_nodes` are mapped over the numbers of their clusters (all of them are cut alike)."""
        super().__init__(**kwargs)
        self.cut_nodes = list(cut_nodes)
        self.phase_group = phase_group
        self.tile_nodes = list(tile_nodes)
        self.first = first

    def execute(self, context: Context) -> Any:
        """Push the clusters per node; return what is mapped over: tiles, or numbers of the clusters of a node."""
        if self.first:
            self._claim(context)
        per_node, tiles = tasks.plan(self.run_key(context), self.phase_group, frozenset(self.tile_nodes))
        context["ti"].xcom_push(key=CLUSTERS, value=per_node)
        if self.tile_nodes:
            return tiles
        return list(range(max([1, *(len(per_node.get(node, [])) for node in self.cut_nodes)])))

    def _claim(self, context: Context) -> None:
        datatake = datatake_id(context)
        mine = self.own_claim(context)
        holder = claims.claim(production.inventory(), datatake, mine, lambda c: self.state_of(context, c))
        if holder is None:
            return
        log.warning(
            "datatake %s is already being produced by run %s of %s; this run does nothing. "
            "Next: wait for that run, then trigger again if something is missing",
            datatake, holder.run_id, holder.dag_id,
        )  # fmt: skip
        context["ti"].xcom_push(key=XCOM_RETURN_KEY, value=NOTHING_PLANNED)
        raise DownstreamTasksSkipped(tasks=sorted(self.get_flat_relative_ids(upstream=False)))  # type: ignore[no-untyped-call]


class ClusterOperator(OfCluster, ProductionOperator):
    """Runs the cluster of one node: of the datastrip, or of one tile inside the mapped group."""

    ui_color = "#dcfce7"
    template_fields = ("tile",)

    def __init__(self, *, node: str, plan_task: str, tile: Any = None, part: int | None = None, **kwargs: Any) -> None:
        """`part` picks one of the clusters of a datastrip node; None takes all of them, one after the other."""
        super().__init__(**kwargs)
        self.node = node
        self.part = part
        self.plan_task = plan_task
        self.tile = tile

    def execute(self, context: Context) -> dict[str, Any]:
        """Run the jobs; finished ones are reused."""
        clusters = self.clusters(context)
        return tasks.run_clusters(self.run_key(context), self.node, clusters, lambda: self.still_ours(context))


class PublishOperator(ProductionOperator):
    """Publishes the products of one level, of the datastrip or of one tile."""

    ui_color = "#fef3c7"
    template_fields = ("tile",)

    def __init__(self, *, what: str, tile: Any = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.what = what
        self.tile = tile

    def execute(self, context: Context) -> dict[str, Any]:
        """Publish; a product that is there already is recognised."""
        name = self.tile["tile"] if self.tile is not None else None
        if name is not None:
            context["tile_name"] = name
        return tasks.publish(self.run_key(context), self.what, name)


class PublishSessionOperator(BaseOperator):
    """Publishes what a session brings beside images: telemetry and ancillary data."""

    ui_color = "#fef3c7"

    def __init__(self, *, session_task: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.session_task = session_task

    def execute(self, context: Context) -> dict[str, Any]:
        """Publish; a product that is there already is recognised."""
        return tasks.publish_session(context["ti"].xcom_pull(task_ids=self.session_task))


class RegisterSessionOperator(OfRun, BaseOperator):
    """Checks the session of a run and takes it: one that has arrived from a station, or a folder given by hand."""

    ui_color = "#dbeafe"

    def execute(self, context: Context) -> str:
        """Return the session id; skip all that follows when another run is making the session."""
        key = getattr(context["dag_run"], "partition_key", None)
        given = str(context["params"].get("session") or "")
        session = tasks.arrived_session(key) if key and not given else tasks.register_session(given)
        mine, inventory = self.own_claim(context), production.inventory()
        holder = claims.claim(inventory, session, mine, lambda c: self.state_of(context, c))
        if holder is None:
            tasks.session_taken(session, mine.run_id)
            return session
        log.warning("session %s is being made by run %s; this run does nothing", session, holder.run_id)
        raise DownstreamTasksSkipped(tasks=sorted(self.get_flat_relative_ids(upstream=False)))  # type: ignore[no-untyped-call]


class AnnounceOperator(BaseOperator):
    """Announces the datatakes found in a session: one partition of the datatake asset each."""

    ui_color = "#fef3c7"

    def __init__(self, *, session_task: str, **kwargs: Any) -> None:
        super().__init__(outlets=[Asset(DATATAKE_ASSET)], **kwargs)
        self.session_task = session_task

    def execute(self, context: Context) -> list[str]:
        """Return the datatake ids."""
        session = context["ti"].xcom_pull(task_ids=self.session_task)
        found = tasks.datatakes(session)
        event = context["outlet_events"][Asset(DATATAKE_ASSET)]
        event.add_partitions(sorted(found))
        event.extra = announcement(session, found)
        return sorted(found)


def announcement(session: str, found: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return the extra of the announcement: what is known of each datatake, t0 first of all."""
    return {"session": session, "datatakes": {name: dict(found[name]) for name in sorted(found)}}
