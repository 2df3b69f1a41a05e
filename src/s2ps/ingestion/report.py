"""What a poll has done."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class PollReport:
    """One poll of one station."""

    station: str
    busy: bool = False
    """Another process was polling the station; nothing was done."""
    elsewhere: str = ""
    """The place that ingests, when it is another one: host and file system."""
    listed: int = 0
    fetched: int = 0
    bytes: int = 0
    refused: int = 0
    """Files with hostile names."""
    completed: list[str] = field(default_factory=list)
    """Sessions that were registered, or auxiliary files that were accepted."""
    problems: list[str] = field(default_factory=list)
    abandoned: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Sessions that were given up, and what each lacks."""
    waiting: tuple[str, ...] = ()
    """Sessions that wait for others."""
    disk_full: bool = False
