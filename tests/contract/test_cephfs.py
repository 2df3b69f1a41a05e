"""Staging on CephFS: what one client writes, another client sees at once."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from unit.staging.test_sharing import AIRFLOW, GROUP, POD, READ_AND_REMOVE, WRITE, run_as

from s2ps.staging.posix import PosixStore

pytestmark = pytest.mark.cluster
VISIBLE_S = 1.0
"""A plain rename of a file takes up to 5 s, the tick of the metadata server."""


def _write(store: PosixStore, folder: Path, content: bytes) -> None:
    store.write("k/x", content)


def _put(store: PosixStore, folder: Path, content: bytes) -> None:
    (folder / "source").write_bytes(content)
    store.put(folder / "source", "k/x")


def _commit(store: PosixStore, folder: Path, content: bytes) -> None:
    tree = store.begin("k")
    (tree / "x").write_bytes(content)
    assert store.commit(tree, "k", replace=True)


def _log(store: PosixStore, folder: Path, content: bytes) -> None:
    with store.open_log("k/x") as log:
        log.write(content)


@pytest.mark.parametrize("publish", [_write, _put, _commit, _log])
def test_what_one_client_writes_another_reads_at_once(
    cephfs: tuple[Path, Path], tmp_path: Path, publish: Callable[[PosixStore, Path, bytes], None]
) -> None:
    writer, reader = (PosixStore(root) for root in cephfs)
    for content in (b"first", b"second", b"third" * 100_000):
        publish(writer, tmp_path, content)
        begun = time.monotonic()
        assert reader.read("k/x") == content
        assert time.monotonic() - begun < VISIBLE_S


def test_last_log_is_readable_at_once_after_a_new_one_began(cephfs: tuple[Path, Path]) -> None:
    writer, reader = (PosixStore(root) for root in cephfs)
    for content in (b"first", b"second"):
        with writer.open_log("job.log") as log:
            log.write(content)
    begun = time.monotonic()
    assert reader.read("job.log.1") == b"first"
    assert time.monotonic() - begun < VISIBLE_S


def test_of_two_clients_one_commits(cephfs: tuple[Path, Path]) -> None:
    stores = [PosixStore(root) for root in cephfs]
    trees = [store.begin("jobs/A") for store in stores]
    for number, tree in enumerate(trees):
        (tree / "who").write_text(str(number))
    won = [store.commit(tree, "jobs/A") for store, tree in zip(stores, trees, strict=True)]
    assert won == [True, False]
    assert {store.read("jobs/A/who") for store in stores} == {b"0"}
    assert [store.children("jobs") for store in stores] == [("A",), ("A",)]


def test_users_of_two_machines_share_a_staging(cephfs: tuple[Path, Path]) -> None:
    first, second = cephfs
    os.chown(first, 0, GROUP)
    first.chmod(0o2775)
    run_as(AIRFLOW, WRITE, first, "airflow")
    run_as(POD, READ_AND_REMOVE, second, "airflow")
    run_as(POD, WRITE, second, "pod")
    run_as(AIRFLOW, READ_AND_REMOVE, first, "pod")
