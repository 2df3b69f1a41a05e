"""The work folder of a failed job: kept in the staging for people who look for the reason, within a bound."""

from __future__ import annotations

import os
from pathlib import Path

from s2ps.model.errors import ConfigurationError, S2psError
from s2ps.staging import layout
from s2ps.staging.store import StagingStore

LIMIT_VARIABLE = "S2PS_KEEP_FAILED_MB"
"""Megabytes kept of one failed job; 0: nothing. Default 1024."""
DEFAULT_MB = 1024
MEGABYTE = 1_000_000
NOTE = "NOT_KEPT.txt"


class FailedFolders:
    """Keeps the last failed attempt at a job, and removes it when the job succeeds later."""

    def __init__(self, store: StagingStore, datatake: str) -> None:
        self._store = store
        self._datatake = datatake
        self._limit = _limit()
        self._there = set(store.children(layout.failed_jobs(datatake)))

    def keep(self, job_id: str, folder: Path) -> str:
        """Move a work folder to its place in the staging; return a line that tells where it is, or why it is not.

        Small files come first; those beyond the bound are named in NOT_KEPT.txt.
        """
        if self._limit == 0:
            return f"its work folder is not kept: {LIMIT_VARIABLE} is 0"
        key = layout.failed(self._datatake, job_id)
        try:
            left_out = _trim(folder, self._limit)
            if left_out:
                (folder / NOTE).write_text("\n".join(left_out) + "\n", encoding="utf-8")
            if not self._store.commit(folder, key, replace=True):
                return "its work folder is not kept: another attempt is keeping its own"
        except (S2psError, OSError) as error:
            return f"its work folder cannot be kept: {error}"
        self._there.add(layout.job_name(job_id))
        return f"its work folder is kept in the staging: {key}"

    def forget(self, job_id: str) -> None:
        """Remove what an earlier attempt at a job has left; do nothing when there is nothing."""
        name = layout.job_name(job_id)
        if name in self._there:
            self._store.delete(layout.failed(self._datatake, job_id))
            self._there.discard(name)


def _limit() -> int:
    text = os.environ.get(LIMIT_VARIABLE, str(DEFAULT_MB))
    if not text.isdigit():
        raise ConfigurationError(
            f"{LIMIT_VARIABLE}={text!r} is no number of megabytes", next_step="correct the environment variable"
        )
    return int(text) * MEGABYTE


def _trim(folder: Path, limit: int) -> list[str]:
    """Remove links that lead nowhere and the largest files beyond the bound; return a line for each of these."""
    sizes: list[tuple[int, Path]] = []
    for base, _, names in os.walk(folder):
        for path in (Path(base, name) for name in names):
            if path.is_file():
                sizes.append((path.stat().st_size, path))
            else:
                path.unlink()
    total = 0
    left_out: list[str] = []
    for size, path in sorted(sizes, key=lambda item: (item[0], str(item[1]))):
        total += size
        if total > limit:
            left_out.append(f"{path.relative_to(folder).as_posix()} {size} bytes")
            path.unlink()
    return left_out
