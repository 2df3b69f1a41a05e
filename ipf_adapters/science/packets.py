"""Space packets of the mission (CCSDS 133.0): images, ancillary data, configuration, telemetry and idle ones.

Layout, big endian: 6 bytes of primary header; secondary header of 8 bytes: GPS time as CUC, 4 bytes of seconds and 3 of
2**-24 s, then a zero byte; 16 bytes of fields: detector (1), band index (1), granule from 1 (2), packet in the granule
from 0 (2), first line in the granule (4), lines (2), columns (2), payload length (2); payload; CRC-16 (CCITT, 0xFFFF).
Packets that carry no image have zero fields except the payload length.
"""

from __future__ import annotations

import binascii
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum

from s2ps.model.bands import Band
from s2ps.model.errors import InputError

HEADER_SIZE = 6
OVERHEAD = HEADER_SIZE + 8 + 16 + 2
"""Bytes of a packet beside its payload."""
MAXIMUM_PAYLOAD = 65536 - (OVERHEAD - HEADER_SIZE)
SEQUENCE_MODULUS = 1 << 14

_HEADERS = struct.Struct(">HHHIBBBxBBHHIHHH")
_PRIMARY = struct.Struct(">HHH")
_IMAGE_APIDS = 0x100
_SECONDARY_HEADER_FLAG = 1 << 11
_UNSEGMENTED = 0b11 << 14


class Kind(Enum):
    """What a packet carries; the value is its APID, except that images have one APID per detector and band."""

    ORBIT_STATE = 0x010
    ATTITUDE = 0x011
    CONFIGURATION = 0x020
    TELEMETRY = 0x030
    IMAGE = _IMAGE_APIDS
    IDLE = 0x7FF


class PacketError(InputError):
    """A packet cannot be read; `offset` is its first byte in the data."""

    def __init__(self, message: str, offset: int) -> None:
        self.offset = offset
        super().__init__(message, expected="whole packets with a matching checksum", next_step="fetch the data again")


class CutPacket(PacketError):
    """The data end before the packet does."""

    def __init__(self, offset: int, present: int, length: int, source: str = "packets") -> None:
        self.present, self.length = present, length
        super().__init__(f"{source}: the packet at byte {offset} is cut: {present} of {length} bytes", offset)


class CorruptPacket(PacketError):
    """The packet's checksum or structure is wrong."""


@dataclass(frozen=True, slots=True)
class ImagePart:
    """Which lines of an image a packet carries."""

    detector: int
    band: Band
    granule: int
    """Scene number in the datatake, from 1."""
    packet: int
    """Place of the packet in its granule, from 0."""
    first_line: int
    """Line of the granule, from 0, in pixels of the band."""
    lines: int
    columns: int


@dataclass(frozen=True, slots=True)
class Packet:
    """One space packet; `time` is GPS seconds (resolution 6e-8 s)."""

    kind: Kind
    sequence: int
    """Count 0..16383 within the packet's APID."""
    time: float
    payload: bytes
    image: ImagePart | None = None

    @property
    def apid(self) -> int:
        """Application process identifier."""
        if self.image is None:
            return self.kind.value
        return image_apid(self.image.detector, self.image.band)


@dataclass(slots=True)
class SequenceCounter:
    """Count packets per APID, as the instrument does."""

    _next: dict[int, int] = field(default_factory=dict)

    def take(self, apid: int) -> int:
        """Return the count of the next packet of an APID."""
        count = self._next.get(apid, 0)
        self._next[apid] = (count + 1) % SEQUENCE_MODULUS
        return count


def image_apid(detector: int, band: Band) -> int:
    """Return the APID of the image packets of a detector and band."""
    return _IMAGE_APIDS + detector * 16 + band.index


def kind_of(apid: int) -> Kind | None:
    """Return what packets of an APID carry, None for an unknown APID."""
    if _IMAGE_APIDS + 16 <= apid <= _IMAGE_APIDS + 12 * 16 + 12 and apid % 16 < len(Band):
        return Kind.IMAGE
    return next((kind for kind in Kind if kind.value == apid and kind is not Kind.IMAGE), None)


def pack(packet: Packet) -> bytes:
    """Write one packet with its checksum; raises InputError when the payload is too long."""
    if len(packet.payload) > MAXIMUM_PAYLOAD:
        raise InputError(
            f"packet payload of {len(packet.payload)} bytes", expected=f"at most {MAXIMUM_PAYLOAD}: fewer lines"
        )
    part = packet.image
    fields = (0,) * 7
    if part is not None:
        place = (part.detector, part.band.index, part.granule, part.packet)
        fields = (*place, part.first_line, part.lines, part.columns)
    length = OVERHEAD + len(packet.payload)
    ticks = round(packet.time * (1 << 24))
    fine = ticks & 0xFFFFFF
    head = _HEADERS.pack(
        _SECONDARY_HEADER_FLAG | packet.apid,
        _UNSEGMENTED | packet.sequence,
        length - HEADER_SIZE - 1,
        ticks >> 24,
        fine >> 16,
        fine >> 8 & 0xFF,
        fine & 0xFF,
        *fields,
        len(packet.payload),
    )
    body = head + packet.payload
    return body + binascii.crc_hqx(body, 0xFFFF).to_bytes(2, "big")


def unpack(data: bytes | memoryview, offset: int = 0, *, source: str = "packets") -> tuple[Packet, int]:
    """Read the packet at an offset and return it with the offset after it; raises CutPacket or CorruptPacket."""
    view = memoryview(data)
    length = _length_at(view, offset, source)
    body = view[offset : offset + length]
    if binascii.crc_hqx(body[:-2], 0xFFFF) != int.from_bytes(body[-2:], "big"):
        raise CorruptPacket(f"{source}: the packet at byte {offset} has a wrong checksum ({length} bytes)", offset)
    word, count, _, seconds, high, middle, low, *fields, size = _HEADERS.unpack_from(body)
    kind = kind_of(word & 0x7FF)
    if kind is None or size != length - OVERHEAD:
        raise CorruptPacket(
            f"{source}: the packet at byte {offset} has APID {word & 0x7FF:#x} and {size} payload bytes in {length}",
            offset,
        )
    time = seconds + (high << 16 | middle << 8 | low) / (1 << 24)
    part = None
    if kind is Kind.IMAGE:
        detector, band, *rest = fields
        part = ImagePart(detector, Band(band), *rest)
    return Packet(kind, count & 0x3FFF, time, bytes(body[OVERHEAD - 2 : -2]), part), offset + length


def iterate(data: bytes | memoryview, *, source: str = "packets", idle: bool = False) -> Iterator[tuple[int, Packet]]:
    """Yield (offset, packet) over whole data, idle packets only on request; raises CutPacket or CorruptPacket."""
    view, offset = memoryview(data), 0
    while offset < len(view):
        packet, after = unpack(view, offset, source=source)
        if idle or packet.kind is not Kind.IDLE:
            yield offset, packet
        offset = after


def _length_at(view: memoryview, offset: int, source: str) -> int:
    present = len(view) - offset
    if present < HEADER_SIZE:
        raise CutPacket(offset, present, HEADER_SIZE, source)
    word, _, size = _PRIMARY.unpack_from(view, offset)
    length: int = HEADER_SIZE + size + 1
    if word >> 13 != 0 or length < OVERHEAD:
        raise CorruptPacket(f"{source}: no packet begins at byte {offset} (first word {word:#06x})", offset)
    if present < length:
        raise CutPacket(offset, present, length, source)
    return length
