"""One tile by the operators of the service, waiting in a worker or in the triggerer; a file has more settings for it.

The settings in variables.json below S2PS_HOME are read by every task anew, so a test may spoil and mend them.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from airflow.sdk import DAG, Param

os.environ.update(json.loads((Path(os.environ["S2PS_HOME"]) / "variables.json").read_text()))

from s2ps_airflow.execution import cluster_arguments, cluster_operator  # noqa: E402
from s2ps_airflow.operators import PublishOperator  # noqa: E402

PARAMS: dict[str, Any] = {"datatake": Param("", type="string"), "tile": Param({}, type="object")}


def one_tile(dag_id: str, *, deferrable: bool) -> DAG:
    """Make l1c_tile -> publish_l1c."""
    with DAG(
        dag_id, schedule=None, params=PARAMS, render_template_as_native_obj=True, is_paused_upon_creation=False
    ) as dag:
        made = cluster_operator()(
            task_id="l1c_tile", node="l1c_tile", plan_task="", tile="{{ params.tile }}", deferrable=deferrable,
            **cluster_arguments(600),
        )  # fmt: skip
        made >> PublishOperator(task_id="publish_l1c", what="l1c", tile="{{ params.tile }}")
    return dag


waiting = one_tile("tile_waiting", deferrable=False)
deferred = one_tile("tile_deferred", deferrable=True)
