"""Names that come from outside: which of them may become a file here."""

from __future__ import annotations

import re

from s2ps.model.errors import InputError

LONGEST_NAME = 200
"""Bytes; leaves room for our own suffixes below the 255 of file systems."""
_ALLOWED = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
_DEVICES = re.compile(r"(?i)(con|prn|aux|nul|com\d|lpt\d)(\..*)?")
_PASSING = re.compile(r"(?i)\..*|.*\.(tmp|part|filepart)|db.*|lost\+found")


def checked_name(name: str) -> str:
    """Return a name unchanged when it can be a plain file name on every file system; InputError says why it cannot."""
    if problem := _problem(name):
        raise InputError(
            f"name {name[:80]!r} {problem}",
            expected="letters, digits and _ . - only, at most 200 of them, not the name of a device",
            next_step="ask the station; the file is refused until it is published under another name",
        )
    return name


def is_passing(name: str) -> bool:
    """Return True for names of what is being written or does not belong to the data: hidden, .tmp, lost+found."""
    return bool(_PASSING.fullmatch(name))


def _problem(name: str) -> str:
    if not name or name in (".", ".."):
        return "is no file name"
    if len(name.encode("utf-8", "surrogatepass")) > LONGEST_NAME:
        return "is too long"
    if "/" in name or "\\" in name:
        return "leads to another folder"
    if any(ord(letter) < 32 or ord(letter) == 127 for letter in name):
        return "holds control characters"
    if _DEVICES.fullmatch(name):
        return "is that of a device"
    return "" if _ALLOWED.fullmatch(name) and not name.endswith(".") else "holds odd characters"
