"""Image packets of one granule, detector and band, in the order of their lines."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from ipf_adapters.science.packets import Packet, iterate


@dataclass(slots=True)
class GranulePackets:
    """Packets by their place in the granule; a second copy of a packet is dropped."""

    parts: dict[int, tuple[Packet, bytes]] = field(default_factory=dict)
    duplicates: int = 0

    def add(self, packet: Packet, data: bytes) -> None:
        """File one image packet."""
        place = packet.image.packet if packet.image is not None else 0
        if place in self.parts:
            self.duplicates += 1
        else:
            self.parts[place] = (packet, data)

    def to_bytes(self) -> bytes:
        """Return all packets in the order of their lines."""
        return b"".join(self.parts[place][1] for place in sorted(self.parts))

    def packets(self) -> list[Packet]:
        """Return the packets in the order of their lines."""
        return [self.parts[place][0] for place in sorted(self.parts)]


def split_packets(data: bytes, source: str) -> Iterable[tuple[Packet, bytes]]:
    """Yield the packets of a packet file with their bytes; raises CutPacket or CorruptPacket naming `source`."""
    view = memoryview(data)
    ends: list[tuple[int, Packet]] = list(iterate(data, source=source))
    for place, (offset, packet) in enumerate(ends):
        after = ends[place + 1][0] if place + 1 < len(ends) else len(data)
        yield packet, bytes(view[offset:after])


def granule_packets(data: bytes, source: str) -> GranulePackets:
    """Read a packet file of one granule, detector and band."""
    found = GranulePackets()
    for packet, part in split_packets(data, source):
        found.add(packet, part)
    return found
