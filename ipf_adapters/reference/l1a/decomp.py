"""DECOMP: raw images per detector, band and along-track fragment from the packets of the granules."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ipf_adapters.reference.errors import InvalidInput, MissingInput, TruncatedInput
from ipf_adapters.reference.l1a import datastrip
from ipf_adapters.science import codec, packets, working
from s2ps.formats.gipp import DecompressionParameters, read_gipp
from s2ps.model.bands import Band
from s2ps.model.errors import InputError

if TYPE_CHECKING:
    from ipf_adapters.reference.context import JobContext

ALGORITHM = "CCSDS 121.0"


@dataclass(frozen=True, slots=True)
class RawGranule:
    """Lines of one granule and band, and which of them were lost."""

    image: NDArray[np.uint16]
    lost: NDArray[np.bool_]
    """Per line."""
    read: int
    """Packets found."""


def run(ctx: JobContext) -> None:
    """Decompress the granules of this part and write image, mask and statistics of each detector and band."""
    info = datastrip.read_info(ctx)
    scenes = datastrip.scenes_of(ctx, info)
    coding = read_coding(ctx.input_file("GIP_DECOMP"))
    source = ctx.input_dir("PDI_GR_LIST")
    parts = [(detector, band) for detector in ctx.detectors for band in ctx.bands]
    for detector, band in parts:
        granules = [read_granule(source, info, detector, band, scene, coding) for scene in scenes]
        _write(ctx, detector, band, scenes, granules)
    ctx.log.progress(len(parts), len(parts), "images decompressed")


def read_coding(path: Path) -> DecompressionParameters:
    """Read GIP_DECOMP; raises InvalidInput where the instrument coded its lines in a way that is not known."""
    coding = read_gipp(path, DecompressionParameters)
    if coding.algorithm != ALGORITHM:
        raise InvalidInput(
            f"{path}: algorithm {coding.algorithm!r}: DECOMP knows {ALGORITHM!r}: use a processor that decodes it"
        )
    return coding


def read_granule(
    source: Path,
    info: working.DatastripInfo,
    detector: int,
    band: Band,
    scene: int,
    coding: DecompressionParameters,
) -> RawGranule:
    """Decompress one granule and band; lines of missing packets get the missing value and are told as lost.

    Raises TruncatedInput where a packet is cut, InvalidInput where one is damaged or belongs elsewhere.
    """
    path = working.packets_path(source, detector, scene, band)
    where = f"granule D{detector:02d} G{scene:03d}"
    if not path.is_file():
        raise MissingInput(f"{where}: {path} is missing: run UNFORMAT_SAFE_GR of detector {detector} again")
    lines, columns = info.lines(band), band.raw_width(info.scale)
    image: NDArray[np.uint16] | None = None
    lost = np.ones(lines, dtype=bool)
    count = 0
    try:
        for _, packet in packets.iterate(path.read_bytes(), source=where):
            part = _part(packet, where, detector, band, scene, lines)
            if image is None:
                image = np.full((lines, part.columns), coding.missing_value, dtype=np.uint16)
            rows = slice(part.first_line, part.first_line + part.lines)
            image[rows] = codec.decompress(packet.payload, part.lines, part.columns, coding.bits)
            lost[rows] = False
            count += 1
    except packets.CutPacket as error:
        raise TruncatedInput(
            f"{where}: packet {count} of band {band.name} is cut: {error.present} of {error.length} bytes: "
            "fetch the session again"
        ) from error
    except InputError as error:
        raise InvalidInput(f"{where}: packet {count} of band {band.name}: {error}") from error
    if image is None:
        image = np.full((lines, columns), coding.missing_value, dtype=np.uint16)
    return RawGranule(image, lost, count)


def _part(packet: packets.Packet, where: str, detector: int, band: Band, scene: int, lines: int) -> packets.ImagePart:
    part = packet.image
    if part is None or (part.detector, part.band, part.granule) != (detector, band, scene):
        raise InvalidInput(f"{where}: a packet of band {band.name} belongs to {part or packet.kind.name}")
    if part.first_line + part.lines > lines:
        last = part.first_line + part.lines - 1
        raise InvalidInput(f"{where}: packet {part.packet} of band {band.name} ends at line {last} of {lines}")
    return part


def _write(ctx: JobContext, detector: int, band: Band, scenes: range, granules: list[RawGranule]) -> None:
    lost = np.concatenate([granule.lost for granule in granules])
    image = np.concatenate([granule.image for granule in granules])
    path = working.write_piece(ctx.output_dir("PDI_ATF_LIST"), detector, band, scenes, image)
    mask = np.where(lost, working.LOST, 0).astype(np.uint8)
    working.write_piece(ctx.output_dir("VECTOR"), detector, band, scenes, mask, "lost")
    missing = int(lost.sum()) // band.lines_per_packet
    if missing:
        ctx.log.warning(f"D{detector:02d} {band.name}: {missing} packets missing, their lines are marked as lost")
    told = {"packets": sum(granule.read for granule in granules), "missing": missing}
    (ctx.output_dir("PDI_DS_GR_LIST") / f"{path.stem}_decompression.json").write_text(json.dumps(told) + "\n")
