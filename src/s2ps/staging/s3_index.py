"""What is in an S3 staging: from keys to files, committed trees and folders.

Below the prefix: `files/<key>` is a single file, `commits/<key>.commit` the marker of a tree, `trees/<id>/<path>` a
larger file of it, `packs/<id>/<pack>` several small ones, `uploads/<id>` the key of a tree that is being written or
removed. Only markers make trees visible.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from s2ps.staging.keys import checked
from s2ps.staging.s3_bucket import Bucket
from s2ps.staging.s3_pack import pack_name
from s2ps.staging.s3_tree import Tree

FILES = "files/"
COMMITS = "commits/"
COMMIT = ".commit"
TREES = "trees/"
UPLOADS = "uploads/"


def marker(key: str) -> str:
    """Return the name of a tree's commit marker."""
    return f"{COMMITS}{key}{COMMIT}"


def objects(tree_id: str) -> str:
    """Return the beginning of the names of a tree's files."""
    return f"{TREES}{tree_id}/"


@dataclass(frozen=True, slots=True)
class Found:
    """One committed file."""

    key: str
    name: str
    """Of its object."""
    size: int
    sha256: str | None = None
    """None: a single file, its object says."""
    target: str | None = None
    """Key a link leads to."""
    offset: int | None = None
    """Where it begins in an object it shares with others."""


class Index:
    """Looks up keys; asks the store every time, since others commit too."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket

    def tree(self, key: str) -> Tree | None:
        """Return the committed tree of exactly this key."""
        body = self._bucket.get(marker(key))
        return None if body is None else Tree.load(key, body)

    def around(self, key: str) -> tuple[Tree, str] | None:
        """Return the committed tree that has this key inside, and the path in it."""
        for parent in parents(key):
            tree = self.tree(parent)
            if tree is not None:
                path = key.removeprefix(f"{parent}/")
                return (tree, path) if holds(tree, path) else None
        return None

    def trees_below(self, key: str) -> tuple[Tree, ...]:
        """Return the committed trees below a folder."""
        start = f"{COMMITS}{key}/" if key else COMMITS
        names = [listed.name for listed in self._bucket.listing(start) if listed.name.endswith(COMMIT)]
        keys = [checked(name.removeprefix(COMMITS).removesuffix(COMMIT)) for name in names]
        return tuple(tree for tree in self._bucket.pool.map(self.tree, keys) if tree is not None)

    def files_below(self, key: str) -> Iterator[Found]:
        """Yield the single files below a folder."""
        for listed in self._bucket.listing(f"{FILES}{key}/" if key else FILES):
            yield Found(checked(listed.name.removeprefix(FILES)), listed.name, listed.size)

    def file(self, key: str) -> Found | None:
        """Return the single file of exactly this key."""
        content = self._bucket.head(f"{FILES}{key}")
        return None if content is None else Found(key, f"{FILES}{key}", content.size, content.sha256)

    def has(self, key: str) -> bool:
        """Return True for what is no tree itself: a file, a folder with something below, something in a tree."""
        tests: tuple[Callable[[], bool], ...] = (
            lambda: self.file(key) is not None,
            lambda: self.around(key) is not None,
            lambda: self._bucket.any(f"{COMMITS}{key}/"),
            lambda: self._bucket.any(f"{FILES}{key}/"),
        )
        return any(test() for test in tests)

    def find(self, key: str) -> tuple[Found, ...]:
        """Return every committed file at or below a key in the order of their keys; nothing when there is none."""
        single = self.file(key) if key else None
        if single is not None:
            return (single,)
        own = self.tree(key) if key else None
        trees = (*((own,) if own else ()), *self.trees_below(key))
        found = {item.key: item for tree in trees for item in contents(tree)}
        found |= {item.key: item for item in self.files_below(key)}
        if not found and own is None and key and (inside := self.around(key)) is not None:
            tree, path = inside
            found = {item.key: item for item in contents(tree, path)}
        return tuple(found[name] for name in sorted(found))

    def children(self, key: str) -> tuple[str, ...]:
        """Return the names directly below a key."""
        below = f"{key}/" if key else ""
        names = {name.rstrip("/") for name in self._bucket.level(FILES + below)}
        names |= {name.rstrip("/").removesuffix(COMMIT) for name in self._bucket.level(COMMITS + below)}
        if key:
            own = self.tree(key)
            inside = (own, "") if own else (None if names else self.around(key))
            names |= _level(*inside) if inside else set()
        return tuple(sorted(names))


def parents(key: str) -> Iterator[str]:
    """Yield the folders a key is in, the nearest first."""
    while "/" in key:
        key = key.rpartition("/")[0]
        yield key


def paths(tree: Tree) -> tuple[str, ...]:
    """Return the paths of all files, links and empty folders of a tree."""
    return (*(item.path for item in tree.files), *(link.path for link in tree.links), *tree.folders)


def within(path: str, part: str) -> bool:
    """Return True when a path is the part of a tree that is asked for, or below it; "" is the whole tree."""
    return not part or path == part or path.startswith(f"{part}/")


def holds(tree: Tree, part: str) -> bool:
    """Return True when a tree has something at or below a path."""
    return any(within(path, part) for path in paths(tree))


def contents(tree: Tree, part: str = "") -> Iterator[Found]:
    """Yield the files of a tree, or of a part of it."""
    for item in tree.files:
        if within(item.path, part):
            name = pack_name(tree.id, item.pack) if item.pack else objects(tree.id) + item.path
            offset = item.offset if item.pack else None
            yield Found(f"{tree.key}/{item.path}", name, item.size, item.sha256, offset=offset)
    for link in tree.links:
        if within(link.path, part) and not link.folder:
            yield Found(f"{tree.key}/{link.path}", "", link.size, target=link.target)


def _level(tree: Tree, part: str) -> set[str]:
    below = f"{part}/" if part else ""
    return {path.removeprefix(below).split("/")[0] for path in paths(tree) if path.startswith(below)}
