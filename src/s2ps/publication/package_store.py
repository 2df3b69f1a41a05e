"""Where packages, quick-looks and the STAC catalogue lie: a folder or an S3 bucket. Whatever appears there is whole."""

from __future__ import annotations

from contextlib import AbstractContextManager
from datetime import datetime
from typing import Protocol

from s2ps.publication.pump import Sink
from s2ps.staging.location import local_root


class PackageStore(Protocol):
    """Objects by key ("L1C/2026/07/01/name.zip")."""

    def uri(self, key: str) -> str:
        """Return where an object is, file:///... or s3://..."""

    def key(self, uri: str) -> str:
        """Return the key of an object from its URI; raise ConfigurationError for one of another store."""

    def sink(self, key: str, content_type: str) -> AbstractContextManager[Sink]:
        """Take an object block by block; it appears when the block ends, and never when that raises."""

    def write(self, key: str, content: bytes, content_type: str) -> None:
        """Write or replace a small object in one step."""

    def read(self, key: str) -> bytes | None:
        """Return a small object, None when there is none."""

    def size(self, key: str) -> int | None:
        """Return the size of an object in bytes, None when there is none."""

    def names(self, folder: str) -> tuple[str, ...]:
        """Return the names directly in a folder, sorted; those of folders end with "/"."""

    def delete(self, *keys: str) -> None:
        """Remove objects; missing ones are fine."""

    def lock(self, key: str) -> AbstractContextManager[None]:
        """Keep other writers of a document out where the store can; others may write beside where it cannot."""

    def sweep(self, before: datetime) -> int:
        """Remove what interrupted writers have left since before a moment; return how much."""


def open_packages(location: str) -> PackageStore:
    """Return the store at a folder, a `file://` or an `s3://` URI; raise ConfigurationError for other schemes."""
    if location.startswith("s3:"):
        from s2ps.publication.s3_packages import S3Packages  # users of folders never load the S3 client
        from s2ps.staging.s3_location import S3Location

        return S3Packages(S3Location.parse(location))
    from s2ps.publication.folder_packages import FolderPackages

    return FolderPackages(local_root(location))
