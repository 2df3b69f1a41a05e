"""Make an expensive folder once for all workers of a test run."""

from __future__ import annotations

import fcntl
import traceback
from collections.abc import Callable
from pathlib import Path

import pytest


def shared_root(factory: pytest.TempPathFactory, worker: str) -> Path:
    """Return the temporary folder that all workers of this test run share."""
    base = factory.getbasetemp()
    return base if worker == "master" else base.parent


def once(folder: Path, make: Callable[[Path], None]) -> Path:
    """Let `make` fill a folder unless another worker has; a failure is told to all workers, and not repeated."""
    ready, failed = folder.with_name(folder.name + ".ready"), folder.with_name(folder.name + ".failed")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_name(folder.name + ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if failed.exists():
            pytest.fail(f"making {folder.name} failed before:\n{failed.read_text()}", pytrace=False)
        if not ready.exists():
            try:
                make(folder)
            except BaseException:
                failed.write_text(traceback.format_exc())
                raise
            ready.touch()
    return folder
