"""Failures around the pods: a node, the API server, Airflow itself, the metadata server of CephFS."""

from __future__ import annotations

import os
import threading
import time

from cluster.controls import wait
from e2e_cluster.failures.airflow import kill_at_once
from e2e_cluster.failures.bench import BOTH, HEAD, NEXT, SECOND, TAIL, TASK, Bench

LONG = f"{NEXT}:slow:8"
AWAY_S = 30


def test_jobs_of_a_lost_node_run_elsewhere_and_finished_ones_are_not_run_again(bench: Bench) -> None:
    tile, controls = "32TQR", bench.controls
    bench.fresh(tile, fault=LONG)
    with bench.watch() as watch:
        controls.kubectl("cordon", "node1")
        try:
            run = bench.trigger(tile)
            assert bench.running_pod(tile).node == "node2"
        finally:
            controls.kubectl("uncordon", "node1")
        begun = time.monotonic()
        controls.lose_node("node2")
        try:
            assert run.end() == "success"
            took = time.monotonic() - begun
        finally:
            controls.return_node("node2")
    lost, other = watch.of(tile)
    assert (lost.node, other.node) == ("node2", "node1")
    assert "its node node2 does not answer any more" in run.log(1)
    bench.assert_went_on(tile)
    print(f"lost node: product after {took:.0f} s")


def test_pods_go_on_while_the_api_server_is_away(bench: Bench) -> None:
    tiles = ("32TMQ", "32TMR")
    bench.fresh(*tiles, fault=LONG)
    with bench.watch() as watch:
        run = bench.trigger(*tiles, dag_id=BOTH)
        before = {tile: [bench.running_pod(tile).uid] for tile in tiles}
        bench.controls.restart_api_server(AWAY_S)
        assert run.end() == "success"
        bench.controls.wait_ready()
    assert {tile: [pod.uid for pod in watch.of(tile)] for tile in tiles} == before
    assert [run.task(name).try_number for name in (TASK, SECOND)] == [1, 1]
    assert "the Kubernetes API answers again" in run.log()
    bench.assert_undisturbed(*tiles)


def test_pods_are_taken_over_after_airflow_was_killed(bench: Bench) -> None:
    tiles = ("32TNQ", "32TNR")
    bench.fresh(*tiles, fault=f"{NEXT}:slow:30")
    with bench.watch() as watch:
        run = bench.trigger(*tiles, dag_id=BOTH)
        before = {tile: [bench.running_pod(tile).uid] for tile in tiles}
        wait("the deferral", lambda: run.task(SECOND).state == "deferred", 60)
        killed = kill_at_once(bench.service.airflow, "scheduler", "triggerer")
        assert len(killed) > 2, "the scheduler, the triggerer and at least one worker"
        bench.service.start()
        assert run.end() == "success"
    assert {tile: [pod.uid for pod in watch.of(tile)] for tile in tiles} == before, "no pod was started twice"
    assert "is there already and is taken over" in run.log()
    bench.assert_undisturbed(*tiles)


def test_jobs_go_on_after_the_metadata_server_was_killed(bench: Bench) -> None:
    tile = "32TPQ"
    bench.fresh(tile, tasks=(*HEAD, *TAIL))
    with bench.watch() as watch:
        run = bench.trigger(tile)
        wait("the first job at work", lambda: any(pod.started for pod in watch.of(tile)), 180, 0.2)
        restart = threading.Thread(target=bench.controls.restart_mds, args=(3,))
        restart.start()
        try:
            assert run.end() == "success"
        finally:
            restart.join()
    assert len(watch.of(tile)) == 1
    assert set(bench.ground.states(tile).values()) == {"done"}
    bench.assert_published(tile)


def test_full_staging_ends_the_pod_which_is_made_again_when_there_is_room(bench: Bench) -> None:
    tile, staging = "32TPR", bench.service.place.staging
    bench.fresh(tile, fault=LONG)
    with bench.watch() as watch:
        run = bench.trigger(tile)
        bench.running_pod(tile)
        used = int(os.getxattr(staging, "ceph.dir.rbytes"))
        os.setxattr(staging, "ceph.quota.max_bytes", str(used).encode())
        try:
            run.await_log("exit code 75")
        finally:
            os.setxattr(staging, "ceph.quota.max_bytes", b"0")
        assert run.end() == "success"
    assert watch.of(tile)[0].exit_code == 75
    bench.assert_went_on(tile)
