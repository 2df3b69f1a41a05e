"""Check of staging keys: what comes from names of files and ids must never leave the staging."""

from __future__ import annotations

from s2ps.model.errors import InputError
from s2ps.staging.layout import PARTIAL_MARK, STALE_MARK


def checked(key: str) -> str:
    """Return the key unchanged; raise InputError for anything but a plain relative path.

    Refused: empty keys and segments, "." and "..", a leading "/", backslashes, NUL and other control characters,
    and the marks of unfinished folders.
    """
    segments = key.split("/")
    hostile = (
        any(part in ("", ".", "..") for part in segments)
        or "\\" in key
        or any(ord(character) < 32 or ord(character) == 127 for character in key)
    )
    if hostile or PARTIAL_MARK in key or STALE_MARK in key:
        raise InputError(
            f"{key!r} is not a key of the staging",
            expected='a relative path without "..", empty parts, backslashes or control characters',
            next_step="take keys from s2ps.staging.layout",
        )
    return key
