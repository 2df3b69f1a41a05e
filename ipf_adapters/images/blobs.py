"""Layers as files: the same content always gives the same bytes; they are kept by the hash of their inputs."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import shutil
import tarfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO

PACKING = 1
"""Raised when the bytes of a layer change though its inputs do not."""
OWNER = 10001
"""User and group of what the processes of an image may write."""
WORK = "tree-"
"""Begins the names of folders layers are made in."""
KEPT_DAYS = 30
"""Days an unused layer is kept."""
_LEVEL = 5


@dataclass(frozen=True, slots=True, order=True)
class Component:
    """A package in a layer, for the bill of materials."""

    kind: str
    """"deb" or "pypi"."""
    name: str
    version: str
    licence: str = ""
    architecture: str = ""


@dataclass(frozen=True, slots=True)
class Layer:
    """A packed layer."""

    blob: Path
    digest: str
    """sha256 of the compressed file, hexadecimal."""
    diff_id: str
    """sha256 of the tar inside, hexadecimal."""
    size: int
    """Bytes of the compressed file."""
    unpacked: int
    """Bytes of the tar inside."""
    epoch: int
    """Time of its youngest file, seconds since 1970."""
    components: tuple[Component, ...]


def key_of(*parts: object) -> str:
    """Return a short hash of anything JSON can hold."""
    text = json.dumps([PACKING, *parts], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:24]


class LayerCache:
    """Layers that were made before, in a folder outside the checkout."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def layer(self, key: str, epoch: int, make: Callable[[Path], tuple[Component, ...]]) -> Layer:
        """Return the layer of a key; when there is none, `make` writes its tar to the path it gets."""
        note = self.folder / f"{key}.json"
        if note.is_file():
            os.utime(note)
        else:
            tar = self.folder / f"{key}.tar.partial-{os.getpid()}"
            try:
                components = make(tar)
                self._keep(key, tar, epoch, components)
            finally:
                tar.unlink(missing_ok=True)
        known = json.loads(note.read_text(encoding="utf-8"))
        components = tuple(Component(**entry) for entry in known.pop("components"))
        return Layer(blob=self.folder / f"{key}.tar.gz", components=components, **known)

    def tidy(self, days: float = KEPT_DAYS) -> None:
        """Remove layers that were not used for some days."""
        for note in self.folder.glob("*.json"):
            if note.stat().st_mtime < time.time() - days * 86400:
                note.unlink()
                note.with_suffix(".tar.gz").unlink(missing_ok=True)
                shutil.rmtree(note.with_suffix(".root"), ignore_errors=True)
        for left in self.folder.glob(f"{WORK}*"):
            if left.stat().st_mtime < time.time() - 86400:
                shutil.rmtree(left, ignore_errors=True)

    def _keep(self, key: str, tar: Path, epoch: int, components: tuple[Component, ...]) -> None:
        packed = tar.with_suffix(".gz")
        diff = hashlib.sha256()
        with (
            tar.open("rb") as source,
            packed.open("wb") as raw,
            gzip.GzipFile("", "wb", compresslevel=_LEVEL, fileobj=raw, mtime=0) as target,
        ):
            for block in blocks(source):
                diff.update(block)
                target.write(block)
        with packed.open("rb") as source:
            digest = hashlib.file_digest(source, "sha256").hexdigest()
        known = {
            "digest": digest,
            "diff_id": diff.hexdigest(),
            "size": packed.stat().st_size,
            "unpacked": tar.stat().st_size,
            "epoch": epoch,
            "components": [asdict(component) for component in sorted(components)],
        }
        packed.rename(self.folder / f"{key}.tar.gz")
        note = packed.with_suffix(".json")
        note.write_text(json.dumps(known, indent=1), encoding="utf-8")
        note.rename(self.folder / f"{key}.json")


def blocks(source: IO[bytes], size: int = 1 << 20) -> Iterator[bytes]:
    """Yield the content of an open file in blocks."""
    while block := source.read(size):
        yield block


def pack_tree(tree: Path, tar: Path, epoch: int, owned: frozenset[str] = frozenset()) -> None:
    """Write the content of a folder as tar: in order of name, no time but `epoch`, modes 755 and 644.

    Everything is root's, but the folders in `owned` (relative paths), which user and group 10001 may write.
    """
    with tarfile.open(tar, "w", format=tarfile.PAX_FORMAT) as archive:
        for path in sorted(tree.rglob("*")):
            name = str(path.relative_to(tree))
            entry = _plain(archive.gettarinfo(path, name), epoch)
            if name in owned:
                entry.uid = entry.gid = OWNER
                entry.mode = 0o2775
            if entry.isreg():
                with path.open("rb") as content:
                    archive.addfile(entry, content)
            else:
                archive.addfile(entry)


def _plain(entry: tarfile.TarInfo, epoch: int) -> tarfile.TarInfo:
    """Take from a tar entry what depends on the machine it was made on."""
    if entry.islnk():
        raise ValueError(f"{entry.name} is a hard link; layers hold files, folders and symbolic links")
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = ""
    entry.mtime = epoch
    entry.mode = 0o755 if entry.isdir() or entry.mode & 0o100 else 0o644
    return entry
