"""Products whose time is over are removed."""

from __future__ import annotations

from airflow.sdk import DAG

from s2ps_airflow.installed import housekeeping_dag

dag: DAG = housekeeping_dag()
