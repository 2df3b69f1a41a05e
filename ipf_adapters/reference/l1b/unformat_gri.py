"""UNFORMAT_GRI: one pass gathers the masks of the reference band, the other unpacks the reference granules."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np

from ipf_adapters.reference.l1a import datastrip
from ipf_adapters.reference.l1b import reference_image
from ipf_adapters.science import working
from s2ps.formats.gri_list import read_gri_list

if TYPE_CHECKING:
    from ipf_adapters.reference.context import JobContext


def run(ctx: JobContext) -> None:
    """Do the passes that the job order asks for."""
    if ctx.flag("MASK_AGGREGATION"):
        _gather_masks(ctx)
    if ctx.flag("GRI_DECOMPRESSION"):
        _unpack(ctx)


def _gather_masks(ctx: JobContext) -> None:
    """Write where the reference band of each detector cannot be compared, and how much that is."""
    target = ctx.output_dir("VECTOR")
    for detector in ctx.detectors:
        quality = working.read_strip(ctx.input_dir("VECTOR"), detector, datastrip.REFERENCE_BAND, "quality")
        useless = (quality & (working.NODATA | working.LOST | working.SATURATED)) != 0
        np.save(target / f"D{detector:02d}_useless.npy", useless)
        told = {"detector": detector, "useless_percent": round(100.0 * float(useless.mean()), 6)}
        (ctx.output_dir("GRI_ORBIT") / f"D{detector:02d}_mask.json").write_text(json.dumps(told) + "\n")
    ctx.log.progress(len(ctx.detectors), len(ctx.detectors), "masks gathered")


def _unpack(ctx: JobContext) -> None:
    granules = read_gri_list(ctx.input_file("GRI_LIST_FILE"))
    chosen = [granule for granule in granules if ctx.granules is None or granule.number in ctx.granules]
    source, target, vectors = ctx.input_dir("GRI_ORBIT"), ctx.output_dir("GRI_ORBIT"), ctx.output_dir("VECTOR")
    for granule in chosen:
        image = reference_image.unpack(source / granule.ident)
        reference_image.write(target, granule.number, image)
        told = {"granule": granule.ident, "known_percent": round(100.0 * float((image.image > 0).mean()), 6)}
        (vectors / f"gri_{granule.number:03d}_known.json").write_text(json.dumps(told) + "\n")
    ctx.log.progress(len(chosen), len(granules), "reference granules unpacked")
