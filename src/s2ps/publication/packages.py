"""Packages of published products: one archive each, streamed to its place with its checksums."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from s2ps.model.names import UserProductName
from s2ps.publication.archive import archive_of
from s2ps.publication.package_store import PackageStore
from s2ps.publication.pump import Pump


@dataclass(frozen=True, slots=True)
class Package:
    """A complete package; `size` in bytes, checksums hexadecimal."""

    name: str
    """File name, with .tar or .zip."""
    content_type: str
    size: int
    md5: str
    sha256: str
    location: str
    """URI."""


def write_package(product: Path, store: PackageStore, folder: str) -> Package:
    """Package a published folder into a folder of the store; raise PublicationError where that cannot be.

    The same product gives the same bytes. Nothing is visible before the package is complete and, in a folder, on the
    disk; a package of that name that is there already (of a process that was killed before it could say so) is
    replaced.
    """
    archive = archive_of(product)
    key = f"{folder}/{archive.name}"
    with store.sink(key, archive.content_type) as sink:
        digest = Pump(sink).run(archive.segments())
    return Package(archive.name, archive.content_type, digest.size, digest.md5, digest.sha256, store.uri(key))


def folder_of(name: str, sensed: datetime) -> str:
    """Return the folder of a product in the store: kind and day of sensing, as "L1C/2026/07/01"."""
    if name.endswith(".SAFE"):
        kind = UserProductName.parse(name).level
    else:
        file_type = name[9:19]
        kind = file_type[4:7] if file_type.startswith("MSI_") else file_type
    return f"{kind.rstrip('_')}/{sensed:%Y/%m/%d}"
