"""From a staging URI to its store."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote, urlsplit

from s2ps.model.errors import ConfigurationError
from s2ps.staging.posix import PosixStore
from s2ps.staging.store import StagingStore


def open_store(location: str | Path) -> StagingStore:
    """Return the store at a folder, a `file://` or an `s3://` URI; raise ConfigurationError for other schemes."""
    if isinstance(location, str) and location.startswith("s3:"):
        from s2ps.staging.s3 import S3Store  # users of folders never load the S3 client
        from s2ps.staging.s3_location import S3Location

        return S3Store(S3Location.parse(location))
    return PosixStore(local_root(location))


def local_root(location: str | Path) -> Path:
    """Return the folder of a POSIX staging."""
    if isinstance(location, Path):
        return location
    parts = urlsplit(location)
    if parts.scheme == "":
        return Path(location)
    if parts.scheme == "file" and parts.netloc in ("", "localhost"):
        return Path(unquote(parts.path))
    raise ConfigurationError(
        f"staging {location!r} has no store",
        expected="a folder, file:///folder or s3://bucket/prefix?endpoint=...",
        next_step="set the staging of the run to one of them",
    )
