"""DSIBs for channels of stations that publish none (CADIP)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from s2ps.formats.dsib import Dsib, write_dsib
from s2ps.model.names import SessionFileName


@dataclass(frozen=True, slots=True)
class Received:
    """One DSDB file of a complete channel."""

    name: str
    size: int
    """Bytes."""
    published: datetime


def write_synthetic_dsib(
    folder: Path, files: Sequence[Received], *, start: datetime | None = None, stop: datetime | None = None
) -> Path:
    """Write the DSIB of one channel beside its files and return it; it lists them by block number.

    data_size is that of this channel only. Times of the downlink are those the station tells, else those of
    publication; the file itself is the same whenever it is written, for it holds no other time. Layout: ICD of the
    DSIB, `DCSU_Session_Information_Block`.
    """
    ordered = sorted(files, key=lambda file: SessionFileName.parse(file.name).block or 0)
    first, last = min(file.published for file in files), max(file.published for file in files)
    name = SessionFileName.parse(ordered[0].name)
    begin, end = start or first, stop or last
    dsib = Dsib(
        session_id=name.session,
        time_start=min(begin, end),
        time_stop=max(begin, end),
        time_created=first,
        time_finished=last,
        data_size=sum(file.size for file in files),
        dsdb_names=tuple(file.name for file in ordered),
    )
    path = folder / str(SessionFileName(name.station_unit, name.session, name.channel))
    aside = path.with_name(f".{path.name}.part")
    write_dsib(aside, dsib)
    aside.replace(path)
    return path
