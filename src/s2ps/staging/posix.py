"""Staging in one folder of a POSIX file system: a local disk, NFS or CephFS."""

from __future__ import annotations

import errno
import os
import shutil
import uuid
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from s2ps.model.errors import InputError, StagingError
from s2ps.staging.checksum import sha256_of
from s2ps.staging.keys import checked
from s2ps.staging.layout import PARTIAL_MARK, STALE_MARK
from s2ps.staging.sharing import is_shared, make_folder, share, share_tree
from s2ps.staging.store import Entry

COPY_BYTES = 1024 * 1024


class PosixStore:
    """A staging store in a folder; publication is one rename inside the same file system.

    A root folder with the setgid bit is shared: whatever is made in it may be written by its group (see `sharing`).
    Files are synced to the disk before they are renamed. Trees are not synced file by file (that costs more than
    it saves): the records inside them carry checksums, so a tree damaged by a power cut is found and made again.
    """

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()
        try:
            self.root.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StagingError(
                f"staging {root} cannot be made: {error.strerror}",
                expected="a folder that can be written",
                next_step="check the mount and the rights, or set another staging folder",
            ) from error
        self.shared = is_shared(self.root)

    @property
    def uri(self) -> str:
        """Return the file URI of the folder."""
        return self.root.as_uri()

    def exists(self, key: str) -> bool:
        """Return True when a file or a committed tree has this key."""
        return self._path(key).exists()

    def list(self, key: str = "") -> Iterator[Entry]:
        """Yield the committed files below a key in the order of their names."""
        start = self._path(key) if key else self.root
        if start.is_file():
            yield Entry(key, start.stat().st_size)
            return
        for folder, folders, files in os.walk(start):
            folders[:] = sorted(name for name in folders if _committed(name))
            for name in sorted(name for name in files if _committed(name)):
                path = Path(folder, name)
                yield Entry(path.relative_to(self.root).as_posix(), path.stat().st_size)

    def children(self, key: str = "") -> tuple[str, ...]:
        """Return the sorted names directly below a key."""
        start = self._path(key) if key else self.root
        if not start.is_dir():
            return ()
        return tuple(sorted(path.name for path in start.iterdir() if _committed(path.name)))

    def read(self, key: str) -> bytes:
        """Return the content of a file."""
        return self.open_local(key).read_bytes()

    def write(self, key: str, content: bytes) -> None:
        """Write a file and replace what was there in one step."""
        path = self._place(key)
        partial = _aside(path, PARTIAL_MARK)
        try:
            with partial.open("xb") as stream:
                self._share(partial)
                stream.write(content)
                stream.flush()
                os.fsync(stream.fileno())
            _publish(partial, path)
        finally:
            partial.unlink(missing_ok=True)

    def open_log(self, key: str) -> BinaryIO:
        """Start a new file and keep the previous one as `<key>.1`."""
        path = self._place(key)
        if path.exists():
            _publish(path, path.with_name(f"{path.name}.1"))
        log = path.open("w+b")
        self._share(path)
        return log

    def put(self, source: Path, key: str) -> None:
        """Copy a local file or tree into the store."""
        if source.is_dir():
            tree = self.begin(key)
            shutil.copytree(source, tree, dirs_exist_ok=True, copy_function=_copy)
            if not self.commit(tree, key):
                raise StagingError(f"{key} is already in the staging", next_step="delete it before putting it again")
            return
        path = self._place(key)
        partial = _aside(path, PARTIAL_MARK)
        try:
            _copy_content(source, partial)
            self._share(partial)
            _sync(partial)
            _publish(partial, path)
        finally:
            partial.unlink(missing_ok=True)

    def get(self, key: str, target: Path) -> None:
        """Copy a file or tree to a local path."""
        if target.exists():
            raise StagingError(f"{target} exists", expected="a path that is free", next_step="remove it first")
        source = self.open_local(key)
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target)
        else:
            shutil.copyfile(source, target)

    def delete(self, key: str) -> None:
        """Remove a file or tree; readers see it whole until it is gone."""
        self._remove(self._path(key))

    def begin(self, key: str) -> Path:
        """Return a new empty folder beside the place of `key`."""
        partial = _aside(self._place(key), PARTIAL_MARK)
        partial.mkdir()
        self._share(partial)
        return partial

    def commit(self, tree: Path, key: str, *, replace: bool = False) -> bool:
        """Rename the folder to its final name; a folder that lost the race is removed."""
        path = self._place(key)
        if self.shared:
            share_tree(tree)
        if replace:
            self._remove(path)
        try:
            tree.rename(path)
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR):
                raise StagingError(f"{key} cannot be committed: {error.strerror}") from error
            self.discard(tree)
            return False
        _sync(path.parent)
        return True

    def discard(self, tree: Path) -> None:
        """Remove an uncommitted folder."""
        if PARTIAL_MARK not in tree.name or not tree.resolve().is_relative_to(self.root):
            raise InputError(f"{tree} is not an uncommitted folder of {self.root}")
        shutil.rmtree(tree, ignore_errors=True)

    def sweep(self, before: datetime) -> int:
        """Remove uncommitted and replaced files and folders that were last touched before a moment."""
        removed = 0
        for folder, folders, files in os.walk(self.root):
            for name in [name for name in (*folders, *files) if not _committed(name)]:
                path = Path(folder, name)
                if _last_touched(path) < before.timestamp():
                    _remove_now(path)
                    removed += 1
            folders[:] = [name for name in folders if _committed(name)]
        return removed

    @property
    def fetches(self) -> bool:
        """Return False: files are read where they are."""
        return False

    def damage(self, key: str) -> str | None:
        """Return None: nothing is known of files that are not read."""
        return None

    def open_local(self, key: str) -> Path:
        """Return the path of a file or tree."""
        path = self._path(key)
        if not path.exists():
            raise StagingError(
                f"{key} is not in the staging {self.root}", next_step="run the job or the download that makes it"
            )
        return path

    def release(self, key: str) -> None:
        """Do nothing: there are no local copies."""

    def checksum(self, key: str) -> str:
        """Return the SHA-256 of a file."""
        return sha256_of(self.open_local(key))

    def _path(self, key: str) -> Path:
        path = self.root / checked(key)
        if not path.resolve().is_relative_to(self.root):
            raise InputError(f"{key} leads out of the staging {self.root} through a link", next_step="remove the link")
        return path

    def _place(self, key: str) -> Path:
        """Return the path of a key, in a folder that is there."""
        path = self._path(key)
        make_folder(path.parent, self.root)
        return path

    def _share(self, path: Path) -> None:
        if self.shared:
            share(path)

    def _remove(self, path: Path) -> None:
        stale = _aside(path, STALE_MARK)
        try:
            path.rename(stale)
        except FileNotFoundError:
            return
        _remove_now(stale)


