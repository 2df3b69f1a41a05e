"""Room on a disk, which several files on their way share."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

GIGABYTE = 10**9


class Room:
    """Gives room for files on the disk of a folder as long as so many bytes are left free. Safe in threads."""

    def __init__(self, folder: Path, left_free: float) -> None:
        self._folder, self._left_free = folder, left_free
        self._reserved = 0
        self._lock = threading.Lock()

    @contextmanager
    def reserve(self, size: int) -> Iterator[bool]:
        """Yield True and keep `size` bytes until the context ends; False when there is no room."""
        self._folder.mkdir(parents=True, exist_ok=True)
        with self._lock:
            fits = shutil.disk_usage(self._folder).free - self._reserved - size >= self._left_free
            if fits:
                self._reserved += size
        try:
            yield fits
        finally:
            if fits:
                with self._lock:
                    self._reserved -= size
