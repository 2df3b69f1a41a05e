"""Loads what tasks need once, in the scheduler, so that the task processes forked from it start warm."""

import sys

if "scheduler" in sys.argv:
    import airflow.sdk.execution_time.task_runner  # noqa: F401

    import s2ps_airflow.preload  # noqa: F401
