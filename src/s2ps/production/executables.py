"""Where the executable of a processor is: the integrator's folder first, the reference processors after it."""

from __future__ import annotations

from pathlib import Path

from s2ps.execution.executables import find_in
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
    return find_in(executable_folders(settings), processor, command)


def requested_executable(settings: Settings, processor: str, command: str) -> str:
    """Return what a request says: the path here or, for pods, the command, which its image has at its own place."""
    return command if settings.execution == "pod" else str(find_executable(settings, processor, command))
