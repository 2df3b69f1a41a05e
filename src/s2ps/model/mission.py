"""Satellites, datatake types and the levels each type is processed to."""

from __future__ import annotations

import re
from enum import StrEnum

DETECTORS: tuple[int, ...] = tuple(range(1, 13))
MINIMUM_GRANULES = 48
"""Granules (4 scenes of 12 detectors) below which a datastrip goes no further than L0."""

_UNIT = re.compile(r"S2[A-Z]")


class Level(StrEnum):
    """A processing level, in order of the chain."""

    L0U = "L0U"
    L0 = "L0"
    L1A = "L1A"
    L1B = "L1B"
    L1C = "L1C"
    L2A = "L2A"

    @property
    def rank(self) -> int:
        """Position in the chain."""
        return list(Level).index(self)


class DatatakeType(StrEnum):
    """Observation types with a processing rule of their own."""

    NOBS = "INS-NOBS"
    VIC = "INS-VIC"
    RAW = "INS-RAW"
    DASC = "INS-DASC"
    ABSR = "INS-ABSR"
    EOBS = "INS-EOBS"


_LEVELS: dict[str, tuple[Level, ...]] = {
    DatatakeType.NOBS: (Level.L0, Level.L1B, Level.L1C, Level.L2A),
    DatatakeType.VIC: (Level.L0, Level.L1B, Level.L1C),
    DatatakeType.RAW: (Level.L0, Level.L1A, Level.L1B, Level.L1C, Level.L2A),
    DatatakeType.DASC: (Level.L0, Level.L1A),
    DatatakeType.ABSR: (Level.L0, Level.L1A),
    DatatakeType.EOBS: (Level.L0, Level.L1A),
}


def levels_of(datatake_type: str, granules: int | None = None) -> tuple[Level, ...]:
    """Return the levels products are made of; an unknown type, or too few granules, stops at L0."""
    if granules is not None and granules < MINIMUM_GRANULES:
        return (Level.L0,)
    return _LEVELS.get(datatake_type.strip(), (Level.L0,))


def parse_unit(text: str) -> str:
    """Return a satellite unit such as "S2B"; any unit letter is one."""
    if not _UNIT.fullmatch(text):
        raise ValueError(f"satellite unit {text!r}: expected S2 and a letter, as S2A or S2D")
    return text


def spacecraft_name(unit: str) -> str:
    """Return the name in metadata, "Sentinel-2B" for "S2B"."""
    return f"Sentinel-2{parse_unit(unit)[2]}"
