"""Layers: the same content gives the same bytes, whatever the machine; kept layers are not made again."""

from __future__ import annotations

import os
import tarfile
import time
from pathlib import Path

import pytest

from ipf_adapters.images.blobs import OWNER, Component, LayerCache, key_of, pack_tree

pytestmark = pytest.mark.unit
EPOCH = 1_780_000_000


def tree(root: Path, umask: int, order: list[str]) -> Path:
    before = os.umask(umask)
    try:
        for name in order:
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(name)
            path.chmod(0o700 if name.endswith(".bash") else 0o600)
        (root / "link").symlink_to("a/one.py")
        (root / "var").mkdir()
    finally:
        os.umask(before)
    return root


def test_order_umask_and_times_leave_no_trace(tmp_path: Path) -> None:
    names = ["a/one.py", "b/run.bash", "a/two.py"]
    first, second = tree(tmp_path / "1", 0o022, names), tree(tmp_path / "2", 0o077, names[::-1])
    pack_tree(first, tmp_path / "1.tar", EPOCH, frozenset({"var"}))
    time.sleep(0.01)
    pack_tree(second, tmp_path / "2.tar", EPOCH, frozenset({"var"}))
    assert (tmp_path / "1.tar").read_bytes() == (tmp_path / "2.tar").read_bytes()


def test_modes_and_owners(tmp_path: Path) -> None:
    pack_tree(tree(tmp_path / "1", 0o022, ["b/run.bash", "b/data"]), tmp_path / "1.tar", EPOCH, frozenset({"var"}))
    with tarfile.open(tmp_path / "1.tar") as archive:
        found = {entry.name: entry for entry in archive}
    assert found["b/run.bash"].mode == 0o755
    assert found["b/data"].mode == 0o644
    assert (found["b"].uid, found["b"].mode) == (0, 0o755)
    assert (found["var"].uid, found["var"].gid, found["var"].mode) == (OWNER, OWNER, 0o2775)
    assert {entry.mtime for entry in found.values()} == {EPOCH}
    assert found["link"].linkname == "a/one.py"


def test_hard_links_are_refused(tmp_path: Path) -> None:
    root = tree(tmp_path / "1", 0o022, ["a/one.py"])
    (root / "same").hardlink_to(root / "a/one.py")
    with pytest.raises(ValueError, match="same is a hard link"):
        pack_tree(root, tmp_path / "1.tar", EPOCH)


def test_a_layer_is_made_once_and_forgotten_when_unused(tmp_path: Path) -> None:
    cache = LayerCache(tmp_path / "cache")
    made: list[Path] = []
    known = Component("pypi", "numpy", "2.4.6")

    def make(tar: Path) -> tuple[Component, ...]:
        made.append(tar)
        pack_tree(tree(tmp_path / f"tree{len(made)}", 0o022, ["a/one.py"]), tar, EPOCH)
        return (known,)

    first, second = (cache.layer(key_of("x", 1), EPOCH, make) for _ in range(2))
    assert first == second
    assert len(made) == 1
    assert first.components == (known,)
    assert first.size == first.blob.stat().st_size
    cache.tidy(days=1)
    assert first.blob.is_file()
    note = next(cache.folder.glob("*.json"))
    os.utime(note, (0, 0))
    cache.tidy(days=1)
    assert list(cache.folder.iterdir()) == []


def test_a_layer_that_fails_leaves_nothing(tmp_path: Path) -> None:
    cache = LayerCache(tmp_path / "cache")

    def make(tar: Path) -> tuple[Component, ...]:
        tar.write_bytes(b"half")
        raise RuntimeError("no network")

    with pytest.raises(RuntimeError, match="no network"):
        cache.layer("k", EPOCH, make)
    assert list(cache.folder.iterdir()) == []
