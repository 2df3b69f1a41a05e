"""Failures of a staging in S3: busy, slow, away for longer; and scratch space, which pods need for such a staging."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import boto3
import pytest
from cluster.controls import wait
from cluster.fault_proxy import FaultProxy
from contract.object_store import remove_bucket
from e2e_cluster.failures.bench import FIRST, NEXT, Bench, Ground

TILES = BUSY, SCRATCH, AWAY = "32TMQ", "32TNQ", "32TMR"
LONG = f"{NEXT}:slow:8"


@pytest.fixture(scope="module")
def proxy() -> Iterator[FaultProxy]:
    made = FaultProxy(os.environ["S2PS_TEST_S3"])
    yield made
    made.close()


@pytest.fixture(scope="module")
def s3(bench: Bench, proxy: FaultProxy) -> Iterator[Bench]:
    with in_s3(bench, proxy) as made:
        yield made


@contextmanager
def in_s3(bench: Bench, proxy: FaultProxy) -> Iterator[Bench]:
    """Yield the bench with its staging in a bucket behind the proxy."""
    bucket = bench.service.place.name
    client: Any = boto3.client("s3", endpoint_url=os.environ["S2PS_TEST_S3"])
    client.create_bucket(Bucket=bucket)
    try:
        uri = f"s3://{bucket}/staging?endpoint={proxy.address}&region=default"
        ground = Ground(bench.service.settings.model_copy(update={"staging": uri}), bench.ground.local)
        ground.prepare(bench.service.mission.session, *TILES)
        made = replace(bench, ground=ground, usual={**bench.usual, "S2PS_STAGING": uri})
        made.spoil()
        yield made
    finally:
        bench.spoil()
        remove_bucket(client, bucket)
        client.close()


def test_busy_and_slow_store_is_waited_for(s3: Bench, proxy: FaultProxy) -> None:
    tile = BUSY
    s3.fresh(tile, fault=LONG)
    with s3.watch() as watch:
        run = s3.trigger(tile)
        s3.running_pod(tile)
        proxy.refuse_for(15)
        time.sleep(16)
        proxy.delay_for(10, 0.5)
        assert run.end() == "success"
    assert proxy.refused > 0
    assert proxy.delayed > 0
    assert len(watch.of(tile)) == 1
    assert run.task().try_number == 1
    s3.assert_undisturbed(tile)


def test_full_scratch_is_tried_once_more_then_the_task_fails(s3: Bench) -> None:
    tile = SCRATCH
    s3.fresh(tile, fault=f"{FIRST}:slow:60")
    with s3.spoilt(**s3.strategy(disk_gb=0.001)), s3.watch() as watch:
        run = s3.trigger(tile)
        assert run.end() == "failed"
    assert [pod.reason for pod in watch.of(tile)] == ["Evicted", "Evicted"]
    assert "exceeds the limit" in watch.of(tile)[0].message
    assert run.task().try_number == 2
    assert "its scratch space is full" in run.log(1)
    assert "for the second time" in run.log(2)
    s3.ground.plan()
    run.again()
    assert run.end() == "success"
    s3.assert_undisturbed(tile)


def test_store_that_is_away_for_longer_ends_the_pod_which_is_made_again(s3: Bench, proxy: FaultProxy) -> None:
    tile = AWAY
    s3.fresh(tile, fault=LONG)
    with pods_have(s3, S2PS_STAGING_PATIENCE_S="5"), s3.watch() as watch:
        run = s3.trigger(tile)
        s3.running_pod(tile)
        proxy.refuse_for(300)
        try:
            wait("the end of the first pod", lambda: watch.of(tile)[0].exit_code is not None, 120)
        finally:
            proxy.refuse_for(0)
        assert run.end() == "success"
    assert watch.of(tile)[0].exit_code == 75
    assert "the staging was not usable for a while (exit code 75)" in run.log(1)
    s3.assert_went_on(tile)


@contextmanager
def pods_have(bench: Bench, **variables: str) -> Iterator[None]:
    """Give pods with a staging in S3 further variables, through their Secret."""
    name = ("-n", bench.service.place.name, "secret", "s2ps-s3")
    bench.controls.kubectl("patch", *name, "-p", json.dumps({"stringData": variables}))
    try:
        yield
    finally:
        bench.controls.kubectl("patch", *name, "-p", json.dumps({"data": dict.fromkeys(variables)}))
