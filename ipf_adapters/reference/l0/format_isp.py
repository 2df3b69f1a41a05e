"""FORMAT_ISP: consolidated packet files per granule, detector and band, with a check of their times and lines.

Writes `D01/G001/B02.isp` to PDI_GR_LIST and `D01_G001-G004_isp_infos.json` to ISP_INFOS.
"""

from __future__ import annotations

from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from ipf_adapters.reference.errors import InvalidInput, TruncatedInput
from ipf_adapters.reference.l0.datastrip_document import read_datastrip_item
from ipf_adapters.reference.l0.granule_document import GranuleItem
from ipf_adapters.reference.l0.isp_infos import BandPackets, GranuleIsp, IspInfos, write_isp_infos
from ipf_adapters.reference.l0.packet_files import GranulePackets, granule_packets
from ipf_adapters.reference.l0.source import raw_datastrip, raw_granules
from ipf_adapters.science.packets import CutPacket, Packet
from ipf_adapters.science.working import DatastripInfo, packets_path
from s2ps.model.bands import BANDS, Band

if TYPE_CHECKING:
    from ipf_adapters.reference.context import JobContext


def run(ctx: JobContext) -> None:
    """Consolidate the packets of this part's detectors and scenes."""
    item, _ = raw_datastrip(ctx, "PDI_DS")
    info, _ = read_datastrip_item(item)
    source = "ISP_LIST" if ctx.has_input("ISP_LIST") else "PDI_DS_GR_LIST"
    target = ctx.output_dir("PDI_GR_LIST")
    for _, items in groupby(raw_granules(ctx, source), key=lambda granule: granule.detector):
        granules = tuple(_format(granule, info, target, ctx) for granule in items)
        write_isp_infos(ctx.output_dir("ISP_INFOS"), IspInfos(datastrip=info, granules=granules))


def _format(granule: GranuleItem, info: DatastripInfo, target: Path, ctx: JobContext) -> GranuleIsp:
    bands: dict[str, BandPackets] = {}
    title = f"granule D{granule.detector:02d} G{granule.scene:03d}"
    for band in BANDS:
        path = granule.packets(band)
        found = GranulePackets() if path is None else _read(path, title, band)
        _check(found, granule, info, band, title)
        bands[band.name] = _described(found, info, band)
        if bands[band.name].packets < bands[band.name].expected:
            lost = bands[band.name].expected - bands[band.name].packets
            ctx.log.warning(f"{title}: band {band.name}: {lost} packets are lost")
        if bands[band.name].time_errors:
            ctx.log.warning(f"{title}: band {band.name}: {bands[band.name].time_errors} packets have a wrong time")
        if found.parts:
            place = packets_path(target, granule.detector, granule.scene, band)
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(found.to_bytes())
    return GranuleIsp(detector=granule.detector, scene=granule.scene, bands=bands)


def _read(path: Path, title: str, band: Band) -> GranulePackets:
    data = path.read_bytes()
    try:
        return granule_packets(data, path.name)
    except CutPacket as error:
        number = len(granule_packets(data[: error.offset], path.name).parts)
        raise TruncatedInput(
            f"{title}: packet {number} of band {band.name} is cut: {error.present} of {error.length} bytes at byte "
            f"{error.offset} of {path.name}: fetch the session again"
        ) from error


def _check(found: GranulePackets, granule: GranuleItem, info: DatastripInfo, band: Band, title: str) -> None:
    """Raise InvalidInput when a packet belongs to another granule or has another width."""
    own = (granule.detector, band, granule.scene, band.raw_width(info.scale))
    for packet in found.packets():
        part = packet.image
        if part is None or (part.detector, part.band, part.granule, part.columns) != own:
            raise InvalidInput(f"{title}: band {band.name}: a packet is of {part}: ingest the session again")


def _described(found: GranulePackets, info: DatastripInfo, band: Band) -> BandPackets:
    packets = found.packets()
    expected = -(-info.lines(band) // band.lines_per_packet)
    if not packets:
        return BandPackets(packets=0, expected=expected, bytes=0)
    return BandPackets(
        packets=len(packets),
        expected=expected,
        bytes=sum(len(part) for _, part in found.parts.values()),
        duplicates=found.duplicates,
        time_errors=_time_errors(packets, info, band),
        start=packets[0].time,
        stop=packets[-1].time,
    )


def _time_errors(packets: list[Packet], info: DatastripInfo, band: Band) -> int:
    """Count packets whose time is off by more than half a line from what the first packet and their line say."""
    period = info.line_period_ms / 1000.0 * band.resolution / 10
    first = packets[0].image
    wrong = 0
    for packet in packets[1:]:
        if first is not None and packet.image is not None:
            expected = packets[0].time + (packet.image.first_line - first.first_line) * period
            wrong += abs(packet.time - expected) > period / 2
    return wrong
