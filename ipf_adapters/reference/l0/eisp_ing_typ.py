"""EISP_ING_TYP: from the frames of a downlink to raw datastrips and granules, telemetry and ancillary data.

Input STO_CADU_S (DSIB and DSDB files or their folder). Outputs DS_GR_FOLDER (`DT01/DS/<L0U DS>`,
`DT01/GR/DB1/<L0U GR>`), SAD_FOLDER and HKTM_FOLDER. Memory stays at `spool.MEMORY_LIMIT` for any session.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ipf_adapters.reference.errors import InvalidInput, TruncatedInput
from ipf_adapters.reference.l0.acquisition import Acquisition, acquisitions_of
from ipf_adapters.reference.l0.l0u_items import DatatakeWriter, write_telemetry
from ipf_adapters.reference.l0.session import FETCH, Channel, channels_of
from ipf_adapters.reference.l0.spool import Spool
from ipf_adapters.science.packets import CorruptPacket, Kind, Packet, unpack
from s2ps.formats.cadu import Deframer, read_packets

if TYPE_CHECKING:
    from ipf_adapters.reference.context import JobContext

_TOLD = 5


@dataclass(slots=True)
class Downlink:
    """What was received: image packets in the spool, everything else in memory."""

    spool: Spool
    ancillary: list[tuple[Packet, bytes]] = field(default_factory=list)
    configuration: list[Packet] = field(default_factory=list)
    telemetry: list[tuple[Packet, bytes]] = field(default_factory=list)
    packets: int = 0
    rejected: int = 0

    def take(self, packet: Packet, data: bytes) -> None:
        """File one packet."""
        self.packets += 1
        if packet.image is not None:
            self.spool.add(f"D{packet.image.detector:02d}_{packet.image.band.name}", data)
        elif packet.kind is Kind.CONFIGURATION:
            self.configuration.append(packet)
            self.ancillary.append((packet, data))
        elif packet.kind is Kind.TELEMETRY:
            self.telemetry.append((packet, data))
        elif packet.kind in (Kind.ORBIT_STATE, Kind.ATTITUDE):
            self.ancillary.append((packet, data))


def run(ctx: JobContext) -> None:
    """Ingest one session."""
    channels = channels_of(ctx.input_paths("STO_CADU_S"))
    scratch = ctx.input_paths("WORKING")[0] if ctx.has_input("WORKING") else ctx.output_dir("HKTM_FOLDER") / ".spool"
    with Spool(scratch) as spool:
        downlink = Downlink(spool)
        for channel in channels:
            _receive(channel, downlink, ctx)
        acquisitions = acquisitions_of(downlink.configuration)
        if not acquisitions:
            raise InvalidInput(f"session {channels[0].dsib.session_id} has no configuration packet: {FETCH}")
        numbers = [channel.number for channel in channels]
        _write(downlink, acquisitions, numbers, ctx)
    if scratch.name == ".spool" and scratch.is_dir():
        scratch.rmdir()


def _receive(channel: Channel, downlink: Downlink, ctx: JobContext) -> None:
    deframer = Deframer()
    least = int(ctx.parameter("minimum_packet_length", "0"))
    before = downlink.packets
    for data in read_packets(channel.files, deframer):
        try:
            packet, _ = unpack(data, source=f"channel {channel.number}")
        except CorruptPacket:
            downlink.rejected += 1
            continue
        if len(data) < least:
            downlink.rejected += 1
        else:
            downlink.take(packet, data)
    _judge(deframer, ctx)
    ctx.log.info(
        f"channel {channel.number}: {len(channel.files)} files, {deframer.frames} frames, {deframer.lost_frames} lost, "
        f"{downlink.packets - before} packets"
    )


def _judge(deframer: Deframer, ctx: JobContext) -> None:
    """Stop for data that end too early; tell the first faults that cost only single packets."""
    for error in deframer.errors:
        if error.reason == "cut":
            raise TruncatedInput(f"{error.source} is cut: byte {error.offset}: {error.text}: {FETCH}")
    for error in deframer.errors[:_TOLD]:
        ctx.log.warning(str(error))
    if len(deframer.errors) > _TOLD:
        ctx.log.warning(f"{len(deframer.errors) - _TOLD} more faults of this kind in the frames")


def _write(downlink: Downlink, acquisitions: list[Acquisition], channels: list[int], ctx: JobContext) -> None:
    folder = ctx.output_dir("DS_GR_FOLDER")
    writers = [
        DatatakeWriter(folder / f"DT{number:02d}", acquisition, acquisitions, ctx)
        for number, acquisition in enumerate(acquisitions, start=1)
    ]
    keys = list(downlink.spool.keys())
    for done, key in enumerate(keys, start=1):
        data = downlink.spool.read(key)
        for writer in writers:
            writer.add_images(data, key)
        if done % 26 == 0:
            ctx.log.progress(done, len(keys), "detector bands")
    for writer in writers:
        writer.finish(downlink.ancillary, channels)
    write_telemetry(ctx.output_dir("HKTM_FOLDER"), downlink.telemetry, acquisitions, ctx)
    if downlink.rejected:
        ctx.log.warning(f"{downlink.rejected} packets were rejected: damaged or too short")
