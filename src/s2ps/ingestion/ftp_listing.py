"""Listings of FTP servers: MLSD, or LIST and MDTM where a server does not know it.

LIST is what `ls -l` or `dir` write, meant for people: sizes are exact, dates are not. They come from MDTM then, asked
once for every file and size; a server without MDTM leaves the date of the listing, to the minute, taken as UTC.
"""

from __future__ import annotations

import ftplib
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from posixpath import join

from s2ps.ingestion.ftp import UNKNOWN_COMMAND, Ftps
from s2ps.ingestion.numbers import told_number

_UNIX = re.compile(
    r"(?P<kind>[-dlbcps])[-rwxsStTlL.+@]{9,11}\s+\d+\s+\S+\s+(?:\S+\s+)?(?P<size>\d+)\s+"
    r"(?P<month>[A-Za-z]{3})\s+(?P<day>\d{1,2})\s+(?:(?P<hour>\d{1,2}):(?P<minute>\d{2})|(?P<year>\d{4}))\s(?P<name>.+)"
)
_DOS = re.compile(
    r"(?P<month>\d{2})-(?P<day>\d{2})-(?P<year>\d{4}|\d{2})\s+(?P<hour>\d{1,2}):(?P<minute>\d{2})(?P<half>[AP]M)?\s+"
    r"(?:(?P<folder><DIR>)|(?P<size>\d+))\s+(?P<name>.+)"
)
_MONTHS = {
    name: number
    for number, name in enumerate("jan feb mar apr may jun jul aug sep oct nov dec".split(), start=1)  # noqa: SIM905
}
MOST_LINES = 200_000
"""Entries of a folder; a listing with more is refused."""
MOST_DATES = 100_000
"""Exact dates that are remembered."""
_FRESH = timedelta(minutes=2)
"""A file so young may be published again within the minute its listing tells: its exact date is asked for again."""
_AHEAD = timedelta(days=1)
"""A date without a year that lies further ahead is of the year before."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a folder."""

    name: str
    folder: bool
    size: int | None = None
    """Bytes of a file."""
    modified: str = ""
    """As MLSD and MDTM write it, YYYYMMDDHHMMSS in UTC; empty where nobody tells."""


class FtpLister:
    """Lists folders of one server and remembers what it can do."""

    def __init__(self, wanted: Callable[[str], bool]) -> None:
        """`wanted` tells whose exact dates are asked for, by name."""
        self._wanted = wanted
        self._has_mlsd = self._has_mdtm = True
        self._dates: dict[tuple[str, int | None, str], str] = {}

    def entries(self, ftp: Ftps, folder: str, now: datetime) -> list[Entry]:
        """Return files and folders in a folder; raises errors of ftplib."""
        if self._has_mlsd:
            try:
                return list(_machine_listing(ftp, folder))
            except ftplib.error_perm as error:
                if not str(error).startswith(UNKNOWN_COMMAND):
                    raise
                self._has_mlsd = False
        ftp.cwd(folder)
        found = [entry for line in _lines(ftp, "LIST") if (entry := read_line(line, now)) is not None]
        settled = _text(now - _FRESH)
        return [self._dated(ftp, folder, entry, settled) for entry in found]

    def _dated(self, ftp: Ftps, folder: str, entry: Entry, settled: str) -> Entry:
        """Return an entry with its exact date; one that is gone meanwhile keeps that of the listing."""
        path = join(folder, entry.name)
        key = (path, entry.size, entry.modified)
        if entry.folder or not self._has_mdtm or not self._wanted(entry.name):
            return entry
        exact = self._dates.get(key, "")
        if not exact:
            try:
                exact = ftp.voidcmd(f"MDTM {path}").partition(" ")[2].strip()
            except ftplib.error_perm as error:
                self._has_mdtm = not str(error).startswith(UNKNOWN_COMMAND)
                return entry
            if len(self._dates) >= MOST_DATES:
                self._dates.clear()
            if entry.modified and entry.modified < settled:
                self._dates[key] = exact
        return replace(entry, modified=exact)


def _lines(ftp: Ftps, command: str) -> list[str]:
    """Return the lines of a listing; ValueError when it does not end."""
    lines: list[str] = []

    def take(line: str) -> None:
        if len(lines) >= MOST_LINES:
            raise ValueError(f"more than {MOST_LINES} entries")
        lines.append(line)

    ftp.retrlines(command, take)
    return lines


def _machine_listing(ftp: Ftps, folder: str) -> Iterator[Entry]:
    with suppress(ftplib.error_perm):
        ftp.sendcmd("OPTS MLST type;size;modify;")
    for line in _lines(ftp, f"MLSD {folder}"):
        told, _, name = line.rstrip("\r\n").partition(" ")
        facts = {key.lower(): value for key, _, value in (fact.partition("=") for fact in told.split(";"))}
        kind = facts.get("type", "file").lower()
        if kind in ("dir", "file"):
            yield Entry(name, kind == "dir", told_number(facts.get("size", "")), facts.get("modify", ""))


def read_line(line: str, now: datetime) -> Entry | None:
    """Return the entry of a line of LIST, as Unix or DOS write it; None for links and for what is no entry."""
    text = line.rstrip("\r\n")
    unix, dos = _UNIX.fullmatch(text), _DOS.fullmatch(text)
    if unix is not None:
        kind = {"d": True, "-": False}.get(unix["kind"])
        if kind is None or unix["name"] in (".", ".."):
            return None
        return Entry(unix["name"], kind, None if kind else told_number(unix["size"]), _text(_unix_date(unix, now)))
    if dos is not None:
        folder = dos["folder"] is not None
        return Entry(dos["name"], folder, None if folder else told_number(dos["size"]), _text(_dos_date(dos)))
    return None


def _text(moment: datetime | None) -> str:
    return "" if moment is None else moment.strftime("%Y%m%d%H%M%S")


def _unix_date(found: re.Match[str], now: datetime) -> datetime | None:
    month, day = _MONTHS.get(found["month"].lower()), int(found["day"])
    hour, minute = int(found["hour"] or 0), int(found["minute"] or 0)
    if month is None:
        return None
    if found["year"]:
        return _moment(int(found["year"]), month, day, hour, minute)
    candidates = (_moment(now.year - back, month, day, hour, minute) for back in (-1, 0, 1))
    return next((moment for moment in candidates if moment is not None and moment <= now + _AHEAD), None)


def _dos_date(found: re.Match[str]) -> datetime | None:
    year = int(found["year"])
    year += 2000 if year < 100 else 0
    hour = int(found["hour"])
    if found["half"]:
        hour = hour % 12 + (12 if found["half"] == "PM" else 0)
    return _moment(year, int(found["month"]), int(found["day"]), hour, int(found["minute"]))


def _moment(year: int, month: int, day: int, hour: int, minute: int) -> datetime | None:
    try:
        return datetime(year, month, day, hour, minute, tzinfo=UTC)
    except ValueError:
        return None
