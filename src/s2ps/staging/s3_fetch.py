"""From an S3 staging to local files, in parallel and verified."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from s2ps.model.errors import StagingError
from s2ps.staging.s3_bucket import Bucket, Content
from s2ps.staging.s3_cache import LocalCache
from s2ps.staging.s3_index import Found, Index, holds, objects, parents, within
from s2ps.staging.s3_pack import pack_name, packs_of
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
        packs: dict[str, list[tuple[Found, Path]]] = {}
        for item, path in wanted:
            if item.offset is not None:
                packs.setdefault(item.name, []).append((item, path))
        alone = [(item, path) for item, path in wanted if item.target is None and item.offset is None]
        tasks = [self._bucket.pool.submit(self._copy_one, item, path) for item, path in alone]
        tasks += [self._bucket.pool.submit(self._copy_packed, members) for members in packs.values()]
        for task in tasks:
            task.result()
        for item, path in wanted:
            if item.target is not None:
                path.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(self.open_local(item.target), path)

    def _copy_packed(self, members: Sequence[tuple[Found, Path]]) -> None:
        """Copy files of one pack with one request."""
        start = min(item.offset or 0 for item, _ in members)
        end = max((item.offset or 0) + item.size for item, _ in members)
        body = self._bucket.part(members[0][0].name, start, end - start)
        for item, target in members:
            offset = (item.offset or 0) - start
            content = None if body is None else body[offset : offset + item.size]
            self._write(target, content, item.key, item.sha256 or "")

    def _copy_one(self, item: Found, target: Path) -> None:
        content = Content(item.size, item.sha256) if item.sha256 else self._bucket.head(item.name)
        if content is None:
            raise self.missing(item.key)
        self._bucket.download(item.name, target, content)

    def _write(self, target: Path, body: bytes | None, key: str, sha256: str) -> None:
        """Write a file that came in a pack."""
        if body is None:
            raise self.missing(key)
        if hashlib.sha256(body).hexdigest() != sha256:
            raise StagingError(
                f"{key} in {self._uri} is damaged", expected=sha256, next_step="delete it and make it again"
            )
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(body)

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
        place = self._cache.path(tree.key)
        place.mkdir(parents=True, exist_ok=True)
        self._fetch_files(tree, [item for item in tree.files if within(item.path, part)])
        for path in (path for path in tree.folders if within(path, part)):
            (place / path).mkdir(parents=True, exist_ok=True)
        here = self._cache.fetched(tree)
        links = [link for link in tree.links if link.path not in here and within(link.path, part)]
        self._fetch_targets(links)
        for link in links:
            self._link(place / link.path, link)
        here.update(link.path for link in links)

    def _fetch_files(self, tree: Tree, wanted: Sequence[TreeFile]) -> None:
        """Fetch those files of a tree that are not here, and what comes with them in the same pack."""
        here = self._cache.fetched(tree)
        place = self._cache.path(tree.key)
        missing = [item for item in wanted if item.path not in here]

        def fetch(item: TreeFile) -> None:
            self._bucket.download(objects(tree.id) + item.path, place / item.path, Content(item.size, item.sha256))
            _date(place / item.path, item)

        def unpack(pack: str, members: Sequence[TreeFile]) -> None:
            body = self._bucket.get(pack_name(tree.id, pack))
            for item in members:
                content = None if body is None else body[item.offset : item.offset + item.size]
                self._write(place / item.path, content, f"{tree.key}/{item.path}", item.sha256)
                _date(place / item.path, item)

        packs = {pack: [item for item in tree.files if item.pack == pack] for pack in packs_of(missing)}
        tasks = [self._bucket.pool.submit(fetch, item) for item in missing if not item.pack]
        tasks += [self._bucket.pool.submit(unpack, pack, members) for pack, members in packs.items()]
        for task in tasks:
            task.result()
        here.update(item.path for item in missing)
        here.update(item.path for members in packs.values() for item in members)

    def _fetch_targets(self, links: Sequence[TreeLink]) -> None:
        """Fetch what links lead to, tree by tree: one by one each would wait for the one before it."""
        wanted: dict[str, set[str]] = {}
        for link in links:
            owner = next((place for place in parents(link.target) if self._cache.tree(place) is not None), None)
            if owner is None and (inside := self._index.around(link.target)) is not None:
                owner = inside[0].key
                with self._cache.locked(owner):
                    self._cache.fetched(inside[0])
            if owner is not None and not link.folder:
                wanted.setdefault(owner, set()).add(link.target.removeprefix(f"{owner}/"))
        for owner, names in wanted.items():
            with self._cache.locked(owner):
                tree = self._cache.tree(owner)
                if tree is not None:
                    self._fetch_files(tree, [item for item in tree.files if item.path in names])

    def _link(self, path: Path, link: TreeLink) -> None:
        target = self.open_local(link.target)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        path.symlink_to(os.path.relpath(target, path.parent))


def _date(path: Path, item: TreeFile) -> None:
    os.utime(path, ns=(item.mtime_ns, item.mtime_ns))
