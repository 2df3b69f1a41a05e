"""The folder store: what is particular to a POSIX file system."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from s2ps.model.errors import ConfigurationError, InputError, StagingError
from s2ps.staging.location import open_store
from s2ps.staging.posix import PosixStore


def test_of_many_commits_at_once_exactly_one_wins(tmp_path: Path) -> None:
    store = PosixStore(tmp_path)
    trees = []
    for number in range(8):
        tree = store.begin("jobs/A")
        (tree / "who").write_text(str(number))
        trees.append(tree)
    won: list[bool] = []
    start = threading.Barrier(len(trees))

    def commit(tree: Path) -> None:
        start.wait()
        won.append(store.commit(tree, "jobs/A"))

    threads = [threading.Thread(target=commit, args=(tree,)) for tree in trees]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(won) == [False] * 7 + [True]
    assert [path.name for path in (tmp_path / "jobs").iterdir()] == ["A"]


def test_link_out_of_the_store_is_refused(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("x")
    store = PosixStore(tmp_path / "store")
    (store.root / "link").symlink_to(tmp_path)
    with pytest.raises(InputError, match="leads out"):
        store.read("link/secret")


def test_discard_takes_only_uncommitted_folders(tmp_path: Path) -> None:
    store = PosixStore(tmp_path)
    (tmp_path / "precious").mkdir()
    with pytest.raises(InputError):
        store.discard(tmp_path / "precious")
    assert (tmp_path / "precious").is_dir()


def test_failed_write_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = PosixStore(tmp_path)
    store.write("a/state.json", b"old")

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        store.write("a/state.json", b"new")
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["state.json"]
    assert store.read("a/state.json") == b"old"


def test_root_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StagingError, match="file/store"):
        PosixStore(tmp_path / "file" / "store")


def test_location_may_be_folder_or_file_uri(tmp_path: Path) -> None:
    folder = tmp_path / "with space"
    store = open_store(folder)
    store.write("k", b"v")
    assert open_store(store.uri).read("k") == b"v"
    assert open_store(str(folder)).read("k") == b"v"
    with pytest.raises(ConfigurationError, match="gs://bucket"):
        open_store("gs://bucket/prefix")
