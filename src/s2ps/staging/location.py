"""From a staging URI to its store."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote, urlsplit

from s2ps.model.errors import ConfigurationError
from s2ps.staging.posix import PosixStore
from s2ps.staging.store import StagingStore


def open_store(location: str | Path) -> StagingStore:
    """Return the store at a folder or at a `file://` URI; raise ConfigurationError for other schemes."""
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
        expected="a folder or file:///folder",
        next_step="set the staging of the run to a mounted folder",
    )
