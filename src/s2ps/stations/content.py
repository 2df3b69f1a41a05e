"""What a published file holds: a file of this machine, given bytes, or bytes made from a seed without a disk."""

from __future__ import annotations

import random
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Protocol

UNIT = 1 << 20
"""Bytes of one unit of generated content; each unit begins with its number and the seed, eight bytes each."""


class Content(Protocol):
    """Bytes that can be read anywhere."""

    @property
    def size(self) -> int:
        """Return the number of bytes."""
        ...

    def read(self, offset: int, length: int) -> bytes:
        """Return `length` bytes from `offset`, fewer at the end."""
        ...


@dataclass(frozen=True, slots=True)
class DiskContent:
    """The bytes of a file, read when they are asked for."""

    path: Path
    size: int

    def read(self, offset: int, length: int) -> bytes:
        """Return `length` bytes from `offset`, fewer at the end."""
        with self.path.open("rb") as file:
            file.seek(offset)
            return file.read(max(0, min(length, self.size - offset)))


@dataclass(frozen=True, slots=True)
class BytesContent:
    """Bytes in memory."""

    data: bytes

    @property
    def size(self) -> int:
        """Return the number of bytes."""
        return len(self.data)

    def read(self, offset: int, length: int) -> bytes:
        """Return `length` bytes from `offset`, fewer at the end."""
        return self.data[offset : offset + length]


@lru_cache(maxsize=8)
def _noise(seed: int) -> bytes:
    return random.Random(seed).randbytes(UNIT)


@dataclass(frozen=True, slots=True)
class VirtualContent:
    """Bytes made from a seed: the same noise in every unit of 1 MiB, behind the number of the unit and the seed.

    So a range that was put in the wrong place, or left out, can be told from the bytes alone.
    """

    seed: int
    size: int

    def read(self, offset: int, length: int) -> bytes:
        """Return `length` bytes from `offset`, fewer at the end."""
        end = min(self.size, offset + length)
        if end <= offset:
            return b""
        first, last = offset // UNIT, (end - 1) // UNIT
        noise = _noise(self.seed % 16)[16:]
        mark = (self.seed % (1 << 64)).to_bytes(8, "big")
        units = b"".join(part for n in range(first, last + 1) for part in (n.to_bytes(8, "big"), mark, noise))
        return units[offset - first * UNIT : end - first * UNIT]


@dataclass(frozen=True, slots=True)
class AlteredContent:
    """The bytes of another content with the first one of every unit changed: the same size, another checksum."""

    of: Content
    variant: int

    @property
    def size(self) -> int:
        """Return the number of bytes."""
        return self.of.size

    def read(self, offset: int, length: int) -> bytes:
        """Return `length` bytes from `offset`, fewer at the end."""
        data = bytearray(self.of.read(offset, length))
        for place in range(-offset % UNIT, len(data), UNIT):
            data[place] ^= self.variant % 255 + 1
        return bytes(data)
