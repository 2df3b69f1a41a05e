"""After all failures: every product of the level is there once, and equal to that of an undisturbed run."""

from __future__ import annotations

from e2e_cluster.failures.bench import Bench, cluster_of
from e2e_cluster.service import checksums


def test_no_product_is_lost_and_none_published_twice(bench: Bench) -> None:
    ground = bench.ground
    ground.plan()
    for tile in ground.tiles:
        assert ground.production.run_cluster(ground.run(), cluster_of(tile)).state == "success"
        ground.production.publish(ground.run(), "l1c", tile)
    expected = {name: digest for name, digest in checksums(bench.expected).items() if "L1C" in name.split("/")[:2]}
    made = checksums(bench.service.products)
    assert sorted(made) == sorted(expected)
    assert [name for name in expected if made[name] != expected[name]] == []
    known = [item.name for item in bench.service.inventory.products_of(ground.datatake)]
    assert len(known) == len(set(known))
