"""A watched folder: sessions that others put on a disk of ours."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import unquote, urlsplit

from s2ps.ingestion.listing import Asked, Listing, Refused, RemoteFile, merged, session_file
from s2ps.ingestion.source import ChangedAtStation, Source, TransferError
from s2ps.ingestion.stations import Station
from s2ps.ingestion.web import StationError

READ = 1 << 20


class FolderClient:
    """One folder; links are not followed."""

    def __init__(self, station: Station) -> None:
        self._station = station
        self._base = Path(unquote(urlsplit(station.url).path))

    def listing(self, asked: Asked) -> Listing:
        """Return all files of sessions in both areas; that of retransfers need not exist."""
        files: list[RemoteFile] = []
        refused: list[Refused] = []
        areas = [(self._station.nominal, False)]
        if self._station.retransfer is not None:
            areas.append((self._station.retransfer, True))
        for area, again in areas:
            top = self._base / area.strip("/")
            if not top.is_dir():
                if again:
                    continue
                raise StationError(
                    f"folder {top} of station {self._station.name} is missing", next_step="mount it, or correct the url"
                )
            for path in _files(top):
                found = _listed(path, again)
                if isinstance(found, RemoteFile):
                    files.append(found)
                elif found is not None:
                    refused.append(found)
        return Listing(merged(files), refused=tuple(refused))

    def source(self, file: RemoteFile) -> Source:
        """Return a file, ready to be read in ranges."""
        return FileSource(Path(file.address), file.version, file.size)

    def close(self) -> None:
        """Do nothing."""


class FileSource:
    """One edition of a file on disk."""

    largest_piece: int | None = None

    def __init__(self, path: Path, version: str, size: int) -> None:
        self._path, self._version, self._size = path, version, size

    def read(self, offset: int, length: int) -> Iterator[bytes]:
        """Yield a range."""
        try:
            with self._path.open("rb") as file:
                found = os.fstat(file.fileno())
                if (_version(found), found.st_size) != (self._version, self._size):
                    raise ChangedAtStation(f"{self._path} has changed since it was listed")
                file.seek(offset)
                while length and (data := file.read(min(READ, length))):
                    length -= len(data)
                    yield data
        except OSError as error:
            raise TransferError(f"{self._path} cannot be read: {error}") from error

    def close(self) -> None:
        """Do nothing."""


def _files(top: Path) -> Iterator[Path]:
    for folder, folders, names in os.walk(top):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (Path(folder) / name for name in sorted(names))


def _listed(path: Path, again: bool) -> RemoteFile | Refused | None:
    try:
        found = path.lstat()
    except FileNotFoundError:
        return None
    if not path.is_file() or path.is_symlink():
        return None
    return session_file(
        path.name,
        size=found.st_size,
        published=datetime.fromtimestamp(found.st_mtime, UTC),
        address=str(path),
        retransfer=again,
        version=_version(found),
    )


def _version(found: os.stat_result) -> str:
    return f"{found.st_ino}-{found.st_mtime_ns}"