def _committed(name: str) -> bool:
    return PARTIAL_MARK not in name and STALE_MARK not in name


def _remove_now(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _last_touched(path: Path) -> float:
    """Return the latest change of a file or of anything in a folder, in seconds; 0 when it has just gone."""
    inside = [Path(folder, name) for folder, _, names in os.walk(path) for name in ("", *names)]
    return max((item.lstat().st_mtime for item in [path, *inside] if item.exists()), default=0.0)


def _aside(path: Path, mark: str) -> Path:
    return path.with_name(f"{path.name}{mark}{uuid.uuid4().hex}")


def _copy(source: str, target: str) -> str:
    """Copy a file with its times and mode."""
    _copy_content(source, target)
    shutil.copystat(source, target)
    return target


def _copy_content(source: str | Path, target: str | Path) -> None:
    """Copy the content of a file in large pieces: `shutil.copyfile` lets the kernel do it, page by page to CephFS."""
    buffer = memoryview(bytearray(COPY_BYTES))
    with Path(source).open("rb", buffering=0) as read, Path(target).open("wb", buffering=0) as write:
        while size := read.readinto(buffer):
            rest = buffer[:size]
            while rest:
                rest = rest[write.write(rest) :]


def _publish(source: Path, target: Path) -> None:
    """Rename a file so that other machines see it at once.

    CephFS lets other clients open a renamed file only seconds later, unless the file is synced after the rename.
    """
    descriptor = os.open(source, os.O_RDONLY)
    try:
        source.replace(target)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    _sync(target.parent)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
