"""Is a session complete? If not: what is missing, by name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from s2ps.ingestion.listing import Totals
from s2ps.model.errors import InputError
from s2ps.model.names import SessionFileName

DEFAULT_CHANNELS = 2


@dataclass(frozen=True, slots=True)
class Block:
    """One DSDB file a station has published."""

    name: str
    channel: int
    number: int
    size: int
    """Bytes, as published."""
    final: bool | None = None
    """Last of its channel? None where the station does not tell."""
    lacking: str = ""
    """Why it cannot be used yet; empty when it is here, whole and checked."""


@dataclass(frozen=True, slots=True)
class ChannelList:
    """What a DSIB says of its channel; with `lacking` it is published but not here yet."""

    names: tuple[str, ...] = ()
    data_size: int = 0
    """Bytes of all its DSDB files."""
    lacking: str = ""


@dataclass(frozen=True, slots=True)
class SessionView:
    """All that is known of a session at one moment."""

    blocks: tuple[Block, ...]
    dsibs: Mapping[int, ChannelList] = field(default_factory=dict)
    channels: int | None = None
    """Number of channels; None when nobody tells: as many as are seen."""
    totals: tuple[Totals, ...] = ()
    totals_required: bool = False


def missing(view: SessionView) -> tuple[str, ...]:
    """Return what a session lacks, by channel; empty when it is complete.

    Every channel 1..N needs its blocks 1..M without a gap, where M is told by the FinalBlock flag, the DSIB, or both;
    the sizes must add up to the DSIB's data_size, and QualityInfo totals must agree when there are any.
    """
    seen = {block.channel for block in view.blocks} | set(view.dsibs)
    expected = set(range(1, (view.channels or 0) + 1))
    if not seen | expected:
        return ("all files",)
    found: list[str] = []
    for channel in sorted(expected | seen):
        blocks = {block.number: block for block in view.blocks if block.channel == channel}
        if not blocks and channel not in view.dsibs:
            found.append(f"channel {channel}: all files")
            continue
        found += [f"channel {channel}: {text}" for text in _channel(blocks, view.dsibs.get(channel))]
        found += [f"channel {channel}: {text}" for text in _totals(blocks, channel, view)]
    return tuple(found)


def _channel(blocks: Mapping[int, Block], listed: ChannelList | None) -> list[str]:
    lacking = _not_here(blocks)
    if listed is not None and listed.lacking:
        return [*lacking, f"DSIB ({listed.lacking})"]
    ends = [number for number, block in blocks.items() if block.final]
    if listed is None and not ends:
        told = any(block.final is not None for block in blocks.values())
        return [*_gaps(blocks, max(blocks, default=0)), *lacking, "the final block" if told else "DSIB"]
    if listed is None:
        return [*_up_to(blocks, max(ends)), *lacking]
    return [*_as_listed(blocks, listed), *(_up_to(blocks, max(ends)) if ends else []), *lacking]


def _not_here(blocks: Mapping[int, Block]) -> list[str]:
    reasons: dict[str, list[int]] = {}
    for number, block in blocks.items():
        if block.lacking:
            reasons.setdefault(block.lacking, []).append(number)
    return [f"{_blocks(numbers)} ({reason})" for reason, numbers in reasons.items()]


def _gaps(blocks: Mapping[int, Block], last: int) -> list[str]:
    gaps = [number for number in range(1, last + 1) if number not in blocks]
    return [f"{_blocks(gaps)} (not published)"] if gaps else []


def _up_to(blocks: Mapping[int, Block], last: int) -> list[str]:
    beyond = [number for number in blocks if number > last]
    told = [f"a final block: {_blocks(beyond)} lies behind the final block {last}"] if beyond else []
    return _gaps(blocks, last) + told


def _as_listed(blocks: Mapping[int, Block], listed: ChannelList) -> list[str]:
    numbers = set(map(_number, listed.names))
    last = max(numbers, default=0)
    if not numbers:
        return ["DSIB with a list (it lists no file)"]
    present = {block.name for block in blocks.values()}
    absent = [name for name in listed.names if name not in present]
    found = [f"{_blocks(map(_number, absent))} (not published, the DSIB lists it)"] if absent else []
    unlisted = sorted(set(range(1, last + 1)) - numbers)
    if unlisted:
        found.append(f"{_blocks(unlisted)} in the DSIB (its list has a gap)")
    extra = sorted(number for number, block in blocks.items() if block.name not in listed.names)
    if extra:
        found.append(f"DSIB that lists {_blocks(extra)}")
    volume = sum(block.size for block in blocks.values())
    if not found and volume != listed.data_size:
        found.append(f"{listed.data_size - volume} bytes: the files hold {volume}, the DSIB says {listed.data_size}")
    return found


def _totals(blocks: Mapping[int, Block], channel: int, view: SessionView) -> list[str]:
    totals = [item for item in view.totals if item.channel == channel]
    if not totals:
        return ["quality information"] if view.totals_required else []
    chunks, volume = len(blocks), sum(block.size for block in blocks.values())
    last = totals[-1]
    found = [f"agreement: {chunks} blocks, quality information counts {last.chunks}"] if chunks != last.chunks else []
    if not found and volume != last.volume:
        found.append(f"agreement: blocks of {volume} bytes, quality information counts {last.volume}")
    return found


def _number(name: str) -> int:
    block = SessionFileName.parse(name).block
    if block is None:
        raise InputError(f"DSIB lists {name}", expected="DSDB files", next_step="ask the station")
    return block


def _blocks(numbers: Iterable[int]) -> str:
    """Write `block 3` or `blocks 3, 7-9`."""
    runs: list[list[int]] = []
    for number in sorted(numbers):
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    text = ", ".join(str(first) if first == last else f"{first}-{last}" for first, last in runs)
    return f"blocks {text}" if len(runs) > 1 or "-" in text else f"block {text}"
