"""FORMAT_METADATA_GR_L1A: the L1A granule items with metadata and masks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ipf_adapters.reference.l1a import datastrip, footprints
from ipf_adapters.reference.l1a.granule_geometry import read_geometry
from ipf_adapters.reference.l1a.granule_pdi import finish_granule
from ipf_adapters.reference.l1a.init_loc_l1 import TASK

if TYPE_CHECKING:
    from ipf_adapters.reference.context import JobContext


def run(ctx: JobContext) -> None:
    """Finish every granule of this part."""
    info = datastrip.read_info(ctx)
    folder = ctx.input_dir("PDI_DS_GR_LIST")
    for detector in ctx.detectors:
        for scene in datastrip.scenes_of(ctx, info):
            geometry = read_geometry(folder, detector, scene, TASK)
            item = finish_granule(ctx, "L1A", info, geometry, folder)
            path = ctx.output_dir("VECTOR") / f"D{detector:02d}_G{scene:03d}_footprint.geojson"
            footprints.write_features(path, [(list(geometry.footprint), {"granule": item.name})])
    ctx.log.info(f"granules of {len(ctx.detectors)} detectors written")
