"""Meteorological files opened before they are accepted: whole GRIB messages, with the fields processors need."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from s2ps.model.errors import InputError

_MAGIC = b"GRIB"


def check_meteorology(paths: Iterable[Path], expected: Iterable[str], what: str) -> None:
    """Read every GRIB message of some files with ecCodes; `expected` are the short names of fields they must hold.

    Raises InputError, `what` naming the file, when there is no message, one is cut or damaged, or a field is missing.
    """
    found: set[str] = set()
    for path in paths:
        found |= set(_fields(path, what))
    missing = sorted(set(expected) - found)
    if missing:
        raise InputError(
            f"meteorology {what} lacks {', '.join(missing)}",
            expected=f"GRIB fields {', '.join(sorted(expected))}; found {', '.join(sorted(found)) or 'none'}",
            next_step="fetch the complete file",
        )


def looks_like_grib(path: Path) -> bool:
    """Tell whether a file begins with a GRIB message."""
    with path.open("rb") as file:
        return file.read(len(_MAGIC)) == _MAGIC


def _fields(path: Path, what: str) -> Iterator[str]:
    from s2ps.formats.grib import eccodes

    if not looks_like_grib(path):
        raise _damaged(what, path, "it does not begin with GRIB")
    end = 0
    with path.open("rb") as file:
        try:
            while (message := eccodes.codes_grib_new_from_file(file)) is not None:
                try:
                    end = int(eccodes.codes_get(message, "offset")) + int(eccodes.codes_get(message, "totalLength"))
                    eccodes.codes_get_size(message, "values")
                    yield str(eccodes.codes_get(message, "shortName"))
                finally:
                    eccodes.codes_release(message)
        except eccodes.CodesInternalError as error:
            raise _damaged(what, path, f"message after byte {end}: {error}") from error
    if end != path.stat().st_size:
        raise _damaged(what, path, f"{path.stat().st_size - end} bytes after byte {end} are no message")


def _damaged(what: str, path: Path, why: str) -> InputError:
    return InputError(
        f"meteorology {what} is damaged: {path.name}: {why}", expected="whole GRIB messages", next_step="fetch it again"
    )
