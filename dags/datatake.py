"""One datatake, Level-0 to Level-2A."""

from __future__ import annotations

from airflow.sdk import DAG

from s2ps_airflow.installed import datatake_dags

DAGS: list[DAG] = datatake_dags()
globals().update({dag.dag_id: dag for dag in DAGS})
