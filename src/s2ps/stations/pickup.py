"""The pick-up point of a station: what is published at this moment."""

from __future__ import annotations

import threading
import time
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid5

from s2ps.stations.content import BytesContent, Content
from s2ps.stations.deposits import deposits
from s2ps.stations.files import SessionPart, StationFile
from s2ps.stations.timeline import NOMINAL, Area, Timeline

Source = Callable[[], tuple[StationFile, ...]]
_IDS = UUID("6f2d1c9e-5d0b-4a57-9d36-0d5b3f0f2a10")
HOSTILE_NAMES = (
    "../../../../../../var/s2ps_escaped.raw",
    "..\\..\\s2ps_escaped.raw",
    "%2e%2e%2f%2e%2e%2fs2ps_escaped.raw",
    "/var/s2ps_escaped.raw",
    "-rf.raw",
    "DCS_05_\u202ewar.gpj.raw",
    "DCS_05_line\nbreak.raw",
    "DCS_05_quote'\"<&>;$(id).raw",
    "DCS_05_" + "x" * 300 + ".raw",
)
"""Names of files a station with hostile names publishes beside the others."""


@dataclass(frozen=True, slots=True)
class Published:
    """A file as it is to be seen now; `size` may be less than that of the content while it grows."""

    name: str
    area: Area
    content: Content
    size: int
    published: datetime
    part: SessionPart | None

    @property
    def id(self) -> UUID:
        """Return the identifier: of area and name, the same after it was published again."""
        return uuid5(_IDS, f"{self.area}/{self.name}")


class PickupPoint:
    """What a station publishes; time goes by itself or by `advance`, as the timeline says. Safe in threads."""

    def __init__(
        self, files: Sequence[StationFile], timeline: Timeline, *, hostile: bool = False, live: Source | None = None
    ) -> None:
        """`hostile` adds files with hostile names, in the session of the first file; `live` tells of later files."""
        self.timeline = timeline
        self._hostile, self._live, self._asked = hostile, live, time.monotonic()
        self._take(tuple(files))
        self._began = time.monotonic()
        self._opened = datetime.now(UTC)
        self._moved = 0.0
        self._lock = threading.Lock()
        self._seen: tuple[int, tuple[Published, ...]] = (-1, ())

    def _take(self, files: tuple[StationFile, ...]) -> None:
        parts = [file.part for file in files if file.part is not None]
        evil = [StationFile(n, BytesContent(b"hostile"), datetime.now(UTC), *parts[:1]) for n in HOSTILE_NAMES]
        self.files = files
        self._deposits = deposits([*files, *(evil if self._hostile else [])], self.timeline)
        self._times = [deposit.at for deposit in self._deposits]

    def _look(self) -> None:
        """Take in what has come to the content since a second ago, when it is live."""
        if self._live is None or time.monotonic() < self._asked + 1:
            return
        found, self._asked = self._live(), time.monotonic()
        if found != self.files:
            self._take(found)
            self._seen = (-1, ())

    @property
    def elapsed(self) -> float:
        """Return the seconds of the timeline that have passed."""
        own = 0.0 if self.timeline.manual else (time.monotonic() - self._began) * self.timeline.speed
        return own + self._moved

    def advance(self, seconds: float) -> None:
        """Let seconds of the timeline pass at once."""
        self._moved += seconds

    @property
    def over(self) -> bool:
        """Return True when nothing more will happen."""
        return not self._times or self.elapsed >= self._times[-1]

    def published(self) -> tuple[Published, ...]:
        """Return what is to be seen now; the very same tuple as long as nothing has happened."""
        with self._lock:
            self._look()
            due = bisect_right(self._times, self.elapsed)
            if self._seen[0] != due:
                self._seen = (due, self._listing(due))
            return self._seen[1]

    def whole(self, session: str, channel: int) -> bool:
        """Return True when all that will happen to a channel of a session has happened."""
        now = self.elapsed
        return all(
            deposit.at <= now
            for deposit in self._deposits
            if deposit.file.part and (deposit.file.part.session, deposit.file.part.channel) == (session, channel)
        )

    def _listing(self, due: int) -> tuple[Published, ...]:
        seen: dict[tuple[Area, str], Published] = {}
        for deposit in self._deposits[:due]:
            file, key = deposit.file, (deposit.area, deposit.file.name)
            seen.pop(key, None)
            if deposit.content is not None:
                published = self._date(deposit.at if deposit.dated is None else deposit.dated, file)
                seen[key] = Published(file.name, deposit.area, deposit.content, deposit.size, published, file.part)
        return tuple(seen.values())

    def _date(self, at: float, file: StationFile) -> datetime:
        timeline = self.timeline
        if timeline.start is not None:
            return timeline.start + timedelta(seconds=at)
        if at == 0 and not timeline.seconds and not timeline.events:
            return file.dated
        return self._opened + timedelta(seconds=at if timeline.manual else at / timeline.speed)

    def area(self, area: Area = NOMINAL) -> tuple[Published, ...]:
        """Return what is to be seen in one area."""
        return tuple(entry for entry in self.published() if entry.area == area)
