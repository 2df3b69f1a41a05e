"""Small sessions for the tests of stations: three blocks on channel 1, two on channel 2."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

from s2ps.formats.dsib import Dsib, write_dsib

SESSION = "S2B_20260701101759048123"
WRITTEN = datetime(2026, 7, 1, 10, 31, tzinfo=UTC)
BLOCKS = {1: 3, 2: 2}


def block(channel: int, number: int) -> str:
    return f"DCS_05_{SESSION}_ch{channel}_DSDB_{number:05d}.raw"


def data(channel: int, number: int) -> bytes:
    return bytes([channel, number]) * (5000 + number)


def write_session(folder: Path) -> Path:
    """Write a session as `s2ps simulate` does, a second apart from file to file."""
    moment = WRITTEN
    for channel, count in BLOCKS.items():
        target = folder / SESSION / f"ch_{channel}"
        target.mkdir(parents=True)
        names = [block(channel, number) for number in range(1, count + 1)]
        for number, name in enumerate(names, 1):
            (target / name).write_bytes(data(channel, number))
        size = sum((target / name).stat().st_size for name in names)
        start = WRITTEN - timedelta(minutes=13)
        dsib = target / f"DCS_05_{SESSION}_ch{channel}_DSIB.xml"
        write_dsib(dsib, Dsib(SESSION, start, WRITTEN, start, WRITTEN, size, tuple(names)))
        for path in [*(target / name for name in names), dsib]:
            os.utime(path, (moment.timestamp(), moment.timestamp()))
            moment += timedelta(seconds=1)
    return folder
