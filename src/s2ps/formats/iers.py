"""IERS bulletin (AUX_UT1UTC): UT1-UTC and the pole by day, and the leap seconds.

Source: IERS Bulletin A; daily rows `year month day MJD x y UT1-UTC`, and the line `TAI-UTC = 37.000 000 seconds`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from s2ps.model.errors import InputError

_MJD_EPOCH = datetime(1858, 11, 17, tzinfo=UTC)
_ROW = re.compile(r"^\s*(\d{4})\s+(\d{1,2})\s+(\d{1,2})\s+(\d{5})\s+(-?[\d.]+)\s+(-?[\d.]+)\s+(-?[\d.]+)\s*$", re.M)
_LEAP = re.compile(r"TAI-UTC\s*=\s*(\d+)\.")


@dataclass(frozen=True, slots=True)
class Bulletin:
    """Earth orientation by modified Julian day (UTC midnight)."""

    mjd: NDArray[np.float64]
    ut1_minus_utc: NDArray[np.float64]
    """Seconds."""
    tai_minus_utc: int
    """Seconds."""

    def ut1_minus_utc_at(self, moment: datetime) -> float:
        """Return UT1-UTC in seconds, linear between days; raises InputError outside the bulletin."""
        day = modified_julian_day(moment)
        if not self.mjd[0] <= day <= self.mjd[-1]:
            covered = f"MJD {self.mjd[0]:.0f} to {self.mjd[-1]:.0f}"
            raise InputError(f"IERS bulletin does not cover {moment:%Y-%m-%d}", expected=f"a day of {covered}")
        return float(np.interp(day, self.mjd, self.ut1_minus_utc))


def modified_julian_day(moment: datetime) -> float:
    """Return the modified Julian day with its fraction."""
    return (moment - _MJD_EPOCH) / timedelta(days=1)


def read_bulletin(path: Path) -> Bulletin:
    """Read a bulletin; raises InputError where it has no rows or no leap seconds."""
    try:
        text = path.read_text(encoding="ascii", errors="replace")
    except OSError as error:
        raise InputError(f"IERS bulletin {path} cannot be read: {error}", next_step="fetch it again") from error
    rows = sorted({float(row[3]): float(row[6]) for row in _ROW.findall(text)}.items())
    leap = _LEAP.search(text)
    if len(rows) < 2 or leap is None:
        raise InputError(f"IERS bulletin {path} has {len(rows)} days", expected="daily rows and a TAI-UTC line")
    table = np.array(rows)
    return Bulletin(table[:, 0], table[:, 1], int(leap[1]))


def write_bulletin(path: Path, bulletin: Bulletin) -> None:
    """Write a bulletin with a pole at rest."""
    lines = [" EARTH ORIENTATION PARAMETERS", "", f"     TAI-UTC = {bulletin.tai_minus_utc}.000 000 seconds", ""]
    lines.append("               MJD      x(arcsec)   y(arcsec)   UT1-UTC(sec)")
    for day, offset in zip(bulletin.mjd, bulletin.ut1_minus_utc, strict=True):
        date = _MJD_EPOCH + timedelta(days=float(day))
        pole = "0.0000      0.0000"
        lines.append(f"     {date.year}  {date.month:2d} {date.day:2d}  {day:.0f}       {pole}      {offset:8.5f}")
    path.write_text("\n".join(lines) + "\n", encoding="ascii")
