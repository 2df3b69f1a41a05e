"""Is a downlink session complete, and since when?"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from s2ps.formats.dsib import Dsib, read_dsib
from s2ps.inventory.arrivals import Arrivals
from s2ps.inventory.raw_data import RawData
from s2ps.inventory.store import Inventory
from s2ps.model.errors import InputError
from s2ps.model.names import SessionFileName

_AGAIN = "fetch the session again, then run it again: it goes on where it stopped"


@dataclass(frozen=True, slots=True)
class Channel:
    """One channel of a session: its DSIB and the DSDB files it lists, in order."""

    number: int
    dsib: Path
    start: datetime
    stop: datetime
    files: tuple[Path, ...]


@dataclass(frozen=True, slots=True)
class Session:
    """A complete session on disk; `t0` is when its last file was published (UTC)."""

    id: str
    folder: Path
    station_unit: str
    channels: tuple[Channel, ...]
    t0: datetime
    start: datetime
    """First data of the downlink, of all channels."""
    stop: datetime

    @property
    def files(self) -> tuple[Path, ...]:
        """DSIBs and DSDBs of all channels."""
        return tuple(path for channel in self.channels for path in (channel.dsib, *channel.files))


def known_session(folder: Path, inventory: Inventory, channels: int) -> Session:
    """Check a session folder; one that came from a station has the channels and the t0 that ingestion has kept.

    Of another folder `channels` are expected, and t0 is when its last file was written.
    """
    arrival = Arrivals(inventory).arrived_in(folder.resolve())
    if arrival is None or arrival.t0 is None:
        return read_session(folder, channels=channels)
    if arrival.state == "expired" and not folder.is_dir():
        raise InputError(
            f"raw data of session {arrival.session} were removed, their time was over",
            next_step=f"put the session into {folder} again, or give another folder that holds it",
        )
    received = {file.channel for file in Arrivals(inventory).files(arrival.session)}
    return replace(read_session(folder, channels=max(received)), t0=arrival.t0)


def taken_session(folder: Path, inventory: Inventory, channels: int) -> Session:
    """Check a session folder as `known_session` does, and keep its files from being removed until it is made."""
    session = known_session(folder, inventory, channels)
    RawData(inventory).take(session.id, datetime.now(UTC))
    return known_session(folder, inventory, channels)


def read_session(folder: Path, *, channels: int = 2) -> Session:
    """Check a session folder and return what is in it; an `InputError` names the file and the reason.

    Every channel needs a DSIB, every DSDB it lists must be there, and their sizes must add up to its data_size.
    """
    if not folder.is_dir():
        raise InputError(
            f"session folder {folder} does not exist", next_step="give the folder that holds ch_1 and ch_2"
        )
    dsibs = sorted(folder.rglob("*_DSIB.xml"))
    if not dsibs:
        raise InputError(f"session folder {folder} holds no DSIB", expected="DCS_<unit>_<session>_ch<n>_DSIB.xml")
    names = [SessionFileName.parse(path.name) for path in dsibs]
    sessions = {name.session for name in names}
    if len(sessions) != 1:
        raise InputError(
            f"session folder {folder} holds DSIBs of {len(sessions)} sessions: {', '.join(sorted(sessions))}"
        )
    found = {name.channel: _channel(path, name) for path, name in zip(dsibs, names, strict=True)}
    missing = sorted(set(range(1, channels + 1)) - set(found))
    if missing:
        raise InputError(
            f"session {names[0].session}: channel {missing[0]} is missing, {folder} has no DSIB of it", next_step=_AGAIN
        )
    ordered = tuple(found[number] for number in sorted(found))
    published = max(path.stat().st_mtime for channel in ordered for path in (channel.dsib, *channel.files))
    t0 = datetime.fromtimestamp(int(published), UTC)
    start, stop = min(channel.start for channel in ordered), max(channel.stop for channel in ordered)
    return Session(names[0].session, folder.resolve(), names[0].station_unit, ordered, t0, start, stop)


def _channel(path: Path, name: SessionFileName) -> Channel:
    dsib = read_dsib(path)
    if dsib.session_id != name.session:
        raise InputError(
            f"DSIB {path} is of session {dsib.session_id}", expected=f"session {name.session} as in its name"
        )
    files = tuple(path.parent / item for item in dsib.dsdb_names)
    for file in files:
        listed = SessionFileName.parse(file.name)
        if (listed.session, listed.channel) != (name.session, name.channel):
            raise InputError(
                f"DSIB {path} lists {file.name}", expected=f"files of {name.session} channel {name.channel}"
            )
        if not file.is_file():
            raise InputError(f"DSDB {file} is missing, {path.name} lists it", next_step=_AGAIN)
    _check_size(path, dsib, files)
    return Channel(name.channel, path, dsib.time_start, dsib.time_stop, files)


def _check_size(path: Path, dsib: Dsib, files: tuple[Path, ...]) -> None:
    sizes = [file.stat().st_size for file in files]
    if sum(sizes) == dsib.data_size:
        return
    usual = max(set(sizes[:-1]), key=sizes[:-1].count) if len(sizes) > 1 else dsib.data_size
    odd = [file.name for file, size in zip(files[:-1], sizes[:-1], strict=True) if size != usual]
    suspect = odd[0] if odd else files[-1].name if files else "no file"
    raise InputError(
        f"DSDB {path.parent / suspect} is truncated or wrong: the files of {path.name} hold {sum(sizes)} bytes",
        expected=f"{dsib.data_size} bytes as data_size says",
        next_step=_AGAIN,
    )
