"""FORMAT_METADATA_GR_L0C: consolidated granule items with packets, metadata and manifest, in PDI_DS_GR_LIST."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ipf_adapters.reference.errors import InvalidInput, NoData
from ipf_adapters.reference.l0.consolidated import datastrip_name, granule_name
from ipf_adapters.reference.l0.granule_document import granule_document
from ipf_adapters.reference.l0.granule_list import GranuleGeometry, read_granules
from ipf_adapters.reference.l0.isp_infos import GranuleIsp, read_isp_infos
from ipf_adapters.reference.pdi import new_pdi
from ipf_adapters.science.working import DatastripInfo, packets_path
from s2ps.model.bands import Band

if TYPE_CHECKING:
    from ipf_adapters.reference.context import JobContext


def run(ctx: JobContext) -> None:
    """Write the granules of this part's detectors and scenes."""
    info, packets = read_isp_infos(ctx.input_dir("ISP_INFOS"))
    own = [
        granule
        for (detector, scene), granule in packets.items()
        if detector in ctx.detectors and (ctx.granules is None or scene in ctx.granules)
    ]
    if not own:
        raise NoData(f"{info.datastrip_id}: no granule was received for this part")
    info = replace(info, datastrip_id=str(datastrip_name(info, ctx)))
    clouds = granule_clouds(ctx.input_dir("VECTOR")) if ctx.has_input("VECTOR") else {}
    located = {
        (detector, granule.info.index): granule
        for detector in {granule.detector for granule in own}
        for granule in read_granules(ctx.input_dir("PDI_DS_GR_LIST"), detector).granules
    }
    for granule in own:
        _write(granule, located[granule.detector, granule.scene], info, clouds, ctx)
    ctx.log.info(f"{len(own)} granules of {info.datastrip_id}")


def granule_clouds(folder: Path) -> dict[str, float]:
    """Return the cloud cover in percent by granule ("D01_G002"), as QL_CLOUD_MASK wrote it."""
    path = folder / "cloud_cover.json"
    try:
        return {name: float(value) for name, value in json.loads(path.read_bytes())["granules"].items()}
    except (OSError, ValueError, KeyError) as error:
        raise InvalidInput(f"{path} cannot be read: {error}: run QL_CLOUD_MASK again") from error


def _write(
    granule: GranuleIsp, located: GranuleGeometry, info: DatastripInfo, clouds: dict[str, float], ctx: JobContext
) -> None:
    pdi = new_pdi(ctx.output_dir("PDI_DS_GR_LIST"), granule_name(info, granule.detector, granule.scene, ctx))
    for name, found in granule.bands.items():
        if found.packets:
            source = packets_path(ctx.input_dir("PDI_GR_LIST"), granule.detector, granule.scene, Band[name])
            pdi.take(source, f"IMG_DATA/{pdi.file_name(f'_{name}.bin')}")
    document = granule_document(
        pdi.name,
        info,
        granule.scene,
        located.info.start,
        {Band[name]: found.packets for name, found in granule.bands.items()},
        {Band[name]: found.expected for name, found in granule.bands.items()},
        ctx,
        located.geometry,
        clouds.get(f"D{granule.detector:02d}_G{granule.scene:03d}"),
    )
    pdi.write_metadata(document)
    pdi.finish()
