"""The files of a downlink session, checked against their DSIBs before anything is read from them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ipf_adapters.reference.errors import InvalidInput, MissingInput, TruncatedInput
from s2ps.formats.cadu import CADU_SIZE
from s2ps.formats.dsib import Dsib, read_dsib
from s2ps.model.errors import InputError
from s2ps.model.names import SessionFileName

FETCH = "fetch the session again"


@dataclass(frozen=True, slots=True)
class Channel:
    """One channel of a session: its DSIB and its DSDB files in the order of the DSIB."""

    number: int
    dsib: Dsib
    files: tuple[Path, ...]


def channels_of(paths: Iterable[Path]) -> list[Channel]:
    """Return the complete channels of a session given by files or folders.

    Raises MissingInput for an absent file or channel, TruncatedInput for a file that is too short, InvalidInput when
    files do not belong together.
    """
    blocks: dict[int, dict[str, Path]] = {}
    dsibs: dict[int, Path] = {}
    for path in _files(paths):
        name = _session_name(path)
        if name is not None and name.block is None:
            dsibs[name.channel] = path
        elif name is not None:
            blocks.setdefault(name.channel, {})[path.name] = path
    numbers = set(dsibs) | set(blocks)
    if not numbers:
        raise MissingInput(f"the session has no DSIB and no DSDB file: {FETCH}")
    for number in range(1, max(numbers) + 1):
        if number not in dsibs:
            raise MissingInput(f"channel {number} of the session has no DSIB: {FETCH}")
    channels = [_channel(number, dsibs[number], blocks.get(number, {})) for number in sorted(dsibs)]
    sessions = {channel.dsib.session_id for channel in channels}
    if len(sessions) != 1:
        raise InvalidInput(f"the channels belong to different sessions: {', '.join(sorted(sessions))}: stage one only")
    return channels


def _files(paths: Iterable[Path]) -> list[Path]:
    found: list[Path] = []
    for path in paths:
        found += sorted(path.rglob("DCS_*")) if path.is_dir() else [path]
    return [path for path in found if path.is_file()]


def _session_name(path: Path) -> SessionFileName | None:
    try:
        return SessionFileName.parse(path.name)
    except InputError:
        return None


def _channel(number: int, dsib_path: Path, present: dict[str, Path]) -> Channel:
    dsib = read_dsib(dsib_path)
    absent = [name for name in dsib.dsdb_names if name not in present]
    if absent:
        others = f" and {len(absent) - 1} more" if len(absent) > 1 else ""
        raise MissingInput(f"channel {number}: {absent[0]}{others} of {dsib_path.name} does not exist: {FETCH}")
    channel = Channel(number, dsib, tuple(present[name] for name in dsib.dsdb_names))
    _check_size(channel, dsib_path.name)
    return channel


def _check_size(channel: Channel, dsib_name: str) -> None:
    sizes = {path.name: path.stat().st_size for path in channel.files}
    total, expected = sum(sizes.values()), channel.dsib.data_size
    if total == expected:
        return
    if total > expected:
        raise InvalidInput(
            f"channel {channel.number}: its files have {total} bytes, {dsib_name} says {expected}: {FETCH}"
        )
    cut = _shortest(sizes)
    raise TruncatedInput(
        f"channel {channel.number}: {cut} is cut at byte {sizes[cut]}: the files have {total} bytes, {dsib_name} says "
        f"{expected}: {FETCH}"
    )


def _shortest(sizes: dict[str, int]) -> str:
    """Name the file that is most likely cut: in the middle of a frame, or shorter than the others before the last."""
    broken = [name for name, size in sizes.items() if size % CADU_SIZE]
    if broken:
        return broken[0]
    names = list(sizes)
    full = max(sizes.values())
    return next((name for name in names[:-1] if sizes[name] < full), names[-1])
