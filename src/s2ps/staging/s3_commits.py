"""How trees get into an S3 staging and out of it again.

A journal entry `uploads/<id>` is written before the first object of a tree and removed after its marker; it is written
again before a tree is taken away. So whatever is interrupted leaves a journal entry, and `sweep` finds it.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from s2ps.staging.s3_bucket import Bucket
from s2ps.staging.s3_claim import CLAIMS, Claims
from s2ps.staging.s3_index import UPLOADS, Index, marker, objects
from s2ps.staging.s3_pack import joined, pack_name, packs_of
from s2ps.staging.s3_tree import Tree, TreeFile


def sizes_of(bucket: Bucket, tree_id: str) -> dict[str, int]:
    """Return the size of every object there is of a tree, by name."""
    starts = (objects(tree_id), pack_name(tree_id, ""))
    return {listed.name: listed.size for start in starts for listed in bucket.listing(start)}


def lost(bucket: Bucket, tree: Tree) -> str | None:
    """Return the first file of a committed tree whose object is missing or has another size; None when all is there."""
    there = sizes_of(bucket, tree.id)
    for pack, members in packs_of(tree.files).items():
        if there.get(pack_name(tree.id, pack)) != sum(item.size for item in members):
            return members[0].path
    return next(
        (item.path for item in tree.files if not item.pack and there.get(objects(tree.id) + item.path) != item.size),
        None,
    )


class Commits:
    """Writes and removes trees."""

    def __init__(self, bucket: Bucket, index: Index, claims: Claims) -> None:
        self._bucket = bucket
        self._index = index
        self._claims = claims

    def publish(self, source: Path, tree: Tree, *, replace: bool = False) -> bool:
        """Upload what is missing of a tree, then write its marker; return False when another tree was first."""
        self._bucket.put(UPLOADS + tree.id, tree.key.encode())
        self._upload(source, tree)
        if replace:
            old = self._index.tree(tree.key)
            if old is not None and old.id != tree.id:
                self._bucket.put(UPLOADS + old.id, old.key.encode())
            self._bucket.put(marker(tree.key), tree.dump())
            if old is not None and old.id != tree.id:
                self._remove_objects(old.id)
        elif not self._claims.write_first(marker(tree.key), tree.dump(), tree.writer):
            return False
        self._bucket.delete(UPLOADS + tree.id)
        return True

    def remove(self, tree: Tree) -> None:
        """Remove a committed tree: it is gone before its first object is."""
        self._bucket.put(UPLOADS + tree.id, tree.key.encode())
        self._bucket.delete(marker(tree.key))
        self._remove_objects(tree.id)

    def sweep(self, before: datetime) -> int:
        """Remove objects of unfinished work that was last touched before a moment; return how many pieces of work."""
        removed = self._bucket.abort_uploads(before)
        for entry in [entry for entry in self._bucket.listing(UPLOADS) if entry.modified < before]:
            key = self._bucket.get(entry.name)
            committed = None if key is None else self._index.tree(key.decode())
            tree_id = entry.name.removeprefix(UPLOADS)
            if any(again.modified >= before for again in self._bucket.listing(entry.name)):
                continue  # somebody has begun to upload it again
            if committed is not None and committed.id == tree_id:
                self._bucket.delete(entry.name)
            else:
                self._remove_objects(tree_id)
                removed += 1
        old = [entry.name for entry in self._bucket.listing(f"{CLAIMS}/") if entry.modified < before]
        self._bucket.delete(*old)
        return removed + len(old)

    def _upload(self, source: Path, tree: Tree) -> None:
        there = sizes_of(self._bucket, tree.id)

        def upload(item: TreeFile) -> None:
            self._bucket.upload(source / item.path, objects(tree.id) + item.path, item.sha256)

        def upload_pack(name: str, members: list[TreeFile]) -> None:
            self._bucket.put(name, joined(source, members))

        tasks = [
            self._bucket.pool.submit(upload, item)
            for item in tree.files
            if not item.pack and there.get(objects(tree.id) + item.path) != item.size
        ]
        for pack, members in packs_of(tree.files).items():
            name = pack_name(tree.id, pack)
            if there.get(name) != sum(item.size for item in members):
                tasks.append(self._bucket.pool.submit(upload_pack, name, members))
        try:
            for task in tasks:
                task.result()
        finally:
            for task in tasks:
                task.cancel()

    def _remove_objects(self, tree_id: str) -> None:
        self._bucket.delete(*sizes_of(self._bucket, tree_id))
        self._bucket.delete(UPLOADS + tree_id)
