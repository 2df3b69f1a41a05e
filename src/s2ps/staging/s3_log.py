"""A log that is written here and uploaded when it is closed."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path


class UploadedLog(io.FileIO):
    """A new local file, readable and writable; closing it uploads it once and removes it and its folder."""

    def __init__(self, path: Path, upload: Callable[[Path], None]) -> None:
        super().__init__(path, "x+b")
        self._path = path
        self._upload = upload

    def close(self) -> None:
        """Close the file, upload it and remove it."""
        if self.closed:
            return
        super().close()
        try:
            self._upload(self._path)
        finally:
            self._path.unlink(missing_ok=True)
            self._path.parent.rmdir()
