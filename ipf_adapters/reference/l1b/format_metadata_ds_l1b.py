"""FORMAT_METADATA_DS_L1B: the L1B datastrip item and the outline of the datastrip with the final model."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from ipf_adapters.reference.errors import MissingInput
from ipf_adapters.reference.l1a import datastrip, footprints
from ipf_adapters.reference.l1a.datastrip_pdi import write_datastrip_pdi
from s2ps.formats.gri_list import read_gri_list

if TYPE_CHECKING:
    from ipf_adapters.reference.context import JobContext


def run(ctx: JobContext) -> None:
    """Join the outlines of the detectors, write them and the item next to the working description."""
    info = datastrip.read_info(ctx)
    target = ctx.output_dir("PDI_DS")
    datastrip.pass_on(ctx.input_dir("PDI_DS"), target)
    folder = ctx.input_dir("VECTOR")
    paths = sorted(folder.glob(f"D*_{datastrip.REFERENCE_BAND.name}_footprint.geojson"))
    if not paths:
        raise MissingInput(
            f"{folder} holds no outline of band {datastrip.REFERENCE_BAND.name}: run GEO1B_FINALIZE again"
        )
    outline = footprints.union_ring(ring for path in paths for ring, _ in footprints.read_features(path))
    vectors = ctx.output_dir("VECTOR")
    footprints.write_features(vectors / datastrip.FOOTPRINT, [(outline, {"datastrip": info.datastrip_id})])
    footprints.write_gml(vectors / "GlobalFootprint.gml", outline)
    for name in (datastrip.FOOTPRINT, "GlobalFootprint.gml"):
        shutil.copyfile(vectors / name, target / name)
    granules = read_gri_list(ctx.input_file("GRI_LIST_FILE"))
    item = write_datastrip_pdi(ctx, "L1B", target, [granule.ident for granule in granules])
    ctx.log.info(f"{item.name} written")
