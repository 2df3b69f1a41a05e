"""Which file a processor's command is, in the folders of one place."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from s2ps.model.errors import ConfigurationError

FOLDER_VARIABLE = "S2PS_EXECUTABLES"


def find_in(folders: Sequence[Path], processor: str, command: str) -> Path:
    """Return the first `command` or NAME.bash in the folders; raises ConfigurationError when there is none to run."""
    parts = PurePosixPath(command)
    if parts.is_absolute() or ".." in parts.parts:
        raise ConfigurationError(
            f"processor {processor}: {command!r} is no command below a folder of executables",
            expected="a relative path as NAME/<version>/scripts/NAME.bash",
            next_step="correct the processor definition",
        )
    for folder in folders:
        for candidate in (folder / command, folder / f"{processor}.bash"):
            if candidate.is_file():
                return _runnable(processor, candidate)
    raise ConfigurationError(
        f"processor {processor} has no executable in {' or '.join(map(str, folders))}",
        expected=f"{command} or {processor}.bash",
        next_step=f"install the processor there, or set {FOLDER_VARIABLE}",
    )


def _runnable(processor: str, file: Path) -> Path:
    if not os.access(file, os.X_OK):
        raise ConfigurationError(
            f"processor {processor}: {file} may not be executed", next_step=f"run `chmod +x {file}`"
        )
    return file
