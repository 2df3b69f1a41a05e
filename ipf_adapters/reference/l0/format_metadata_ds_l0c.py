"""FORMAT_METADATA_DS_L0C: the consolidated datastrip item with ancillary data, quick-looks and the files used."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ipf_adapters.reference.errors import MissingInput
from ipf_adapters.reference.l0.consolidated import datastrip_name, granule_name
from ipf_adapters.reference.l0.datastrip_document import (
    add_ancillary,
    add_auxiliary,
    add_ground_footprint,
    add_quality,
    start_document,
)
from ipf_adapters.reference.l0.isp_infos import GranuleIsp, read_isp_infos
from ipf_adapters.reference.l0.quicklook import QuicklookGeometry, outline, read_geometry
from ipf_adapters.reference.l0.source import sad_file
from ipf_adapters.reference.pdi import Pdi, new_pdi
from ipf_adapters.science.working import DatastripInfo, read_ancillary, read_datastrip

if TYPE_CHECKING:
    from ipf_adapters.reference.context import JobContext


def run(ctx: JobContext) -> None:
    """Write one datastrip to PDI_DS."""
    working = ctx.input_dir("PDI_DS")
    _, packets = read_isp_infos(ctx.input_dir("ISP_INFOS"))
    raw = read_datastrip(working)
    name = datastrip_name(raw, ctx)
    info = replace(raw, datastrip_id=str(name))
    pdi = new_pdi(ctx.output_dir("PDI_DS"), name)
    sad = sad_file(ctx.input_dir("PDI_SAD"))
    pdi.take(sad, f"ANC_DATA/{sad.name}")
    quicklook = _take_quicklooks(pdi, ctx.input_dir("QUICKLOOK"))
    ancillary = read_ancillary(working)
    document = start_document(name, info, ancillary, _listed(info, packets, ctx), ctx)
    add_ancillary(document, ancillary)
    add_ground_footprint(document, outline(quicklook.strips))
    add_quality(document, quicklook.cloud_cover, _degraded(packets))
    iers = ctx.input_file("IERS").name if ctx.has_input("IERS") else None
    add_auxiliary(document, _parameter_files(ctx), iers)
    pdi.write_metadata(document)
    pdi.finish()
    ctx.log.info(f"{name}: {len(packets)} granules")


def _take_quicklooks(pdi: Pdi, folder: Path) -> QuicklookGeometry:
    """Copy the quick-looks into QI_DATA and return what the first of them tells of its place and clouds."""
    found = sorted(folder.glob("QL_*.jp2"))
    if not found:
        raise MissingInput(f"{folder} has no quick-look: run FORMAT_IMG_QL_L0 again")
    for path in found:
        band = path.stem.removeprefix("QL_")
        geometry = folder / f"{path.stem}_quicklook.json"
        pdi.take(path, f"QI_DATA/{pdi.file_name(f'_{band}.jp2')}")
        pdi.take(geometry, f"QI_DATA/{pdi.file_name(f'_{band}_quicklook.json')}")
    return read_geometry(found[0].with_name(f"{found[0].stem}_quicklook.json"))


def _listed(
    info: DatastripInfo, packets: dict[tuple[int, int], GranuleIsp], ctx: JobContext
) -> dict[int, list[tuple[str, int]]]:
    listed: dict[int, list[tuple[str, int]]] = {}
    for detector, scene in packets:
        position = (scene - 1) * info.lines_per_granule + 1
        listed.setdefault(detector, []).append((str(granule_name(info, detector, scene, ctx)), position))
    return listed


def _degraded(packets: dict[tuple[int, int], GranuleIsp]) -> float:
    bands = [found for granule in packets.values() for found in granule.bands.values()]
    expected = sum(found.expected for found in bands)
    return 100.0 * (1.0 - sum(found.packets for found in bands) / max(1, expected))


def _parameter_files(ctx: JobContext) -> list[Path]:
    types = sorted({item.type for item in ctx.order.inputs if item.type.startswith("GIP_")})
    return [path for file_type in types for path in ctx.input_files(file_type)]
