"""Channel access data units of the X-band downlink: put source packets into frames and get them back.

One CADU is 1024 bytes: sync marker 1ACFFC1D, then an AOS transfer frame (CCSDS 732.0) of 1020: 6 bytes of header,
2 of M_PDU header (pointer to the first packet that begins in the frame), 1010 of packets, CRC-16 (CCITT, 0xFFFF).
"""

from __future__ import annotations

import binascii
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

SYNC = bytes.fromhex("1ACFFC1D")
CADU_SIZE = 1024
DATA_SIZE = 1010
NO_PACKET_BEGINS = 0x7FF
IDLE_VIRTUAL_CHANNEL = 63
_DATA_START = 12
_CRC_START = CADU_SIZE - 2
_COUNT_MODULUS = 1 << 24
_PACKET_HEADER = 6
_IDLE_APID = 0x7FF
_READ_SIZE = 1024 * CADU_SIZE


@dataclass(frozen=True, slots=True)
class FrameError:
    """One fault of a downlink."""

    source: str
    """File in which it was seen."""
    offset: int
    """Byte in that file."""
    reason: str
    """sync | crc | gap | cut | packet."""
    text: str

    def __str__(self) -> str:
        return f"{self.source}: byte {self.offset}: {self.text}"


class Framer:
    """Fill the frames of one virtual channel with packets."""

    def __init__(self, spacecraft: int, virtual_channel: int) -> None:
        self._identity = (1 << 14 | (spacecraft & 0xFF) << 6 | virtual_channel & 0x3F).to_bytes(2, "big")
        self._count = 0
        self._buffer = bytearray()
        self._starts: list[int] = []

    @property
    def open_bytes(self) -> int:
        """Bytes that still wait for a frame to fill."""
        return len(self._buffer)

    def add(self, packet: bytes) -> bytes:
        """Append a packet and return the CADUs that became full (possibly none)."""
        self._starts.append(len(self._buffer))
        self._buffer += packet
        frames = []
        while len(self._buffer) >= DATA_SIZE:
            pointer = self._starts[0] if self._starts and self._starts[0] < DATA_SIZE else NO_PACKET_BEGINS
            frames.append(self._frame(bytes(self._buffer[:DATA_SIZE]), pointer))
            del self._buffer[:DATA_SIZE]
            self._starts = [start - DATA_SIZE for start in self._starts if start >= DATA_SIZE]
        return b"".join(frames)

    def _frame(self, data: bytes, pointer: int) -> bytes:
        header = self._identity + self._count.to_bytes(3, "big") + b"\0" + pointer.to_bytes(2, "big")
        self._count = (self._count + 1) % _COUNT_MODULUS
        body = header + data
        return SYNC + body + binascii.crc_hqx(body, 0xFFFF).to_bytes(2, "big")


@dataclass(slots=True)
class _Channel:
    """Reassembly of one virtual channel."""

    count: int | None = None
    buffer: bytearray = field(default_factory=bytearray)
    aligned: bool = False


class Deframer:
    """Find frames in a byte stream and return the packets they carry; faults are collected in `errors`."""

    def __init__(self) -> None:
        self.errors: list[FrameError] = []
        self.frames = 0
        self.lost_frames = 0
        self._rest = b""
        self._channels: dict[int, _Channel] = {}

    def feed(self, data: bytes, source: str, offset: int = 0) -> list[bytes]:
        """Return the packets (idle ones left out) completed by more bytes, which begin at `offset` of `source`."""
        base = offset - len(self._rest)
        stream = self._rest + data
        packets: list[bytes] = []
        place = 0
        while place + CADU_SIZE <= len(stream):
            if stream[place : place + 4] != SYNC:
                place = self._search(stream, place, source, base)
                continue
            body = stream[place + 4 : place + _CRC_START]
            if binascii.crc_hqx(body, 0xFFFF) == int.from_bytes(stream[place + _CRC_START : place + CADU_SIZE], "big"):
                self._take(body, packets, source, base + place)
                place += CADU_SIZE
            else:
                self._fault(source, base + place, "crc", "a frame has a wrong checksum and is dropped")
                cut_short = stream.find(SYNC, place + 4, place + CADU_SIZE)
                place = cut_short if cut_short > 0 else place + CADU_SIZE
        self._rest = stream[place:]
        return packets

    def finish(self, source: str, offset: int = 0) -> None:
        """Record what is left over at the end of the stream."""
        if self._rest:
            text = f"the last frame is cut: {len(self._rest)} of {CADU_SIZE} bytes"
            self._fault(source, offset - len(self._rest), "cut", text)
        for number, channel in sorted(self._channels.items()):
            if channel.buffer and not _is_idle(channel.buffer):
                text = f"virtual channel {number}: the last packet is cut after {len(channel.buffer)} bytes"
                self._fault(source, offset, "packet", text)
        self._rest = b""

    def _search(self, stream: bytes, place: int, source: str, base: int) -> int:
        found = stream.find(SYNC, place)
        after = found if found >= 0 else max(place + 1, len(stream) - len(SYNC) + 1)
        self._fault(source, base + place, "sync", f"no sync marker in {after - place} bytes, which are skipped")
        return after

    def _take(self, body: bytes, packets: list[bytes], source: str, offset: int) -> None:
        self.frames += 1
        number = body[1] & 0x3F
        if number == IDLE_VIRTUAL_CHANNEL:
            return
        channel = self._channels.setdefault(number, _Channel())
        count = int.from_bytes(body[2:5], "big")
        expected = count if channel.count is None else (channel.count + 1) % _COUNT_MODULUS
        if count != expected:
            lost = (count - expected) % _COUNT_MODULUS
            self.lost_frames += lost
            self._fault(source, offset, "gap", f"virtual channel {number}: {lost} frames are missing before this one")
            channel.aligned, channel.buffer = False, bytearray()
        channel.count = count
        pointer = int.from_bytes(body[6:8], "big") & 0x7FF
        data = body[8:]
        if not channel.aligned:
            if pointer >= DATA_SIZE:
                return
            data, channel.aligned = data[pointer:], True
        channel.buffer += data
        self._cut_packets(channel, packets)

    @staticmethod
    def _cut_packets(channel: _Channel, packets: list[bytes]) -> None:
        buffer, place = channel.buffer, 0
        while len(buffer) - place >= _PACKET_HEADER:
            size = int.from_bytes(buffer[place + 4 : place + 6], "big") + _PACKET_HEADER + 1
            if len(buffer) - place < size:
                break
            packet = bytes(buffer[place : place + size])
            if not _is_idle(packet):
                packets.append(packet)
            place += size
        del buffer[:place]

    def _fault(self, source: str, offset: int, reason: str, text: str) -> None:
        self.errors.append(FrameError(source, max(offset, 0), reason, text))


def _is_idle(packet: bytes | bytearray) -> bool:
    return len(packet) >= 2 and int.from_bytes(packet[:2], "big") & 0x7FF == _IDLE_APID


def read_packets(paths: Sequence[Path], deframer: Deframer) -> Iterator[bytes]:
    """Yield the source packets of the DSDB files of one channel, in order; memory stays at a few MB."""
    name, size = "", 0
    for path in paths:
        name, size = path.name, 0
        with path.open("rb") as file:
            while data := file.read(_READ_SIZE):
                yield from deframer.feed(data, name, size)
                size += len(data)
    deframer.finish(name, size)
