"""Loads what tasks and DAG files need once, in the processes from which theirs are forked, so that these start warm."""

import os
import sys

if "scheduler" in sys.argv:
    import airflow.sdk.execution_time.task_runner  # noqa: F401

    import s2ps_airflow.preload

if "dag-processor" in sys.argv and os.environ.get("S2PS_EXECUTION") == "pod":
    import s2ps_airflow.pods.operator  # noqa: F401 - the client of Kubernetes takes seconds to import
