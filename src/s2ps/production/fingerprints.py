"""How to notice that a file or folder from outside has changed, without reading it."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path


def fingerprint(path: Path) -> str:
    """Return a text that changes with size or time of a file, or of any file below a folder."""
    if path.is_file():
        return _state(path)
    digest = hashlib.sha256()
    for folder, folders, names in os.walk(path):
        folders.sort()
        for name in sorted(names):
            file = Path(folder, name)
            digest.update(f"{file.relative_to(path).as_posix()}\0{_state(file)}\n".encode())
    return digest.hexdigest()


def _state(file: Path) -> str:
    """Return size and time of a file; a link that leads nowhere has none."""
    try:
        status = file.stat()
    except FileNotFoundError:
        return "missing"
    return f"{status.st_size}:{status.st_mtime_ns}"
