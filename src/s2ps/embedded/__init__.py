"""A private Airflow on this machine: started, watched and stopped from Python, without importing Airflow."""

from s2ps.embedded.rest import AirflowClient, TaskProgress
from s2ps.embedded.runtime import EmbeddedAirflow, RuntimeStatus

__all__ = ["AirflowClient", "EmbeddedAirflow", "RuntimeStatus", "TaskProgress"]
