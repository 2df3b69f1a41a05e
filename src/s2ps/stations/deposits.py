"""Turns the files of a station and its timeline into deposits: what is put down when."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from s2ps.model.errors import ConfigurationError
from s2ps.stations.content import AlteredContent, Content
from s2ps.stations.files import StationFile
from s2ps.stations.timeline import NOMINAL, RETRANSFER, Area, Disorder, Event, Timeline


@dataclass(frozen=True, slots=True)
class Deposit:
    """From second `at` on, a file is to be seen in an area with `size` bytes; not at all when `content` is None."""

    at: float
    area: Area
    file: StationFile
    content: Content | None
    size: int
    dated: float | None = None
    """Second its date tells; None: `at`."""


def deposits(files: Sequence[StationFile], timeline: Timeline) -> tuple[Deposit, ...]:
    """Return all deposits in the order of time; raises ConfigurationError when an event names no file."""
    told: set[str] = set()
    found: list[Deposit] = []
    for event in timeline.events:
        named = [file for file in files if fnmatchcase(file.name, event.file)]
        if not named:
            raise ConfigurationError(
                f"an event of the timeline names {event.file!r}",
                expected="the name or a pattern of a file of the station",
            )
        told |= {file.name for file in named}
        found += [_of_event(event, file) for file in named]
    left = [file for file in files if file.name not in told]
    for at, file in _steady(left, timeline.seconds or 0.0, timeline.disorder):
        found += _disordered(at, file, timeline)
    return tuple(sorted(found, key=lambda deposit: deposit.at))


def _of_event(event: Event, file: StationFile) -> Deposit:
    content = AlteredContent(file.content, event.variant) if event.variant else file.content
    size = content.size if event.size is None else min(event.size, content.size)
    return Deposit(event.at, event.area, file, None if event.withdrawn else content, size, event.dated)


def _steady(
    files: Sequence[StationFile], seconds: float, disorder: Disorder | None
) -> Iterator[tuple[float, StationFile]]:
    """Yield when each file comes: blocks in (almost) their order, DSIBs and other files at the end."""
    chance = random.Random(disorder.seed if disorder else 0)
    shuffle = disorder.shuffle if disorder else 0
    groups: dict[object, list[StationFile]] = defaultdict(list)
    for file in files:
        if file.part is None or file.part.block is None:
            yield seconds, file
        else:
            groups[file.part.session, file.part.channel].append(file)
    for group in groups.values():
        keys = {file.name: index + chance.uniform(-shuffle, shuffle) for index, file in enumerate(group)}
        for index, file in enumerate(sorted(group, key=lambda item: keys[item.name])):
            yield seconds * (index + 1) / len(group), file


def _disordered(at: float, file: StationFile, timeline: Timeline) -> Iterator[Deposit]:
    whole = Deposit(at, NOMINAL, file, file.content, file.content.size)
    disorder = timeline.disorder
    if disorder is None or file.part is None or file.part.block is None:
        yield whole
        return
    end, size = timeline.seconds or 0.0, file.content.size
    fate = _fate(disorder, file.name)
    if fate == "retransferred":
        yield Deposit(end + disorder.late_by, RETRANSFER, file, file.content, size)
        return
    if fate == "late":
        at = end + disorder.late_by
    if fate == "growing":
        yield Deposit(at, NOMINAL, file, file.content, size // 3)
        yield Deposit(at + disorder.late_by / 3, NOMINAL, file, file.content, 2 * size // 3)
        at += 2 * disorder.late_by / 3
    elif fate == "empty":
        yield Deposit(at, NOMINAL, file, file.content, 0)
        at += disorder.late_by / 2
    elif fate == "replaced":
        yield Deposit(at, NOMINAL, file, AlteredContent(file.content, 1), size)
        at += disorder.late_by
    elif fate == "republished":
        yield Deposit(at, NOMINAL, file, file.content, size)
        at += disorder.late_by
    yield Deposit(at, NOMINAL, file, file.content, size)


def _fate(disorder: Disorder, name: str) -> str:
    """Return what happens to a file; it depends on its name and the seed only."""
    drawn = random.Random(f"{disorder.seed} {name}").random()
    for fate in ("late", "growing", "empty", "republished", "replaced", "retransferred"):
        drawn -= getattr(disorder, fate)
        if drawn < 0:
            return fate
    return "in order"
