"""A datatake on pods, with its staging on CephFS and in S3: the products are those of a local run, bit by bit."""

from __future__ import annotations

from pathlib import Path

from e2e_cluster.conftest import MakeService
from e2e_cluster.service import Service, checksums


def run(service: Service) -> str:
    run_id = service.run_of(service.ingest())
    assert service.wait(run_id) == "success", service.failures("datatake", run_id)
    return run_id


def assert_same(service: Service, local_products: Path) -> None:
    expected, made = checksums(local_products), checksums(service.products)
    assert len(expected) > 100
    assert sorted(made) == sorted(expected)
    assert [name for name in expected if made[name] != expected[name]] == []


def test_on_cephfs(make_service: MakeService, local_products: Path) -> None:
    service = make_service()
    run_id = run(service)
    assert_same(service, local_products)
    tile = next(task for task in service.tasks(run_id) if task.task_id == "tile.l1c_tile")
    log = service.log(run_id, tile)
    assert "GEN_ORTHO_TOA" in log
    assert "runs on node" in log
    assert service.pods() == []


def test_in_s3(make_service: MakeService, local_products: Path, bucket: str) -> None:
    service = make_service(staging=bucket)
    run(service)
    assert_same(service, local_products)
    assert service.pods() == []
