"""Numbers that come from outside as text."""

from __future__ import annotations

LARGEST = 1 << 50
"""Bytes of a file; what is said to be larger is not true, and would not fit into the memory of ingestion."""
_DIGITS = 20


def told_number(text: str) -> int | None:
    """Return a whole number from 0; None for what is none, or is far too long to be one."""
    return int(text) if text.isdecimal() and len(text) < _DIGITS else None
