"""Failures of one pod: its processor, its container, its memory, its image, its place."""

from __future__ import annotations

import re

import pytest
from cluster.controls import wait
from e2e_cluster.failures.bench import DEFERRED, NEXT, TAIL, WAITING, Bench

from s2ps.staging import layout

NOWHERE = "localhost/s2ps/nowhere@sha256:" + 64 * "0"
LONG = f"{NEXT}:slow:8"


def test_failed_processor_is_not_tried_again_and_only_what_is_missing_runs_once_it_is_mended(bench: Bench) -> None:
    tile = "32TMQ"
    bench.fresh(tile, fault=f"{NEXT}:fail:150")
    with bench.watch() as watch:
        run = bench.trigger(tile)
        assert run.end() == "failed"
        task, log = run.task(), run.log()
        assert (task.state, task.try_number) == ("failed", 1)
        assert f"OLQC tile={tile} ended with exit code 150" in log
        assert "fault injected by S2PS_FAULT" in log, "the end of the log of the processor"
        failed = next(job for job in bench.ground.result(tile).jobs if job.task == NEXT)
        assert failed.exit_code == 150
        kept = layout.failed(bench.ground.datatake, f"L1CTile.{NEXT}@tile={tile}")
        assert bench.ground.store.exists(f"{kept}/JobOrder.xml"), "its work folder is kept"
        (pod,) = bench.pods(tile)
        assert pod.labels["s2ps-judged"] == "processor", "a failed pod is kept for people"
        bench.ground.plan()
        run.again()
        assert run.end() == "success"
    assert not bench.ground.store.exists(kept)
    assert len(watch.of(tile)) == 2
    bench.assert_went_on(tile)


def test_killed_container_is_tried_again(bench: Bench) -> None:
    tile = "32TMR"
    bench.fresh(tile, fault=LONG)
    with bench.watch() as watch:
        run = bench.trigger(tile)
        bench.controls.kill_container(bench.running_pod(tile))
        assert run.end() == "success"
    first, second = watch.of(tile)
    assert (first.exit_code, second.exit_code) == (137, 0)
    assert second.started >= first.finished
    assert run.task().try_number == 2
    bench.assert_went_on(tile)


@pytest.mark.parametrize("dag_id", [WAITING, DEFERRED])
def test_pod_deleted_by_force_is_made_again(bench: Bench, dag_id: str) -> None:
    tile = "32TNQ"
    bench.fresh(tile, fault=LONG)
    with bench.watch() as watch:
        run = bench.trigger(tile, dag_id=dag_id)
        bench.controls.delete_pod(bench.running_pod(tile), at_once=True)
        assert run.end() == "success"
    assert len(watch.of(tile)) == 2
    assert run.task().try_number == 2
    assert re.search(r"it is gone: somebody has deleted it|it was interrupted: .* by SIGTERM", run.log(1))
    bench.assert_went_on(tile)


def test_out_of_memory_gets_more_until_it_is_enough(bench: Bench) -> None:
    tile = "32TNR"
    bench.fresh(tile, tasks=("TILE_INIT", *TAIL))
    with bench.spoilt(**bench.strategy(memory_gb=0.08, memory_ceiling_gb=1.28)), bench.watch() as watch:
        run = bench.trigger(tile)
        assert run.end() == "success"
    memory = [pod.memory for pod in watch.of(tile)]
    assert memory == ["80M", "160M", "320M", "640M"][: len(memory)]
    assert len(memory) >= 2
    log = run.log(1)
    assert "probably out of memory" in log
    assert "under a limit of 0.08 GB" in log
    assert "the next try gets 0.16 GB" in log
    assert run.task().try_number == len(memory)
    bench.assert_published(tile)


def test_out_of_memory_at_the_ceiling_fails(bench: Bench) -> None:
    tile = "32TNR"
    bench.fresh(tile, tasks=("TILE_INIT", *TAIL))
    with bench.spoilt(**bench.strategy(memory_gb=0.08, memory_ceiling_gb=0.08)):
        run = bench.trigger(tile)
        assert run.end() == "failed"
        assert run.task().try_number == 1
        assert "the most the strategy allows" in run.log()
    run.again()
    assert run.end() == "success"
    bench.assert_published(tile)


@pytest.mark.parametrize(("policy", "word"), [("Never", "ErrImageNeverPull"), ("IfNotPresent", "ImagePull")])
def test_missing_image_fails_and_says_which(bench: Bench, policy: str, word: str) -> None:
    tile = "32TPQ"
    bench.fresh(tile)
    with bench.spoilt(S2PS_POD_IMAGE=NOWHERE, S2PS_POD_IMAGE_PULL_POLICY=policy):
        run = bench.trigger(tile)
        assert run.end() == "failed"
    log = run.log()
    assert run.task().try_number == 1
    assert NOWHERE in log
    assert word in log
    wait("the end of the pod", lambda: all(pod.deleting for pod in bench.pods(tile)), 30)
    if policy == "Never":
        run.again()
        assert run.end() == "success"
        bench.assert_published(tile)


def test_refused_by_the_quota_waits_for_room(bench: Bench) -> None:
    tile, namespace = "32TPR", bench.service.place.name
    bench.fresh(tile)
    metadata = {"name": "none", "namespace": namespace}
    bench.controls.apply(
        {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": metadata, "spec": {"hard": {"pods": "0"}}}
    )
    try:
        with bench.watch() as watch:
            run = bench.trigger(tile)
            run.await_log("waiting for room")
            assert "exceeded quota: none" in run.log()
            assert watch.of(tile) == []
            bench.controls.kubectl("delete", "resourcequota", "-n", namespace, "none")
            assert run.end() == "success"
    finally:
        bench.controls.kubectl("delete", "resourcequota", "-n", namespace, "none", "--ignore-not-found")
    assert len(watch.of(tile)) == 1
    assert run.task().try_number == 1, "waiting for room costs no try"
    bench.assert_published(tile)


def test_pod_without_a_place_is_given_up_and_tried_again(bench: Bench) -> None:
    tile = "32TQQ"
    bench.fresh(tile)
    nowhere = bench.strategy(node_selector={"s2ps-test": "no-such-node"})
    with bench.spoilt(S2PS_POD_START_LIMIT_S="4", **nowhere), bench.watch() as watch:
        run = bench.trigger(tile)
        run.await_log("has not started within 4 s: 0/2 nodes are available")
        bench.spoil()
        assert run.end() == "success"
    assert run.task().try_number >= 2
    *stuck, last = watch.of(tile)
    assert {pod.started for pod in stuck} == {""}, "none of them ever ran"
    assert last.exit_code == 0
    bench.assert_published(tile)
