"""A disk that is full: told from an error, from what a processor said, or from the disk itself."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

from s2ps.model.errors import StagingUnavailable
from s2ps.staging.location import local_root
from s2ps.staging.store import StagingStore

NOTHING_LEFT = 1_000_000
"""Bytes; with less a disk is full."""
MEGABYTE = 1_000_000
_SAYINGS = tuple(os.strerror(number) for number in (errno.ENOSPC, errno.EDQUOT))


def written_places(*stores: StagingStore | None) -> tuple[Path, ...]:
    """Return the folders of this machine that a runner writes into."""
    folders = [local_root(store.uri) for store in stores if store is not None and not store.fetches]
    return (Path(tempfile.gettempdir()), *folders)


def full_by_error(error: BaseException | None, places: Sequence[Path]) -> StagingUnavailable | None:
    """Return the plain error for an error that means "no space left", None for all others.

    The disk is that of the file the error names, else the one of the places that has least room.
    """
    while error is not None:
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            named = Path(os.fsdecode(error.filename)) if isinstance(error.filename, (str, bytes)) else None
            return _full(named or min(places, key=_free))
        error = error.__cause__
    return None


def full_by_processor(folder: Path, said: str) -> StagingUnavailable | None:
    """Return the plain error when a failed processor has met a full disk, None when it has not."""
    if any(text in said for text in _SAYINGS) or _free(folder) < NOTHING_LEFT:
        return _full(folder)
    return None


def _free(path: Path) -> int:
    status = os.statvfs(_present(path))
    return status.f_bavail * status.f_frsize


def _full(path: Path) -> StagingUnavailable:
    place = _present(path)
    status = os.statvfs(place)
    size, free = (blocks * status.f_frsize / MEGABYTE for blocks in (status.f_blocks, status.f_bavail))
    return StagingUnavailable(
        f"the disk of {_mount(place)} is full ({_SAYINGS[0]}): {free:.0f} of {size:.0f} MB are free",
        expected=f"room for the inputs, outputs and temporary files of a whole cluster, more than the {size:.0f} MB",
        next_step="make room there, or raise disk_gb of the cluster in the strategy; finished jobs are kept",
    )


def _present(path: Path) -> Path:
    """Return a path, or the nearest folder above it that is there."""
    while not path.exists():
        path = path.parent
    return path


def _mount(path: Path) -> Path:
    path = path.resolve()
    while not path.is_mount():
        path = path.parent
    return path
