"""One downlink session: completeness, Level-0 units, announcement of the datatakes."""

from __future__ import annotations

from airflow.sdk import DAG

from s2ps_airflow.installed import session_dag

dag: DAG = session_dag()
