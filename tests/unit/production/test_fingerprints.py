"""A changed auxiliary file or map is noticed, so that jobs which used it run again."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from s2ps.production.fingerprints import fingerprint

pytestmark = pytest.mark.unit


def tree(folder: Path) -> Path:
    for name in ("a/one.tif", "b/two.tif"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("12")
        os.utime(folder / name, (1, 1))
    return folder


def test_the_same_content_at_another_place_is_the_same(tmp_path: Path) -> None:
    first, second = tree(tmp_path / "first"), tree(tmp_path / "second")
    assert fingerprint(first) == fingerprint(second)
    assert fingerprint(first / "a" / "one.tif") == "2:1000000000"


@pytest.mark.parametrize(
    "change",
    [
        lambda folder: (folder / "a" / "one.tif").write_text("21"),
        lambda folder: (folder / "b" / "two.tif").unlink(),
        lambda folder: (folder / "b" / "two.tif").rename(folder / "a" / "two.tif"),
        lambda folder: (folder / "new.tif").write_text("x"),
    ],
    ids=["written", "removed", "moved", "added"],
)
def test_any_change_in_a_folder_shows(tmp_path: Path, change: Callable[[Path], object]) -> None:
    folder = tree(tmp_path / "dem")
    before = fingerprint(folder)
    change(folder)
    assert fingerprint(folder) != before
