"""Bring a product to its place: built aside, complete, and visible by one rename."""

from __future__ import annotations

import os
import shutil
import tempfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from s2ps.formats.inventory_metadata import FILE_NAME as INVENTORY_METADATA
from s2ps.formats.manifest import MANIFEST, differences, read_manifest
from s2ps.formats.manifest_units import ManifestEntry
from s2ps.model.errors import PublicationError

PARTIAL_PREFIX = ".partial-"
"""Products under construction; never one of the published ones."""


def place(name: str, destination: Path, build: Callable[[Path], None]) -> Path:
    """Build a product in a hidden folder beside its place and rename it; return the published path.

    `build` fills the folder and must end with its manifest. A product of that name with the same content is left as it
    is; with another content a PublicationError tells what differs.
    """
    destination.mkdir(parents=True, exist_ok=True)
    target = destination / name
    with _partial(destination, name) as folder:
        build(folder)
        if not (folder / MANIFEST).is_file():
            raise PublicationError(f"product {name} has no {MANIFEST}", next_step="report it: the product is not built")
        if not target.exists():
            try:
                folder.rename(target)
                return target
            except OSError as error:
                if not target.exists():
                    raise PublicationError(f"product {name} cannot be published in {destination}: {error}") from error
        _require_same(folder, target)
    return target


def remove_folder(product: Path) -> None:
    """Take a product away: by one rename out of sight, then its files. One that is gone is fine."""
    aside = product.with_name(f"{PARTIAL_PREFIX}{product.name[:150]}-removed-{uuid.uuid4().hex[:8]}")
    try:
        product.rename(aside)
    except FileNotFoundError:
        return
    shutil.rmtree(aside)


@contextmanager
def _partial(destination: Path, name: str) -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix=f"{PARTIAL_PREFIX}{name[:150]}-", dir=destination))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        if folder.exists():
            shutil.rmtree(folder)


def _require_same(new: Path, old: Path) -> None:
    """Compare what two manifests list, and the published files with their manifest; raise PublicationError."""
    if not (old / MANIFEST).is_file():
        raise PublicationError(f"{old} exists and is no product: it has no {MANIFEST}", next_step="move it away")
    changed = next(differences(old), None)
    if changed is not None:
        raise PublicationError(
            f"published product {old} is damaged: {changed}", next_step="remove it and publish it again"
        )
    for name, content in ((MANIFEST, _listed), (INVENTORY_METADATA, _content)):
        if content(new / name) != content(old / name):
            raise PublicationError(
                f"product {old} is published already with another content ({name} differs)",
                expected="the same content under the same name",
                next_step="withdraw the published product, or publish under a new creation date",
            )


def _listed(manifest: Path) -> frozenset[ManifestEntry]:
    """Return what a manifest lists; how it describes that follows from the files, and may change with S2PS."""
    return frozenset(read_manifest(manifest))


def _content(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None


def link_file(source: Path, target: Path) -> None:
    """Give a file a second name in a product; a copy where the file system does not allow links."""
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(source.resolve(), target)
    except OSError:
        shutil.copyfile(source, target)


def link_tree(source: Path, target: Path, *, leave_out: frozenset[str] = frozenset()) -> None:
    """Give all files below a folder a second name; `leave_out` names files at the top that are not wanted."""
    for path in sorted(source.rglob("*")):
        relative = path.relative_to(source)
        if path.is_file() and relative.as_posix() not in leave_out:
            link_file(path, target / relative)
