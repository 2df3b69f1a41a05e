"""What every staging store must do."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from contract.conftest import bucket_on

from s2ps.model.errors import InputError, StagingError
from s2ps.staging.location import open_store
from s2ps.staging.posix import PosixStore
from s2ps.staging.s3 import S3Store
from s2ps.staging.store import StagingStore

ON_CLUSTER = pytest.mark.cluster
KINDS = ("posix", pytest.param("cephfs", marks=ON_CLUSTER), "moto", pytest.param("radosgw", marks=ON_CLUSTER))


@pytest.fixture(params=KINDS)
def store(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[StagingStore]:
    if request.param == "posix":
        yield PosixStore(tmp_path / "store")
        return
    if request.param == "cephfs":
        yield PosixStore(request.getfixturevalue("cephfs")[0] / "store")
        return
    with bucket_on(request.getfixturevalue(request.param), tmp_path, monkeypatch) as bucket:
        opened = open_store(str(bucket.location()))
        assert isinstance(opened, S3Store)
        yield opened
        opened.close()


def test_written_file_is_read_back_and_replaced(store: StagingStore) -> None:
    store.write("runs/r/state.json", b"one")
    store.write("runs/r/state.json", b"two")
    assert store.read("runs/r/state.json") == b"two"
    assert store.exists("runs/r/state.json")
    assert store.checksum("runs/r/state.json") == hashlib.sha256(b"two").hexdigest()


def test_tree_appears_only_with_its_commit(store: StagingStore) -> None:
    tree = store.begin("jobs/A")
    (tree / "sub").mkdir()
    (tree / "sub" / "x.txt").write_text("12345")
    assert not store.exists("jobs/A")
    assert list(store.list("jobs")) == []
    assert store.children("jobs") == ()
    assert store.commit(tree, "jobs/A")
    assert [(entry.key, entry.size) for entry in store.list("jobs")] == [("jobs/A/sub/x.txt", 5)]
    assert store.children("jobs") == ("A",)
    assert (store.open_local("jobs/A") / "sub" / "x.txt").read_text() == "12345"


def test_second_commit_loses_and_its_folder_is_gone(store: StagingStore) -> None:
    first, second = store.begin("jobs/A"), store.begin("jobs/A")
    (first / "who").write_text("first")
    (second / "who").write_text("second")
    assert store.commit(first, "jobs/A")
    assert not store.commit(second, "jobs/A")
    assert store.read("jobs/A/who") == b"first"
    assert not second.exists()


def test_replacing_commit_wins(store: StagingStore) -> None:
    for content in ("old", "new"):
        tree = store.begin("jobs/A")
        (tree / content).write_text(content)
        assert store.commit(tree, "jobs/A", replace=True)
    assert [entry.key for entry in store.list("jobs/A")] == ["jobs/A/new"]


def test_discarded_tree_leaves_nothing(store: StagingStore) -> None:
    tree = store.begin("jobs/A")
    (tree / "x").write_text("x")
    store.discard(tree)
    assert not tree.exists()
    assert not store.exists("jobs/A")


def test_put_and_get_copy_files_and_trees(store: StagingStore, tmp_path: Path) -> None:
    source = tmp_path / "source"
    (source / "ch_1").mkdir(parents=True)
    (source / "ch_1" / "a.raw").write_bytes(bytes(range(256)))
    store.put(source, "sessions/S1")
    store.put(source / "ch_1" / "a.raw", "sessions/one.raw")
    store.get("sessions/S1", tmp_path / "copy")
    store.get("sessions/one.raw", tmp_path / "deep" / "one.raw")
    assert (tmp_path / "copy" / "ch_1" / "a.raw").read_bytes() == bytes(range(256))
    assert (tmp_path / "deep" / "one.raw").read_bytes() == bytes(range(256))
    with pytest.raises(StagingError, match="already"):
        store.put(source, "sessions/S1")
    with pytest.raises(StagingError, match="exists"):
        store.get("sessions/S1", tmp_path / "copy")


def test_delete_removes_files_and_trees_and_accepts_missing_ones(store: StagingStore) -> None:
    store.write("a/b/c", b"x")
    store.write("a/d", b"x")
    store.delete("a/b")
    store.delete("a/d")
    store.delete("a/nothing")
    assert list(store.list()) == []
    assert not store.exists("a/b")


def test_log_is_readable_while_it_grows_and_the_last_one_is_kept(store: StagingStore) -> None:
    with store.open_log("logs/j.log") as log:
        log.write(b"first try")
    with store.open_log("logs/j.log") as log:
        log.write(b"second")
        log.seek(0)
        assert log.read() == b"second"
    assert store.read("logs/j.log") == b"second"
    assert store.read("logs/j.log.1") == b"first try"


def test_sweep_removes_only_what_was_left_behind_long_ago(store: StagingStore) -> None:
    store.write("jobs/B/x", b"x")
    left = store.begin("jobs/A")
    (left / "x").write_text("x")
    now = datetime.now(UTC)
    assert store.sweep(now - timedelta(hours=1)) == 0
    assert left.exists()
    assert store.sweep(now + timedelta(hours=1)) == 1
    assert not left.exists()
    assert store.read("jobs/B/x") == b"x"


def test_missing_keys_are_named(store: StagingStore, tmp_path: Path) -> None:
    assert not store.exists("no/such")
    assert list(store.list("no/such")) == []
    for action in (store.read, store.open_local, store.checksum, lambda key: store.get(key, tmp_path / "t")):
        with pytest.raises(StagingError, match="no/such"):
            action("no/such")


@pytest.mark.parametrize("key", ["../x", "/etc/passwd", "a/../../x", ""])
def test_hostile_keys_are_refused_everywhere(store: StagingStore, tmp_path: Path, key: str) -> None:
    actions: list[Callable[[], object]] = [
        lambda: store.exists(key),
        lambda: store.read(key),
        lambda: store.write(key, b"x"),
        lambda: store.put(tmp_path, key),
        lambda: store.get(key, tmp_path / "t"),
        lambda: store.delete(key),
        lambda: store.begin(key),
        lambda: store.open_log(key),
        lambda: store.open_local(key),
        lambda: store.checksum(key),
    ]
    for action in actions:
        with pytest.raises(InputError):
            action()
    assert not (tmp_path / "x").exists()
