"""Where the executable of a processor is: the integrator's folder first, the reference processors after it."""

from __future__ import annotations

import os
from pathlib import Path

from s2ps.model.errors import ConfigurationError
from s2ps.settings import Settings, reference_executables


def executable_folders(settings: Settings) -> tuple[Path, ...]:
    """Return the folders that are searched, in order; raises ConfigurationError when S2PS_EXECUTABLES is no folder."""
    own, packaged = settings.place("executables"), reference_executables()
    if not own.is_dir():
        raise ConfigurationError(
            f"folder of executables {own} does not exist",
            expected="a folder with NAME/<version>/scripts/NAME.bash or NAME.bash",
            next_step="make the folder, or correct S2PS_EXECUTABLES",
        )
    return (own,) if own == packaged else (own, packaged)


def find_executable(settings: Settings, processor: str, command: str) -> Path:
    """Return the first `command` or NAME.bash in the folders; raises ConfigurationError when there is none to run."""
    folders = executable_folders(settings)
    for folder in folders:
        for candidate in (folder / command, folder / f"{processor}.bash"):
            if candidate.is_file():
                return _runnable(processor, candidate)
    raise ConfigurationError(
        f"processor {processor} has no executable in {' or '.join(map(str, folders))}",
        expected=f"{command} or {processor}.bash",
        next_step="install the processor there, or set S2PS_EXECUTABLES",
    )


def _runnable(processor: str, file: Path) -> Path:
    if not os.access(file, os.X_OK):
        raise ConfigurationError(
            f"processor {processor}: {file} may not be executed", next_step=f"run `chmod +x {file}`"
        )
    return file
