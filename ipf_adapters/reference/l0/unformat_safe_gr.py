"""UNFORMAT_SAFE_GR: consolidated granule items back to working data, `D01/G001/granule.json` and `D01/G001/B02.isp`."""

from __future__ import annotations

import shutil
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from ipf_adapters.reference.errors import NoData
from ipf_adapters.reference.l0.granule_document import GranuleItem, read_granule_item
from ipf_adapters.reference.pdi import pdis_in, read_parameters
from ipf_adapters.science.working import GranuleInfo, packets_path, write_granule
from s2ps.model.bands import BANDS

if TYPE_CHECKING:
    from ipf_adapters.reference.context import JobContext


def run(ctx: JobContext) -> None:
    """Unpack the granules of this part's detectors and scenes."""
    items = [
        read_granule_item(path, name)
        for path, name in pdis_in(ctx.input_dir("PDI_DS_GR_LIST"), "MSI_L0__GR")
        if name.detector in ctx.detectors
    ]
    own = [item for item in items if ctx.granules is None or item.scene in ctx.granules]
    if not own:
        raise NoData(f"{ctx.input_dir('PDI_DS_GR_LIST')}: no granule of this part")
    target = ctx.output_dir("PDI_DS_GR_LIST")
    packets = ctx.output_dir("PDI_GR_LIST") if ctx.has_output("PDI_GR_LIST") else target
    for item in own:
        write_granule(target, granule_info(item))
        _unpack(item, packets)
    ctx.log.info(f"{len(own)} granules")


def granule_info(item: GranuleItem) -> GranuleInfo:
    """Return what the metadata of a granule say."""
    parameters = read_parameters(item.metadata)
    start = item.metadata.time("SENSING_TIME")
    seconds = int(parameters["LINES_PER_GRANULE"]) * float(parameters["LINE_PERIOD_MS"]) / 1000.0
    cloud = item.metadata.first("CLOUDY_PIXEL_PERCENTAGE")
    return GranuleInfo(
        detector=item.detector,
        index=item.scene,
        start=start,
        stop=start + timedelta(seconds=seconds),
        footprint=tuple(item.metadata.footprint()),
        cloud_cover=float(cloud) if cloud else None,
    )


def _unpack(item: GranuleItem, target: Path) -> None:
    for band in BANDS:
        source = item.packets(band)
        if source is not None:
            place = packets_path(target, item.detector, item.scene, band)
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, place)
