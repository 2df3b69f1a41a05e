"""The stations: one DAG for each, which polls it."""

from __future__ import annotations

from airflow.sdk import DAG

from s2ps_airflow.installed import station_dags

DAGS: list[DAG] = station_dags()
globals().update({dag.dag_id: dag for dag in DAGS})
