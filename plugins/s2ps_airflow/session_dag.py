"""Makes the DAG that takes in a session and announces its datatakes."""

from __future__ import annotations

from typing import Any

from airflow.sdk import DAG, Asset, Param
from airflow.serialization.encoders import ensure_serialized_asset

from s2ps_airflow import texts
from s2ps_airflow.dag_factory import DEFAULT_ARGS, NONE_FAILED, PLAN_AND_PUBLISH, SHORT_LIMIT
from s2ps_airflow.execution import cluster_arguments, cluster_operator
from s2ps_airflow.identity import SESSION_ASSET, SESSION_DAG
from s2ps_airflow.nodes import SESSION_PHASE, NodeGraph
from s2ps_airflow.operators import AnnounceOperator, PlanOperator, PublishSessionOperator, RegisterSessionOperator
from s2ps_airflow.timetable import SessionMapper, SessionTimetable


def build_session_dag(graph: NodeGraph, *, dag_id: str = SESSION_DAG) -> DAG:
    """Make register_session -> plan_l0u -> L0U clusters -> announce_datatakes -> publish_l0u."""
    with DAG(
        dag_id,
        schedule=SessionTimetable(
            assets=ensure_serialized_asset(Asset(SESSION_ASSET)), default_partition_mapper=SessionMapper()
        ),
        catchup=False,
        default_args=DEFAULT_ARGS,
        params={
            "session": Param(None, type=["null", "string"], title="Session folder", description=texts.PARAM_SESSION)
        },
        max_active_runs=4,
        doc_md=texts.SESSION_DAG,
        description="Checks a downlink session, makes Level-0 units, announces the datatakes",
        tags=["s2ps", "ingestion"],
        is_paused_upon_creation=False,
    ) as dag:
        register = RegisterSessionOperator(
            task_id="register_session",
            execution_timeout=SHORT_LIMIT,
            doc_md="Checks every channel of the session against its DSIB; takes the session for this run.",
        )
        plan = PlanOperator(
            task_id=f"plan_{SESSION_PHASE}",
            phase_group=SESSION_PHASE,
            session_task=register.task_id,
            execution_timeout=SHORT_LIMIT,
            doc_md="Plans the L0U jobs of the session.",
        )
        announce = AnnounceOperator(
            task_id="announce_datatakes",
            session_task=register.task_id,
            execution_timeout=SHORT_LIMIT,
            doc_md="Announces each datatake found: one partition of the asset s2ps_datatake, which starts its run.",
        )
        publish = PublishSessionOperator(
            task_id=f"publish_{SESSION_PHASE}",
            session_task=register.task_id,
            weight_rule="absolute",
            priority_weight=PLAN_AND_PUBLISH,
            execution_timeout=SHORT_LIMIT,
            doc_md=texts.PUBLISH_SESSION,
        )
        register >> plan
        announce.set_upstream(_clusters(graph, register, plan) or [plan])
        announce >> publish
    return dag


def _clusters(graph: NodeGraph, register: RegisterSessionOperator, plan: PlanOperator) -> list[Any]:
    """Make the L0U clusters behind the plan, each behind those it needs; return the last ones."""
    nodes = graph.in_phase(SESSION_PHASE)
    operator = cluster_operator()
    clusters = {
        node.name: operator(
            task_id=node.name,
            node=node.name,
            plan_task=plan.task_id,
            session_task=register.task_id,
            trigger_rule=NONE_FAILED,
            doc_md=texts.cluster(node),
            **cluster_arguments(node.time_s),
        )
        for node in nodes
    }
    for name, task in clusters.items():
        upstream = [clusters[up] for up in graph.get(name).upstream if up in clusters]
        task.set_upstream(upstream or [plan])
    return [clusters[node.name] for node in graph.leaves(nodes)]
