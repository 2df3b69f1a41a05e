"""Fixtures of the tests on the test cluster: a namespace per module, services in it, one simulated mission for all."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from e2e_cluster.cluster import Cluster, NoCluster, Place
from e2e_cluster.service import Mission, Service

MakeService = Callable[..., Service]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Every test here needs the cluster."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.cluster)


@pytest.fixture(scope="session")
def cluster() -> Cluster:
    """The running test cluster; without one the tests are skipped, saying why."""
    try:
        return Cluster.find()
    except NoCluster as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def image(cluster: Cluster) -> str:
    """The image of the reference processors, by digest, on both nodes."""
    try:
        return cluster.reference_image()
    except NoCluster as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder nodes can see; S2PS_E2E_WORKSPACE keeps mission and local products from run to run."""
    kept = os.environ.get("S2PS_E2E_WORKSPACE")
    return Path(kept) if kept else tmp_path_factory.mktemp("cluster")


@pytest.fixture(scope="session")
def mission(workspace: Path) -> Mission:
    """A simulated session at a small scale."""
    return Mission.make(workspace / "mission")


@pytest.fixture(scope="session")
def local_products(mission: Mission, workspace: Path) -> Path:
    """The products of the same session made on this machine."""
    return mission.run_here(workspace / "local")


@pytest.fixture(scope="module")
def place(cluster: Cluster, mission: Mission) -> Iterator[Place]:
    """A namespace for the tests of one module."""
    made = Place(cluster, mission.folder)
    made.make()
    try:
        yield made
    finally:
        made.remove()


@pytest.fixture
def make_service(
    place: Place, mission: Mission, image: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[MakeService]:
    """A function that starts a service: make_service(staging="", project=None, **variables); the end stops them all."""
    running: list[Service] = []

    def make(staging: str = "", project: Path | None = None, **variables: str) -> Service:
        home = tmp_path_factory.mktemp("service")
        service = Service(place, mission, home, variables.pop("image", image), staging, variables, project)
        running.append(service)
        service.start()
        return service

    yield make
    for service in running:
        service.stop()


@pytest.fixture(scope="module")
def bucket(cluster: Cluster, place: Place) -> Iterator[str]:
    """A bucket of its own in the object store of the cluster; yields the URI of a staging in it."""
    store = cluster.s3()
    store.create_bucket(Bucket=place.name)
    yield f"s3://{place.name}/staging?endpoint={cluster.env['S2PS_TEST_S3']}&region={cluster.env['AWS_DEFAULT_REGION']}"
    for page in store.get_paginator("list_objects_v2").paginate(Bucket=place.name):
        for item in page.get("Contents", ()):
            store.delete_object(Bucket=place.name, Key=item["Key"])
    store.delete_bucket(Bucket=place.name)
