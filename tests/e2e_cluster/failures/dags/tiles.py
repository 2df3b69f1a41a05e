"""DAGs of one tile or two, made by the operators of the service; tiles wait in a worker or in the triggerer.

The settings in variables.json below S2PS_HOME are read by every task anew, so a test may spoil and mend them.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from airflow.sdk import DAG, Param

os.environ.update(json.loads((Path(os.environ["S2PS_HOME"]) / "variables.json").read_text()))

from s2ps_airflow.execution import cluster_arguments, cluster_operator
from s2ps_airflow.operators import PublishOperator


def make(suffix: str, tile: str, *, deferrable: bool) -> None:
    """Make l1c_tile -> publish_l1c."""
    made = cluster_operator()(
        task_id=f"l1c_tile{suffix}", node="l1c_tile", plan_task="", tile=tile, deferrable=deferrable,
        **cluster_arguments(600),
    )  # fmt: skip
    made >> PublishOperator(task_id=f"publish_l1c{suffix}", what="l1c", tile=tile)


def tiles(dag_id: str, **deferrable: bool) -> DAG:
    """Make a DAG with a tile for each parameter."""
    params = {"datatake": Param("", type="string"), **{name: Param({}, type="object") for name in deferrable}}
    with DAG(
        dag_id, schedule=None, params=params, render_template_as_native_obj=True, is_paused_upon_creation=False
    ) as dag:
        for name, waits_in_triggerer in deferrable.items():
            make(name.removeprefix("tile"), f"{{{{ params.{name} }}}}", deferrable=waits_in_triggerer)
    return dag


waiting = tiles("tile_waiting", tile=False)
deferred = tiles("tile_deferred", tile=True)
both = tiles("tile_both", tile=False, tile_2=True)
