"""GEO1B_FINALIZE: outlines and granule geometry of each detector and band with the final viewing model."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ipf_adapters.reference.l1a import datastrip, footprints
from ipf_adapters.reference.l1a.granule_geometry import read_geometry, write_geometry
from ipf_adapters.reference.l1a.init_loc_l1 import TASK as FIRST_TASK
from ipf_adapters.reference.l1a.init_loc_l1 import mean_view
from s2ps.formats.gipp import DirectLocationParameters, read_gipp

if TYPE_CHECKING:
    from ipf_adapters.reference.context import JobContext

TASK = "GEO1B_FINALIZE"


def run(ctx: JobContext) -> None:
    """Locate the strip and every granule of this part again."""
    info = datastrip.read_info(ctx)
    model, terrain = datastrip.sensor_model(ctx), datastrip.terrain_of(ctx)
    location = read_gipp(ctx.input_file("GIP_PRDLOC"), DirectLocationParameters)
    first, vectors, granules = (
        ctx.input_dir("PDI_DS_GR_LIST"),
        ctx.output_dir("VECTOR"),
        ctx.output_dir("PDI_DS_GR_LIST"),
    )
    every = range(1, info.granules + 1)
    for detector in ctx.detectors:
        for band in ctx.bands:
            outline = footprints.scene_ring(model, info, detector, band, every, terrain, location)
            properties = {"detector": f"{detector:02d}", "band": band.name, "refined": any(model.bias)}
            path = vectors / f"D{detector:02d}_{band.name}_footprint.geojson"
            footprints.write_features(path, [(outline, properties)])
            for scene in every:
                ring = footprints.scene_ring(model, info, detector, band, range(scene, scene + 1), terrain, location)
                view = {band.name: mean_view(model, info, detector, band, scene)}
                before = read_geometry(first, detector, scene, FIRST_TASK)
                after = replace(before, footprint=tuple(ring), view=view)
                write_geometry(granules, TASK, after, band.name)
    ctx.log.info(f"{len(ctx.detectors)} detectors, {len(ctx.bands)} bands located, refined: {any(model.bias)}")
