"""Staging in any S3 store (radosgw, MinIO, AWS): whole trees by a commit marker, verified files, a local cache."""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Iterator
from datetime import datetime
from io import BufferedRandom
from pathlib import Path
from typing import BinaryIO, cast

from s2ps.model.errors import StagingError
from s2ps.staging.checksum import sha256_of
from s2ps.staging.keys import checked
from s2ps.staging.layout import PARTIAL_MARK
from s2ps.staging.s3_bucket import Bucket
from s2ps.staging.s3_cache import LocalCache
from s2ps.staging.s3_claim import Claims
from s2ps.staging.s3_commits import Commits, lost
from s2ps.staging.s3_fetch import Fetcher
from s2ps.staging.s3_index import FILES, Index
from s2ps.staging.s3_location import S3Location
from s2ps.staging.s3_log import UploadedLog
from s2ps.staging.s3_pack import packed
from s2ps.staging.s3_tree import scan
from s2ps.staging.store import Entry

CACHE_VARIABLE = "S2PS_STAGING_CACHE"
"""Folder below which every process makes its own cache; default: the folder for temporary files."""


class S3Store:
    """A staging store in a bucket; see `s3_index` for the objects.

    A process reads the tree it opened first until it asks whether the key exists, deletes it or commits it.
    """

    def __init__(self, location: S3Location, *, cache: Path | None = None, bucket: Bucket | None = None) -> None:
        self._location = location
        self._bucket = bucket or Bucket(location)
        self._index = Index(self._bucket)
        self._commits = Commits(self._bucket, self._index, Claims(self._bucket))
        named = os.environ.get(CACHE_VARIABLE)
        self._cache = LocalCache(cache or (Path(named) if named else None))
        self._fetcher = Fetcher(self._bucket, self._index, self._cache, self.uri)

    def __repr__(self) -> str:
        return f"S3Store({self.uri})"

    @property
    def uri(self) -> str:
        """Return the S3 URI."""
        return str(self._location)

    @property
    def fetches(self) -> bool:
        """Return True."""
        return True

    def close(self) -> None:
        """Remove the cache and give back threads and connections."""
        self._bucket.close()
        self._cache.close()

    def exists(self, key: str) -> bool:
        """Return True when a file or a committed tree has this key."""
        tree = self._index.tree(checked(key))
        self._cache.renew(key, tree)
        return tree is not None or self._index.has(key)

    def damage(self, key: str) -> str | None:
        """Say which object of a committed tree is missing or has another size."""
        tree = self._index.tree(checked(key))
        if tree is None:
            return f"{key} is not a tree of the staging"
        path = lost(self._bucket, tree)
        return None if path is None else f"{path}: its object is missing or has another size"

    def list(self, key: str = "") -> Iterator[Entry]:
        """Yield the committed files below a key in the order of their keys."""
        for item in self._index.find(checked(key) if key else ""):
            yield Entry(item.key, item.size)

    def children(self, key: str = "") -> tuple[str, ...]:
        """Return the sorted names directly below a key."""
        return self._index.children(checked(key) if key else "")

    def read(self, key: str) -> bytes:
        """Return the content of a file."""
        body = self._bucket.get(f"{FILES}{checked(key)}")
        return self.open_local(key).read_bytes() if body is None else body

    def write(self, key: str, content: bytes) -> None:
        """Write a file and replace what was there in one step."""
        self._bucket.put(f"{FILES}{checked(key)}", content)

    def open_log(self, key: str) -> BinaryIO:
        """Start a new file here, seen by others when it is closed; keep the previous one as `<key>.1`."""
        name = f"{FILES}{checked(key)}"
        if self._index.file(key) is not None:
            self._bucket.copy(name, f"{name}.1")
        self._bucket.put(name, b"")
        path = self._cache.begin(key) / "log"
        log = UploadedLog(path, lambda closed: self._bucket.upload(closed, name, sha256_of(closed)))
        return BufferedRandom(log)

    def put(self, source: Path, key: str) -> None:
        """Copy a local file or tree into the store; of a tree only what an earlier try has not uploaded."""
        if not source.is_dir():
            self._bucket.upload(source, f"{FILES}{checked(key)}", sha256_of(source))
            return
        taken = self._index.tree(checked(key)) is not None
        if taken or not self._commits.publish(source, packed(scan(source, key, uuid.uuid4().hex, lambda _: None))):
            raise StagingError(f"{key} is already in the staging", next_step="delete it before putting it again")

    def get(self, key: str, target: Path) -> None:
        """Copy a file or tree to a local path; links become files."""
        checked(key)
        if target.exists():
            raise StagingError(f"{target} exists", expected="a path that is free", next_step="remove it first")
        found, own = self._index.find(key), self._index.tree(key)
        if not found and own is None:
            raise self._fetcher.missing(key)
        aside = target.with_name(f"{target.name}{PARTIAL_MARK}{uuid.uuid4().hex}")
        try:
            if len(found) == 1 and found[0].key == key:
                self._fetcher.copy([(found[0], aside)])
            else:
                for folder in own.folders if own else ():
                    (aside / folder).mkdir(parents=True)
                aside.mkdir(parents=True, exist_ok=True)
                self._fetcher.copy([(item, aside / item.key.removeprefix(f"{key}/")) for item in found])
            aside.rename(target)
        finally:
            if aside.is_dir():
                shutil.rmtree(aside, ignore_errors=True)

    def delete(self, key: str) -> None:
        """Remove a file or tree; readers see a tree whole until it is gone."""
        own = self._index.tree(checked(key))
        trees = (*((own,) if own else ()), *self._index.trees_below(key))
        names = [item.name for item in self._index.files_below(key)]
        if self._bucket.head(f"{FILES}{key}") is not None:
            names.append(f"{FILES}{key}")
        if not trees and not names and (inside := self._index.around(key)) is not None:
            raise StagingError(f"{key} is part of a tree", next_step=f"delete all of {inside[0].key}")
        for tree in trees:
            self._commits.remove(tree)
        self._bucket.delete(*names)
        with self._cache.locked(key):
            self._cache.forget(key)

    def begin(self, key: str) -> Path:
        """Return a new empty folder in the cache."""
        return self._cache.begin(checked(key))

    def commit(self, tree: Path, key: str, *, replace: bool = False) -> bool:
        """Upload the folder and write its marker; a folder that lost the race is removed."""
        self._cache.own(tree)
        if not replace and self._index.tree(checked(key)) is not None:
            self.discard(tree)
            return False
        described = packed(scan(tree, key, uuid.uuid4().hex, self._cache.key_of))
        if not self._commits.publish(tree, described, replace=replace):
            self.discard(tree)
            return False
        self._cache.adopt(tree, described)
        return True

    def discard(self, tree: Path) -> None:
        """Remove an uncommitted folder."""
        shutil.rmtree(self._cache.own(tree), ignore_errors=True)

    def sweep(self, before: datetime) -> int:
        """Remove uncommitted folders of this process, and unfinished uploads of all."""
        return self._cache.sweep(before) + self._commits.sweep(before)

    def open_local(self, key: str) -> Path:
        """Fetch a file or tree into the cache, if it is not there, and return its path."""
        return self._fetcher.open_local(checked(key))

    def release(self, key: str) -> None:
        """Remove the local copy of a tree; it is fetched again when somebody opens it."""
        with self._cache.locked(checked(key)):
            self._cache.forget(key)

    def checksum(self, key: str) -> str:
        """Return the SHA-256 of a file as recorded when it was written."""
        found = self._index.find(checked(key))
        if len(found) != 1 or found[0].key != key:
            raise self._fetcher.missing(key)
        item = found[0]
        return item.sha256 or self.checksum(cast(str, item.target))
