"""Small files of a tree travel together: one object for many of them, since a request costs more than their bytes."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path

from s2ps.model.errors import StagingError
from s2ps.staging.s3_tree import Tree, TreeFile

PACKS = "packs/"
SMALL_BYTES = 256 * 1024
"""Larger files are objects of their own."""
PACK_BYTES = 4 * 1024 * 1024


def pack_name(tree_id: str, pack: str) -> str:
    """Return the name of a pack's object."""
    return f"{PACKS}{tree_id}/{pack}"


def packs_of(files: Sequence[TreeFile]) -> dict[str, list[TreeFile]]:
    """Return the packed ones of some files, by pack."""
    packs: dict[str, list[TreeFile]] = {}
    for item in files:
        if item.pack:
            packs.setdefault(item.pack, []).append(item)
    return packs


def packed(tree: Tree) -> Tree:
    """Return the tree with a pack for every small file that has company; a pack holds files of one top folder.

    The same files always give the same packs: an upload that was broken off finds those it has sent.
    """
    files: list[TreeFile] = []
    for _, group in groupby(tree.files, key=lambda item: _top(item.path)):
        own = list(group)
        files += [item for item in own if item.size >= SMALL_BYTES]
        for members in _filled([item for item in own if item.size < SMALL_BYTES]):
            files += _placed(members) if len(members) > 1 else members
    files.sort(key=lambda item: item.path)
    return tree.model_copy(update={"files": tuple(files)})


def joined(folder: Path, members: Sequence[TreeFile]) -> bytes:
    """Return the content of a pack, read from a local tree; raise StagingError naming a file that has changed."""
    parts: list[bytes] = []
    for item in sorted(members, key=lambda item: item.offset):
        body = (folder / item.path).read_bytes()
        if hashlib.sha256(body).hexdigest() != item.sha256:
            raise StagingError(f"{folder / item.path} has changed while it was uploaded", next_step="upload it again")
        parts.append(body)
    return b"".join(parts)


def _top(path: str) -> str:
    return path.split("/", 1)[0] if "/" in path else ""


def _filled(files: Sequence[TreeFile]) -> Iterator[list[TreeFile]]:
    members: list[TreeFile] = []
    size = 0
    for item in files:
        if members and size + item.size > PACK_BYTES:
            yield members
            members, size = [], 0
        members.append(item)
        size += item.size
    if members:
        yield members


def _placed(members: Sequence[TreeFile]) -> list[TreeFile]:
    text = "\n".join(f"{item.path}\0{item.size}\0{item.sha256}" for item in members)
    pack = hashlib.sha256(text.encode()).hexdigest()[:16]
    offset = 0
    placed: list[TreeFile] = []
    for item in members:
        placed.append(item.model_copy(update={"pack": pack, "offset": offset}))
        offset += item.size
    return placed
