"""Packages in a folder, on a disk of the machine or on a shared file system with locks."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path

from s2ps.model.errors import ConfigurationError, PublicationError, StagingError, StagingUnavailable, is_temporary
from s2ps.publication.pump import Sink
from s2ps.staging.keys import checked
from s2ps.staging.layout import PARTIAL_MARK
from s2ps.staging.location import local_root

BLOCK_BYTES = 4 * 1024 * 1024
_LOCKS, _LOCK_FILES = ".locks", 64
_TRIES = 10


class FileSink:
    """A file that takes blocks one after the other.

    Whole blocks go to the disk past the page cache, which spares a copy of each and the cache for others; the last one,
    and all of them where the file system does not allow that, go through the cache and are sent to the disk at once.
    """

    block_bytes = BLOCK_BYTES
    writers = 1

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._direct_allowed = True
        self._is_direct = False

    def write(self, number: int, block: memoryview) -> None:
        """Write a block at its place."""
        begin = place = number * self.block_bytes
        self._direct(len(block) == self.block_bytes)
        while block:
            try:
                done = os.pwrite(self._descriptor, block, place)
            except OSError as error:
                if error.errno != errno.EINVAL or not self._is_direct:
                    raise
                self._direct_allowed = self._direct(False)
                continue
            place, block = place + done, block[done:]
        if not self._is_direct:
            os.posix_fadvise(self._descriptor, begin, place - begin, os.POSIX_FADV_DONTNEED)

    def _direct(self, wanted: bool) -> bool:
        """Write past the page cache from now on, or through it; return which it is."""
        wanted = wanted and self._direct_allowed
        if wanted != self._is_direct:
            flags = fcntl.fcntl(self._descriptor, fcntl.F_GETFL) & ~os.O_DIRECT
            try:
                fcntl.fcntl(self._descriptor, fcntl.F_SETFL, flags | (os.O_DIRECT if wanted else 0))
            except OSError as error:
                if error.errno != errno.EINVAL:
                    raise
                wanted = self._direct_allowed = False
            self._is_direct = wanted
        return self._is_direct


class FolderPackages:
    """Objects are files. One under construction has a mark in its name and a lock that ends with its writer."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def uri(self, key: str) -> str:
        """Return the file URI."""
        return self._path(key).as_uri()

    def key(self, uri: str) -> str:
        """Return the key of a file below the folder."""
        path = local_root(uri)
        if not path.is_relative_to(self.root):
            raise ConfigurationError(f"{uri} is not in {self.root}", next_step="set S2PS_PACKAGES to where it is")
        return path.relative_to(self.root).as_posix()

    @contextmanager
    def sink(self, key: str, content_type: str) -> Iterator[Sink]:
        """Write aside, bring it to the disk, and rename it; leftovers of dead writers of this object go first."""
        target = self._path(key)
        for old in target.parent.glob(f"{target.name}{PARTIAL_MARK}*"):
            _remove_if_dead(old)
        with _storage(target), _partial(target) as (descriptor, path):
            yield FileSink(descriptor)
            os.fdatasync(descriptor)
            path.replace(target)
            _sync_folder(target.parent)

    def write(self, key: str, content: bytes, content_type: str) -> None:
        """Write aside and rename."""
        target = self._path(key)
        with _storage(target), _partial(target) as (descriptor, path):
            FileSink(descriptor).write(0, memoryview(content))
            path.replace(target)

    def read(self, key: str) -> bytes | None:
        """Return the content of a file."""
        with suppress(FileNotFoundError), _storage(self._path(key)):
            return self._path(key).read_bytes()
        return None

    def size(self, key: str) -> int | None:
        """Return the size of a file."""
        with suppress(FileNotFoundError), _storage(self._path(key)):
            return self._path(key).stat().st_size
        return None

    def names(self, folder: str) -> tuple[str, ...]:
        """List a folder, without what is under construction."""
        path = self._path(folder) if folder else self.root
        try:
            with os.scandir(path) as entries:
                found = [f"{item.name}/" if item.is_dir() else item.name for item in entries]
        except (FileNotFoundError, NotADirectoryError):
            return ()
        return tuple(sorted(name for name in found if PARTIAL_MARK not in name and not name.startswith(".")))

    def delete(self, *keys: str) -> None:
        """Remove files, and folders that are empty then."""
        for key in keys:
            path = self._path(key)
            with _storage(path):
                path.unlink(missing_ok=True)
            for folder in path.parents:
                if folder == self.root:
                    break
                try:
                    folder.rmdir()
                except OSError:
                    break

    @contextmanager
    def lock(self, key: str) -> Iterator[None]:
        """Hold the lock of a document; two documents may share one, so never ask for a second."""
        number = hashlib.sha256(key.encode()).digest()[0] % _LOCK_FILES
        path = self.root / _LOCKS / f"{number:02d}"
        with _storage(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def sweep(self, before: datetime) -> int:
        """Remove the files of dead writers, however young."""
        return sum(_remove_if_dead(path) for path in sorted(self.root.rglob(f"*{PARTIAL_MARK}*")))

    def _path(self, key: str) -> Path:
        return self.root / checked(key)


@contextmanager
def _partial(target: Path) -> Iterator[tuple[int, Path]]:
    """Yield a new locked file beside the target; it is removed unless it was renamed."""
    path = target.with_name(f"{target.name}{PARTIAL_MARK}{uuid.uuid4().hex}")
    descriptor = _create_locked(path)
    try:
        yield descriptor, path
    finally:
        path.unlink(missing_ok=True)
        os.close(descriptor)


def _create_locked(path: Path) -> int:
    """Create a file and lock it. Between the two a sweep may take it for a leftover, or its empty folder may go."""
    for _ in range(_TRIES):
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o644)
        except (FileNotFoundError, FileExistsError):
            continue
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        if path.exists():
            return descriptor
        os.close(descriptor)
    raise StagingError(f"{path.parent} is removed again and again", next_step="look at who removes it; try again")


def _remove_if_dead(path: Path) -> bool:
    """Remove a file whose writer has ended; return False while it lives."""
    try:
        descriptor = os.open(path, os.O_RDWR)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        path.unlink(missing_ok=True)
    except BlockingIOError:
        return False
    finally:
        os.close(descriptor)
    return True


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _storage(path: Path) -> Iterator[None]:
    """Tell a store that is away or full from one that refuses."""
    try:
        yield
    except FileNotFoundError:
        raise
    except OSError as error:
        if is_temporary(error):
            raise StagingUnavailable(f"{path} cannot be used now: {error.strerror}", next_step="try again") from error
        raise PublicationError(
            f"{path} cannot be used: {error.strerror}", next_step="check S2PS_PACKAGES and its rights"
        ) from error
