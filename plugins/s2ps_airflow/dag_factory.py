"""Makes the datatake DAG from neutral node records: one operator per node, a mapped group for the tiles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from airflow.sdk import DAG, Asset, BaseOperator, TaskGroup
from airflow.sdk.definitions.callback import SyncCallback
from airflow.sdk.definitions.deadline import DeadlineAlert
from airflow.serialization.encoders import ensure_serialized_asset

from s2ps.model.mission import Level
from s2ps_airflow import texts
from s2ps_airflow.deadlines import InputAvailability, TimeLimits
from s2ps_airflow.execution import cluster_arguments, cluster_operator
from s2ps_airflow.identity import DATATAKE_ASSET, DATATAKE_DAG
from s2ps_airflow.nodes import DATASTRIP_PHASE, DATATAKE_PHASES, L1B_PHASE, TILES_PHASE, Node, NodeGraph
from s2ps_airflow.operators import PlanOperator, PublishOperator
from s2ps_airflow.reports import MilestoneOperator, SummaryOperator
from s2ps_airflow.timetable import DatatakeMapper, DatatakeTimetable
from s2ps_airflow.trigger_form import datatake_params

NONE_FAILED = "none_failed"
INFRASTRUCTURE_RETRIES = 2
DEFAULT_ARGS: dict[str, Any] = {
    "retries": INFRASTRUCTURE_RETRIES,
    "retry_delay": timedelta(seconds=15),
    "owner": "s2ps",
}
SHORT_LIMIT = timedelta(minutes=15)
PLAN_AND_PUBLISH = 100
PRIORITIES = {Level.L0U: 50, Level.L0: 50, Level.L1A: 50, Level.L1B: 50, Level.L1C: 60, Level.L2A: 10}
"""First what is short and lets others go on, then L1C, which has the shorter limit, then what leads to it, then L2A."""


def build_datatake_dag(
    graph: NodeGraph,
    *,
    strategies: Sequence[str],
    baselines: Sequence[str],
    limits: TimeLimits,
    cut: frozenset[str] = frozenset(),
    dag_id: str = DATATAKE_DAG,
    scheduled: bool = True,
) -> DAG:
    """Make the DAG of a datatake; the first strategy and baseline are the defaults of the trigger form.

    Nodes named in `cut` have several clusters in one of the strategies: their tasks are mapped over what was planned.
    """
    dag = DAG(
        dag_id,
        schedule=DatatakeTimetable(
            assets=ensure_serialized_asset(Asset(DATATAKE_ASSET)), default_partition_mapper=DatatakeMapper()
        )
        if scheduled
        else None,
        catchup=False,
        default_args=DEFAULT_ARGS,
        params=datatake_params(strategies, baselines),
        deadline=[_l2a_deadline(limits.l2a)],
        max_active_runs=4,
        max_active_tasks=256,
        doc_md=texts.datatake_dag(limits.l1c, limits.l2a),
        description="Level-0 to Level-2A products of one datatake",
        tags=["s2ps", "production"],
        is_paused_upon_creation=False,
    )
    _DatatakeBuilder(graph, dag, limits, cut).build()
    return dag


def _l2a_deadline(limit: timedelta) -> DeadlineAlert:
    callback = SyncCallback("s2ps_airflow.alerts.deadline_missed", kwargs={"milestone": "L2A"})
    return DeadlineAlert(
        reference=InputAvailability(),
        interval=limit,
        callback=callback,
        name=f"L2A {texts.minutes(limit)} minutes after t0",
    )


def _priority(node: Node) -> int:
    """Return the priority of a cluster; the one datastrip all tiles wait for comes before the tiles."""
    before_tiles = node.phase_group == TILES_PHASE and not node.is_tile
    return PLAN_AND_PUBLISH if before_tiles else PRIORITIES[node.level]


@dataclass(slots=True)
class _DatatakeBuilder:
    """Puts the tasks of one DAG together and remembers them by node name."""

    graph: NodeGraph
    dag: DAG
    limits: TimeLimits
    cut: frozenset[str] = frozenset()
    groups: dict[str, TaskGroup] = field(default_factory=dict)
    clusters: dict[str, Any] = field(default_factory=dict)
    plans: dict[str, PlanOperator] = field(default_factory=dict)
    publishers: dict[str, BaseOperator] = field(default_factory=dict)

    def build(self) -> None:
        """Make every task and edge."""
        for phase in DATATAKE_PHASES:
            self._plan(phase)
            for node in self.graph.in_phase(phase):
                if not node.is_tile:
                    self.clusters[node.name] = self._cluster(node)
        self._tile_group()
        for level in (Level.L0, Level.L1A, Level.L1B):
            self._publish(level)
        self._connect()
        self._finish()

    def _group(self, level: Level, suffix: str = "") -> TaskGroup:
        name = f"{level}{suffix}"
        if name not in self.groups:
            self.groups[name] = TaskGroup(name, dag=self.dag, tooltip=texts.LEVELS[level])
        return self.groups[name]

    def _group_of(self, node: Node) -> TaskGroup:
        """Return the group of a datastrip node; groups must not form a cycle, so early and late nodes get their own."""
        phases = {n.phase_group for n in self.graph.nodes if n.level is node.level}
        if any(DATATAKE_PHASES.index(phase) > DATATAKE_PHASES.index(node.phase_group) for phase in phases):
            return self._group(node.level, "_preparation")
        return self._group(node.level, "_datastrip" if self.graph.below_tiles(node) else "")

    def _plan(self, phase: str) -> None:
        tile_nodes = [n.name for n in self.graph.in_phase(phase) if n.is_tile]
        self.plans[phase] = PlanOperator(
            task_id=f"plan_{phase}",
            phase_group=phase,
            tile_nodes=tile_nodes,
            cut_nodes=[n.name for n in self.graph.in_phase(phase) if n.name in self.cut],
            weight_rule="absolute",
            priority_weight=PLAN_AND_PUBLISH,
            first=phase == DATASTRIP_PHASE,
            trigger_rule=NONE_FAILED,
            execution_timeout=SHORT_LIMIT,
            doc_md=texts.PLANS[phase],
            dag=self.dag,
        )

    def _cluster(self, node: Node, tile: Any = None, group: TaskGroup | None = None) -> Any:
        """Make the task of a node; one that may have several clusters becomes a mapped task."""
        arguments: dict[str, Any] = {
            "task_id": node.name,
            "node": node.name,
            "plan_task": f"plan_{node.phase_group}",
            "trigger_rule": NONE_FAILED,
            **cluster_arguments(node.time_s),
            "doc_md": texts.cluster(node),
            "weight_rule": "absolute",
            "priority_weight": _priority(node),
            "task_group": group or self._group_of(node),
            "dag": self.dag,
        }
        operator = cluster_operator()
        if tile is not None:
            return operator(tile=tile, map_index_template="{{ tile_name }}", **arguments)
        if node.name not in self.cut:
            return operator(**arguments)
        arguments["map_index_template"] = "{{ part_name }}"
        return operator.partial(**arguments).expand(part=self.plans[node.phase_group].output)

    def _tile_group(self) -> None:
        """Make the mapped group in which every tile goes its own way, L1C and L2A."""
        nodes = [n for n in self.graph.in_phase(TILES_PHASE) if n.is_tile]
        with self.dag:
            _tiles(self, nodes, self.plans[TILES_PHASE])

    def fill_tile_group(self, nodes: Sequence[Node], tile: Any, group: TaskGroup) -> None:
        """Make the tasks of one tile."""
        for node in nodes:
            self.clusters[node.name] = self._cluster(node, tile, group)
        for level in (Level.L1C, Level.L2A):
            if any(node.level is level for node in nodes):
                self.publishers[level] = self._publisher(level, group, tile)

    def _publish(self, level: Level) -> None:
        if any(node.level is level for node in self.graph.nodes):
            self.publishers[level] = self._publisher(level, self._group(level), None)

    def _publisher(self, level: Level, group: TaskGroup, tile: Any) -> BaseOperator:
        return PublishOperator(
            task_id=f"publish_{level.lower()}",
            what=level.lower(),
            tile=tile,
            weight_rule="absolute",
            priority_weight=PLAN_AND_PUBLISH,
            trigger_rule=NONE_FAILED,
            execution_timeout=SHORT_LIMIT,
            map_index_template="{{ tile_name }}" if tile is not None else None,
            doc_md=texts.publish(level),
            task_group=group,
            dag=self.dag,
        )

    def _connect(self) -> None:
        for name, task in self.clusters.items():
            node = self.graph.get(name)
            same = [up for up in node.upstream if self.graph.get(up).phase_group == node.phase_group]
            for up in same:
                task.set_upstream(self.clusters[up])
            if not same and not node.is_tile:
                task.set_upstream(self.plans[node.phase_group])
        for earlier, later in ((DATASTRIP_PHASE, L1B_PHASE), (L1B_PHASE, TILES_PHASE)):
            for name in self._needed_for(later, earlier):
                self.plans[later].set_upstream(self.clusters[name])
        for level, publisher in self.publishers.items():
            for name in self._made_by(Level(level)):
                publisher.set_upstream(self.clusters[name])
        self._publish_before_l2a()

    def _publish_before_l2a(self) -> None:
        published = self.publishers.get(Level.L1C)
        for node in self.graph.in_phase(TILES_PHASE):
            above = [self.graph.get(name) for name in node.upstream]
            first = not any(up.level is Level.L2A and up.is_tile for up in above)
            if published and first and node.level is Level.L2A and node.is_tile:
                self.clusters[node.name].set_upstream(published)

    def _needed_for(self, later: str, earlier: str) -> list[str]:
        """Return the nodes of a phase the next phase reads from; all its leaves if it reads from none."""
        before = {n.name for n in self.graph.in_phase(earlier)}
        read = {name for n in self.graph.in_phase(later) for name in n.upstream if name in before}
        return sorted(n.name for n in self.graph.leaves([self.graph.get(name) for name in read])) or [
            n.name for n in self.graph.leaves(self.graph.in_phase(earlier))
        ]

    def _made_by(self, level: Level) -> list[str]:
        """Return the last nodes of a level that its publication waits for; a tile does not wait for its siblings."""
        nodes = [n for n in self.graph.nodes if n.level is level]
        if level in (Level.L1C, Level.L2A):
            nodes = [n for n in nodes if n.is_tile or not self.graph.below_tiles(n)]
        return [n.name for n in self.graph.leaves(nodes)]

    def _finish(self) -> None:
        leaves = self.graph.leaves(self.graph.nodes)
        ends: list[Any] = [self.clusters[n.name] for n in leaves if n.name in self.clusters]
        ends += list(self.publishers.values())
        if Level.L1C in self.publishers:
            check = MilestoneOperator(
                task_id="check_l1c_timeliness",
                milestone="L1C",
                plan_task=self.plans[TILES_PHASE].task_id,
                publish_task=self.publishers[Level.L1C].task_id,
                limit=self.limits.l1c,
                trigger_rule="all_done",
                doc_md=texts.milestone(self.limits.l1c),
                dag=self.dag,
            )
            check.set_upstream(self.publishers[Level.L1C])
            ends.append(check)
        by_level: dict[str, list[str]] = {}
        for name, task in self.clusters.items():
            by_level.setdefault(str(self.graph.get(name).level), []).append(task.task_id)
        summary = SummaryOperator(
            task_id="summary",
            publish_tasks=[task.task_id for task in self.publishers.values()],
            cluster_tasks=by_level,
            trigger_rule="all_done",
            retries=0,
            doc_md=texts.SUMMARY,
            dag=self.dag,
        )
        for task in ends:
            if not any(follower in ends for follower in task.downstream_list):
                summary.set_upstream(task)


def _tiles(builder: _DatatakeBuilder, nodes: Sequence[Node], plan: PlanOperator) -> None:
    from airflow.sdk import task_group

    @task_group(group_id="tile", tooltip=texts.TILE_GROUP)
    def tile(tile: Any) -> None:
        group = builder.dag.task_group.children["tile"]
        builder.fill_tile_group(nodes, tile, group)  # type: ignore[arg-type]

    tile.expand(tile=plan.output)
