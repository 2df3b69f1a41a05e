"""Records of a zip archive whose entries are stored and known beforehand, so that it can be streamed.

`zipfile` either seeks back into the archive or puts sizes and CRC behind the data, and then many readers cannot read
a stored entry from a stream. Source: APPNOTE.TXT 6.3 (local and central headers, ZIP64).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from datetime import UTC, datetime

_LARGE, _MANY = 0xFFFFFFFF, 0xFFFF
_UNIX = 3 << 8
_MODE = 0o100644 << 16
_UTF8 = 0x800
_PLAIN, _ZIP64 = 20, 45


@dataclass(frozen=True, slots=True)
class Record:
    """One stored entry; `offset` is where its local header begins."""

    name: str
    size: int
    crc: int
    offset: int
    moment: datetime

    def local_header(self) -> bytes:
        """Return what stands before the data."""
        extra = _extra(self.size, self.size) if self.size >= _LARGE else b""
        name = self.name.encode()
        fields = struct.pack(
            "<4s5H3L2H", b"PK\x03\x04", _version(extra), *self._common(), len(name), len(extra)
        )  # fmt: skip
        return fields + name + extra

    def central_header(self) -> bytes:
        """Return the entry of the central directory."""
        large = [self.size, self.size] if self.size >= _LARGE else []
        extra = _extra(*large, *([self.offset] if self.offset >= _LARGE else []))
        name = self.name.encode()
        version = _version(extra)
        fields = struct.pack(
            "<4s6H3L5H2L", b"PK\x01\x02", _UNIX | version, version, *self._common(), len(name), len(extra),
            0, 0, 0, _MODE, min(self.offset, _LARGE),
        )  # fmt: skip
        return fields + name + extra

    def _common(self) -> tuple[int, int, int, int, int, int, int]:
        """Return flags, method (stored), time, date, CRC and the two sizes."""
        at = self.moment.astimezone(UTC)
        size = min(self.size, _LARGE)
        time = at.hour << 11 | at.minute << 5 | at.second // 2
        return _UTF8, 0, time, (at.year - 1980) << 9 | at.month << 5 | at.day, self.crc, size, size


def end(count: int, size: int, offset: int) -> bytes:
    """Return the end of an archive whose central directory has `count` entries in `size` bytes at `offset`."""
    large = b""
    if count >= _MANY or size >= _LARGE or offset >= _LARGE:
        large = struct.pack("<4sQ2H2L4Q", b"PK\x06\x06", 44, _ZIP64, _ZIP64, 0, 0, count, count, size, offset)
        large += struct.pack("<4sLQL", b"PK\x06\x07", 0, offset + size, 1)
    small = min(count, _MANY)
    return large + struct.pack(
        "<4s4H2LH", b"PK\x05\x06", 0, 0, small, small, min(size, _LARGE), min(offset, _LARGE), 0
    )  # fmt: skip


def _extra(*values: int) -> bytes:
    return struct.pack(f"<2H{len(values)}Q", 1, 8 * len(values), *values) if values else b""


def _version(extra: bytes) -> int:
    return _ZIP64 if extra else _PLAIN
