"""What a station does wrong on demand, the same way behind every protocol."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from s2ps.model.errors import ConfigurationError
from s2ps.stations.content import Content

Kind = Literal["listing", "download"]
PIECE = 1 << 20


class Misbehaviour(BaseModel):
    """What goes wrong; the defaults are a station without fault."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    status_every: int = Field(default=0, ge=0)
    """Every n-th request gets the status `status`; 1 is every one."""
    status: int = Field(default=503, ge=400, le=599)
    status_on: Literal["all", "listing", "download"] = "all"
    retry_after: int | None = Field(default=None, ge=0)
    """Seconds told with that status."""
    delay: float = Field(default=0.0, ge=0)
    """Seconds before any answer."""
    cut_after: int = Field(default=0, ge=0)
    """Bytes after which the connection of a download is cut."""
    cut_every: int = Field(default=1, ge=1)
    """Only every n-th download is cut."""
    rate: int = Field(default=0, ge=0)
    """Bytes per second of each download."""
    corrupt_every: int = Field(default=0, ge=0)
    """The first byte of every n-th download is wrong."""
    wrong_length: int = 0
    """Bytes that listings tell too many (or too few)."""
    wrong_checksum: bool = False
    duplicates: bool = False
    """AUXIP lists every product twice in a row, and once more under another Id."""
    wrong_totals: int = 0
    """Chunks that QualityInfo tells too many (or too few)."""
    no_ranges: bool = False
    """Range requests are answered with the whole file."""
    no_mlsd: bool = False
    """The FTP server does not know MLSD."""
    no_mdtm: bool = False
    """The FTP server does not know MDTM."""
    refuse_infinity: bool = False
    """PROPFIND with Depth infinity is refused."""
    clock_offset: float = 0.0
    """Seconds by which the station's clock, and so every date it tells, is wrong."""
    revoke_every: int = Field(default=0, ge=0)
    """Every n-th request with a token is told that the token has expired, whatever its age."""
    hostile_names: bool = False
    """Files with hostile names are published too."""

    @classmethod
    def parse(cls, texts: list[str]) -> Misbehaviour:
        """Read `NAME=VALUE` texts; raises ConfigurationError naming the one that does not fit."""
        values = {}
        for text in texts:
            name, equals, value = text.partition("=")
            values[name.strip().replace("-", "_")] = value.strip() if equals else "true"
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            wrong = "; ".join(f"{item['loc'][0]}={item['input']!r}: {item['msg']}" for item in error.errors())
            raise ConfigurationError(
                f"misbehaviour {wrong}", expected=f"NAME=VALUE with one of {', '.join(cls.model_fields)}"
            ) from error


class ConnectionCut(ConnectionError):
    """The connection is to be cut here."""


@dataclass(slots=True)
class Reader:
    """A published file as a readable object, with what shall go wrong with this download."""

    content: Content
    size: int
    cut_after: int = 0
    corrupt: bool = False
    rate: int = 0
    sleeps: bool = True
    position: int = 0
    sent: int = 0
    began: float = 0.0

    def seek(self, offset: int) -> int:
        """Go to a byte."""
        self.position = offset
        return offset

    def tell(self) -> int:
        """Return where reading goes on."""
        return self.position

    def close(self) -> None:
        """Do nothing; files are opened as they are read."""

    def read(self, length: int = -1) -> bytes:
        """Return the next bytes; raise ConnectionCut where the connection shall end."""
        left = self.size - self.position
        length = left if length < 0 else min(length, left)
        if self.rate:
            length = min(length, max(1, self.rate // 4))
        if self.cut_after:
            length = min(length, self.cut_after - self.sent)
            if length <= 0 < left:
                raise ConnectionCut(f"cut after {self.sent} bytes")
        data = self.content.read(self.position, length)
        if self.corrupt and self.sent == 0 and data:
            data = bytes([data[0] ^ 0xFF]) + data[1:]
        self.position += len(data)
        self.sent += len(data)
        self._brake()
        return data

    def _brake(self) -> None:
        if not (self.rate and self.sleeps):
            return
        self.began = self.began or time.monotonic() - min(self.sent, self.rate // 4) / self.rate
        time.sleep(max(0.0, self.began + self.sent / self.rate - time.monotonic()))


class Faults:
    """Counts requests and decides which of them go wrong; `behaviour` may be changed at any time. Safe in threads."""

    def __init__(self, behaviour: Misbehaviour) -> None:
        self.behaviour = behaviour
        self.log: list[tuple[str, str]] = []
        """Method (or command) and path of every request, in order."""
        self._lock = threading.Lock()
        self._counts = {"requests": 0, "downloads": 0, "tokens": 0}

    def _nth(self, what: str, every: int) -> bool:
        with self._lock:
            self._counts[what] += 1
            return bool(every) and self._counts[what] % every == 0

    def note(self, method: str, path: str) -> None:
        """Write a request down."""
        with self._lock:
            self.log.append((method, path))

    def refusal(self, kind: Kind) -> int | None:
        """Return the status a request is refused with, None when it is answered."""
        behaviour = self.behaviour
        if behaviour.status_on not in ("all", kind):
            return None
        return behaviour.status if self._nth("requests", behaviour.status_every) else None

    def revoked(self) -> bool:
        """Return True when the token of a request shall be told to have expired."""
        return self._nth("tokens", self.behaviour.revoke_every)

    def reader(self, content: Content, size: int, *, sleeps: bool = True) -> Reader:
        """Return the next download of a file; `sleeps`: reading itself keeps to the rate."""
        behaviour = self.behaviour
        with self._lock:
            self._counts["downloads"] += 1
            number = self._counts["downloads"]
        cut = behaviour.cut_after if number % behaviour.cut_every == 0 else 0
        corrupt = bool(behaviour.corrupt_every) and number % behaviour.corrupt_every == 0
        return Reader(content, size, cut, corrupt, behaviour.rate, sleeps)

    def date(self, date: datetime) -> datetime:
        """Return a date as the station's clock has it."""
        return date + timedelta(seconds=self.behaviour.clock_offset)

    def told_size(self, size: int) -> int:
        """Return the size listings tell."""
        return max(0, size + self.behaviour.wrong_length)
