"""FORMAT_IMG_L1B: JPEG 2000 images of the L1B granules (equalised counts)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ipf_adapters.reference.l1a import datastrip
from ipf_adapters.reference.l1a.granule_geometry import read_geometry
from ipf_adapters.reference.l1a.granule_pdi import write_image
from ipf_adapters.reference.l1a.init_loc_l1 import TASK
from ipf_adapters.science import working

if TYPE_CHECKING:
    from ipf_adapters.reference.context import JobContext


def run(ctx: JobContext) -> None:
    """Write the equalised counts of every granule of this part, rounded to whole numbers."""
    info = datastrip.read_info(ctx)
    source, target = ctx.input_dir("PDI_ATF_LIST"), ctx.output_dir("PDI_GR_LIST")
    for done, detector in enumerate(ctx.detectors, start=1):
        for scene in datastrip.scenes_of(ctx, info):
            geometry = read_geometry(ctx.input_dir("PDI_DS_GR_LIST"), detector, scene, TASK)
            name = datastrip.granule_name(info, "L1B", ctx, detector, geometry.start)
            for band in ctx.bands:
                one = range(scene, scene + 1)
                counts = working.read_scenes(source, detector, band, one, info.lines(band))
                write_image(target, name, band, np.clip(np.rint(counts), 0, 65535).astype(np.uint16))
        ctx.log.progress(done, len(ctx.detectors), "detectors compressed")
