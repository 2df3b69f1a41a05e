"""Byte strings gathered under many keys: in memory while they are few, in one file per key when they are many."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

MEMORY_LIMIT = 256 * 1024 * 1024


class Spool:
    """Append byte strings per key and read them back as one; use it as a context manager to remove its files."""

    def __init__(self, folder: Path, limit: int = MEMORY_LIMIT) -> None:
        self._parent = folder
        self._limit = limit
        self._held = 0
        self._parts: dict[str, bytearray] = {}
        self._folder: Path | None = None

    def __enter__(self) -> Spool:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)

    def add(self, key: str, data: bytes) -> None:
        """Append bytes under a key, which must be usable as a file name."""
        self._parts.setdefault(key, bytearray()).extend(data)
        self._held += len(data)
        if self._held > self._limit:
            self._flush()

    def keys(self) -> Iterator[str]:
        """Yield all keys in order."""
        yield from sorted(self._parts)

    def read(self, key: str) -> bytes:
        """Return everything that was added under a key; empty when nothing was."""
        stored = b""
        if self._folder is not None and (self._folder / key).is_file():
            stored = (self._folder / key).read_bytes()
        return stored + bytes(self._parts.get(key, b""))

    def _flush(self) -> None:
        if self._folder is None:
            self._parent.mkdir(parents=True, exist_ok=True)
            self._folder = Path(tempfile.mkdtemp(prefix="spool-", dir=self._parent))
        for key, data in self._parts.items():
            with (self._folder / key).open("ab") as stream:
                stream.write(data)
            data.clear()
        self._held = 0
