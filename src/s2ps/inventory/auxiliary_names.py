"""Names of auxiliary files: which there are below a folder, and what each tells."""

from __future__ import annotations

import os
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from s2ps.inventory.rules import AuxiliaryFile
from s2ps.model.bands import Band
from s2ps.model.errors import InputError
from s2ps.model.names import PdiName
from s2ps.model.timestamps import compact

FOREVER = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
NOT_FILES = frozenset({".HDR", ".EOF", ".TGZ", ".TAR", ".GZ"})
"""Extensions of headers and of packages, which are not chosen themselves."""
BAND_KEYS: tuple[str, ...] = tuple(band.name.removeprefix("B") for band in Band)
_OPEN_END = "99999999T999999"
_CATEGORIES = ("_AUX_", "_GIP_")


def check_folder(folder: Path) -> None:
    """Raise InputError when the folder of auxiliary files is not there."""
    if not folder.is_dir():
        raise InputError(f"auxiliary folder {folder} is missing", next_step="correct the setting or mount the folder")


def candidates(folder: Path) -> Iterable[Path]:
    """Yield files and folders with a name like an auxiliary file; do not look inside such folders, nor hidden ones."""
    for base, folders, names in os.walk(folder):
        whole = sorted(name for name in folders if _auxiliary(name))
        folders[:] = sorted(name for name in set(folders) - set(whole) if not name.startswith("."))
        for name in sorted([*whole, *(name for name in names if _auxiliary(name))]):
            yield Path(base, name)


def _auxiliary(name: str) -> bool:
    return (
        name.startswith("S2")
        and any(mark in name for mark in _CATEGORIES)
        and Path(name).suffix.upper() not in NOT_FILES
    )


def described(path: Path) -> AuxiliaryFile | None:
    """Return what the name of a file tells; None for a name that cannot be read or has no validity."""
    try:
        name = PdiName.parse(path.name.replace(_OPEN_END, compact(FOREVER)))
    except InputError:
        return None
    if name.validity is not None:
        start, stop = name.validity
    elif name.sensing_start is not None:
        start, stop = name.sensing_start, FOREVER
    else:
        return None
    band = name.band if name.band in BAND_KEYS else None
    return AuxiliaryFile(path, name.file_type, name.unit, name.creation, start, stop, band, name.file_class)
