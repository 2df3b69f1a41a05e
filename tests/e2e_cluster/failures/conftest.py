"""One service and one datatake for all tests of failures."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from cluster.controls import Controls, wait
from e2e_cluster.cluster import Cluster, Place
from e2e_cluster.failures.bench import DEFERRED, WAITING, Bench, Ground, load_environment
from e2e_cluster.service import Mission, Service

from s2ps.staging.location import open_store

DAGS = Path(__file__).parent / "dags"
LOCAL = "airflow.dag_processing.bundles.local.LocalDagBundle"
BUNDLES = [
    {"name": "dags-folder", "classpath": LOCAL, "kwargs": {}},
    {"name": "failures", "classpath": LOCAL, "kwargs": {"path": str(DAGS)}},
]
VARIABLES = {
    "AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST": json.dumps(BUNDLES),
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "25",
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": "2",
    "AIRFLOW__SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL": "5",
    "S2PS_POD_RETRY_DELAY_S": "2",
    "S2PS_POD_NODE_LOST_S": "5",
    "S2PS_POD_IMAGE_PATIENCE_S": "3",
    "S2PS_POD_GRACE_S": "5",
}
"""The service as it is, but what it waits for comes sooner."""


@pytest.fixture(scope="session")
def bench(
    cluster: Cluster, mission: Mission, image: str, local_products: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Bench]:
    load_environment(cluster.env)
    place = Place(cluster, mission.folder)
    place.make()
    service = Service(place, mission, tmp_path_factory.mktemp("failures"), image, "", VARIABLES)
    try:
        ground = Ground(service.settings, open_store(local_products.parent / "staging"))
        made = Bench(service, Controls(), local_products, ground)
        made.spoil()
        service.start()
        ground.prepare(mission.session)
        wait("the DAGs of one tile", lambda: {WAITING, DEFERRED} <= set(service.client.dag_ids()), 60)
        yield made
    finally:
        service.stop()
        place.remove()
