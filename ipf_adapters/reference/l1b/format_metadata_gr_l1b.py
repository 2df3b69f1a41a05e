"""FORMAT_METADATA_GR_L1B: the L1B granule items with metadata and masks."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ipf_adapters.reference.l1a import datastrip, footprints
from ipf_adapters.reference.l1a.granule_geometry import geometry_path, read_geometry
from ipf_adapters.reference.l1a.granule_pdi import finish_granule
from ipf_adapters.reference.l1a.init_loc_l1 import TASK as FIRST_TASK
from ipf_adapters.reference.l1b.geo1b_finalize import TASK
from s2ps.model.bands import BANDS

if TYPE_CHECKING:
    from pathlib import Path

    from ipf_adapters.reference.context import JobContext
    from ipf_adapters.reference.l1a.granule_geometry import Angles, GranuleGeometry


def run(ctx: JobContext) -> None:
    """Finish every granule of this part, placed by the final model."""
    info = datastrip.read_info(ctx)
    folder = ctx.input_dir("PDI_DS_GR_LIST")
    for detector in ctx.detectors:
        for scene in datastrip.scenes_of(ctx, info):
            geometry = final_geometry(folder, detector, scene)
            item = finish_granule(ctx, "L1B", info, geometry, folder)
            path = ctx.output_dir("VECTOR") / f"D{detector:02d}_G{scene:03d}_footprint.geojson"
            footprints.write_features(path, [(list(geometry.footprint), {"granule": item.name})])
    ctx.log.info(f"granules of {len(ctx.detectors)} detectors written")


def final_geometry(folder: Path, detector: int, scene: int) -> GranuleGeometry:
    """Return the first geometry with outline and viewing directions of the final model."""
    view: dict[str, Angles] = {}
    for band in BANDS:
        if geometry_path(folder, detector, scene, TASK, band.name).is_file():
            view |= read_geometry(folder, detector, scene, TASK, band.name).view
    reference = read_geometry(folder, detector, scene, TASK, datastrip.REFERENCE_BAND.name)
    first = read_geometry(folder, detector, scene, FIRST_TASK)
    return replace(first, footprint=reference.footprint, view=view or first.view)
