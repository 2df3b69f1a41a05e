"""QL_CLOUD_MASK: coarse clouds and cloud cover of a datastrip from its quick-looks.

At L0 the quick-looks come as detector strips of QL_GEO, at L1A as the mosaics QL_DECOMP unpacked. Writes
`clouds.geojson` and `cloud_cover.json` to VECTOR, the mosaics with the cloud cover to QUICKLOOK_CM.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from ipf_adapters.reference.errors import MissingInput
from ipf_adapters.reference.l0.clouds import find_clouds, write_clouds
from ipf_adapters.reference.l0.quicklook import mosaics, write_quicklook
from ipf_adapters.science.working import read_datastrip
from s2ps.formats.gipp import AbsoluteCalibration, CoarseCloudThresholds, read_gipp
from s2ps.model.bands import Band

if TYPE_CHECKING:
    from ipf_adapters.reference.context import JobContext


def run(ctx: JobContext) -> None:
    """Find the clouds of one datastrip."""
    info = read_datastrip(ctx.input_dir("PDI_DS"))
    images = mosaics(ctx.input_dir("QUICKLOOK_GEO"))
    if Band.B02 not in images:
        raise MissingInput(f"{ctx.input_dir('QUICKLOOK_GEO')} has no quick-look of B02: run the step before again")
    scene = find_clouds(
        images,
        info,
        read_gipp(ctx.input_file("GIP_R2ABCA"), AbsoluteCalibration),
        read_gipp(ctx.input_file("GIP_CLOINV"), CoarseCloudThresholds),
    )
    write_clouds(ctx.output_dir("VECTOR"), scene, info)
    folder = ctx.output_dir("QUICKLOOK_CM")
    for band, (image, geometry) in images.items():
        write_quicklook(folder, band.name, image, replace(geometry, cloud_cover=scene.cover))
    np.save(folder / "clouds.npy", scene.cloud)
    ctx.log.info(f"{info.datastrip_id}: cloud cover {scene.cover:.2f} %")
