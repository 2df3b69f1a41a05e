"""The local side of an S3 staging: a folder of this process that mirrors the keys, and what is complete in it."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
import threading
import uuid
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from s2ps.model.errors import InputError, StagingError
from s2ps.staging.layout import PARTIAL_MARK
from s2ps.staging.s3_tree import Tree

PREFIX = "s2ps-staging-"
LOCK = ".lock"


class LocalCache:
    """Folders at the same places as their keys, so that relative links between trees hold.

    It grows while the process lives and is removed when it ends; nothing in it is needed by anybody else.
    """

    def __init__(self, parent: Path | None) -> None:
        try:
            if parent is not None:
                parent.mkdir(parents=True, exist_ok=True)
            self.root = Path(tempfile.mkdtemp(prefix=PREFIX, dir=parent)).resolve()
        except OSError as error:
            raise StagingError(
                f"no folder can be made in {parent or tempfile.gettempdir()}: {error.strerror}",
                next_step="set S2PS_STAGING_CACHE to a folder that can be written",
            ) from error
        self._trees: dict[str, Tree] = {}
        self._fetched: dict[str, set[str]] = {}
        self._locks: dict[str, threading.RLock] = {}
        self._lock = threading.Lock()
        self._remove = weakref.finalize(self, _remove, self.root, os.getpid(), _lock(self.root))

    def close(self) -> None:
        """Remove the folder."""
        self._remove()

    def path(self, key: str) -> Path:
        """Return the place of a key."""
        return self.root / key

    @contextmanager
    def locked(self, key: str) -> Iterator[None]:
        """Let one thread at a time fetch or replace a tree."""
        with self._lock:
            lock = self._locks.setdefault(key, threading.RLock())
        with lock:
            yield

    def tree(self, key: str) -> Tree | None:
        """Return the tree this process reads from at a key."""
        return self._trees.get(key)

    def fetched(self, tree: Tree) -> set[str]:
        """Return the paths of a tree that are here, after removing an older tree of the key."""
        known = self._trees.get(tree.key)
        if known is None or known.id != tree.id:
            self.forget(tree.key)
            self._fetched[tree.key] = set()
            self._trees[tree.key] = tree
        return self._fetched[tree.key]

    def renew(self, key: str, committed: Tree | None) -> None:
        """Read from now on from the tree that is committed now; forget another one."""
        with self.locked(key):
            known = self._trees.get(key)
            if known is not None and (committed is None or committed.id != known.id):
                self.forget(key)
            if committed is not None:
                self.fetched(committed)

    def forget(self, key: str) -> None:
        """Remove everything at and below a key."""
        for name in [name for name in self._trees if name == key or name.startswith(f"{key}/")]:
            self._trees.pop(name, None)
            self._fetched.pop(name, None)
        place = self.path(key)
        if place.is_dir() and not place.is_symlink():
            shutil.rmtree(place, ignore_errors=True)
        else:
            place.unlink(missing_ok=True)

    def begin(self, key: str) -> Path:
        """Return a new empty folder beside the place of a key."""
        place = self.path(key)
        partial = place.with_name(f"{place.name}{PARTIAL_MARK}{uuid.uuid4().hex}")
        partial.mkdir(parents=True)
        return partial

    def own(self, folder: Path) -> Path:
        """Return a folder given by `begin`; raise InputError for any other."""
        if PARTIAL_MARK not in folder.name or not folder.resolve().is_relative_to(self.root):
            raise InputError(f"{folder} is not an uncommitted folder of {self.root}")
        return folder

    def adopt(self, folder: Path, tree: Tree) -> None:
        """Move a folder that has just been committed to its place: nobody here needs to fetch it."""
        with self.locked(tree.key):
            self.forget(tree.key)
            self.path(tree.key).parent.mkdir(parents=True, exist_ok=True)
            folder.rename(self.path(tree.key))
            here = {*(item.path for item in tree.files), *(link.path for link in tree.links)}
            self._trees[tree.key], self._fetched[tree.key] = tree, here

    def key_of(self, link: Path) -> str | None:
        """Return the key a link leads to, None when it leads out of the cache or to uncommitted work."""
        target = link.resolve()
        if not target.is_relative_to(self.root) or target == self.root or not target.exists():
            return None
        key = target.relative_to(self.root).as_posix()
        return None if PARTIAL_MARK in key else key

    def sweep(self, before: datetime) -> int:
        """Remove uncommitted folders, and caches of processes that are gone, last touched before a moment."""
        removed = sum(_sweep_dead(place, before) for place in self.root.parent.glob(f"{PREFIX}*") if place.is_dir())
        for base, folders, _ in os.walk(self.root):
            for name in [name for name in folders if PARTIAL_MARK in name]:
                path = Path(base, name)
                if _last_touched(path) < before.timestamp():
                    shutil.rmtree(path, ignore_errors=True)
                    removed += 1
            folders[:] = [name for name in folders if PARTIAL_MARK not in name]
        return removed


def _lock(root: Path) -> int:
    """Hold a lock beside a cache for as long as this process, or a fork of it, lives; return its descriptor."""
    descriptor = os.open(root.with_suffix(LOCK), os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
    fcntl.flock(descriptor, fcntl.LOCK_SH)
    return descriptor


def _sweep_dead(root: Path, before: datetime) -> int:
    """Remove a cache nobody holds the lock of; return how many were removed."""
    lock = root.with_suffix(LOCK)
    if _last_touched(root) >= before.timestamp():
        return 0
    if lock.exists():
        with lock.open("rb") as stream:
            try:
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return 0
    shutil.rmtree(root, ignore_errors=True)
    lock.unlink(missing_ok=True)
    return 1


def _last_touched(folder: Path) -> float:
    return max((item.lstat().st_mtime for item in (folder, *folder.rglob("*"))), default=0.0)


def _remove(folder: Path, process: int, lock: int) -> None:
    """Remove the folder of this process; a fork of it must not."""
    if os.getpid() == process:
        shutil.rmtree(folder, ignore_errors=True)
        folder.with_suffix(LOCK).unlink(missing_ok=True)
        os.close(lock)
