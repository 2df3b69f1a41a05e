"""From an S3 staging to local files, in parallel and verified."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from s2ps.model.errors import StagingError
from s2ps.staging.s3_bucket import Bucket, Content
from s2ps.staging.s3_cache import LocalCache
from s2ps.staging.s3_index import Found, Index, holds, objects, parents, within
from s2ps.staging.s3_tree import Tree, TreeFile, TreeLink


class Fetcher:
    """Fetches single files every time, and the files of a tree once per process."""

    def __init__(self, bucket: Bucket, index: Index, cache: LocalCache, uri: str) -> None:
        self._bucket = bucket
        self._index = index
        self._cache = cache
        self._uri = uri

    def open_local(self, key: str) -> Path:
        """Bring a file, a tree, a part of a tree or a folder into the cache and return its path."""
        for place in (key, *parents(key)):
            known = self._cache.tree(place)
            part = key[len(place) + 1 :]
            if known is not None and (not part or holds(known, part)):
                return self._fetch(known, part)
        single = self._index.file(key)
        if single is not None:
            self.copy([(single, self._cache.path(key))])
            return self._cache.path(key)
        own = self._index.tree(key)
        inside = (own, "") if own else self._index.around(key)
        if inside is not None:
            return self._fetch(*inside)
        return self._folder(key)

    def copy(self, wanted: Sequence[tuple[Found, Path]]) -> None:
        """Copy files to local paths; what is a link in the store becomes a file."""

        def fetch(item: Found, target: Path) -> None:
            content = Content(item.size, item.sha256) if item.sha256 else self._bucket.head(item.name)
            if content is None:
                raise self.missing(item.key)
            self._bucket.download(item.name, target, content)

        tasks = [self._bucket.pool.submit(fetch, item, path) for item, path in wanted if item.target is None]
        for task in tasks:
            task.result()
        for item, path in wanted:
            if item.target is not None:
                path.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(self.open_local(item.target), path)

    def missing(self, key: str) -> StagingError:
        """Return the error for a key that is not there."""
        return StagingError(
            f"{key} is not in the staging {self._uri}", next_step="run the job or the download that makes it"
        )

    def _folder(self, key: str) -> Path:
        trees, files = self._index.trees_below(key), tuple(self._index.files_below(key))
        if not trees and not files:
            raise self.missing(key)
        for tree in trees:
            self._fetch(tree, "")
        self.copy([(item, self._cache.path(item.key)) for item in files])
        return self._cache.path(key)

    def _fetch(self, tree: Tree, part: str) -> Path:
        """Fetch a tree or a part of it; when it is replaced meanwhile, fetch the new one."""
        with self._cache.locked(tree.key):
            try:
                self._fetch_missing(tree, part)
            except StagingError:
                now = self._index.tree(tree.key)
                if now is None or now.id == tree.id:
                    raise
                self._fetch_missing(now, part)
        place = self._cache.path(tree.key)
        return place / part if part else place

    def _fetch_missing(self, tree: Tree, part: str) -> None:
        here = self._cache.fetched(tree)
        place = self._cache.path(tree.key)
        place.mkdir(parents=True, exist_ok=True)
        files = [item for item in tree.files if item.path not in here and within(item.path, part)]

        def fetch(item: TreeFile) -> None:
            target = place / item.path
            self._bucket.download(objects(tree.id) + item.path, target, Content(item.size, item.sha256))
            os.utime(target, ns=(item.mtime_ns, item.mtime_ns))

        tasks = [self._bucket.pool.submit(fetch, item) for item in files]
        for task in tasks:
            task.result()
        for path in (path for path in tree.folders if within(path, part)):
            (place / path).mkdir(parents=True, exist_ok=True)
        links = [link for link in tree.links if link.path not in here and within(link.path, part)]
        for link in links:
            self._link(place / link.path, link)
        here.update(item.path for item in files)
        here.update(link.path for link in links)

    def _link(self, path: Path, link: TreeLink) -> None:
        target = self.open_local(link.target)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        path.symlink_to(os.path.relpath(target, path.parent))
