"""FORMAT_IMG_QL_L0: quick-look mosaics as lossless JPEG 2000, `QL_B02.jp2` with `QL_B02_quicklook.json`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import imagecodecs

from ipf_adapters.reference.l0.quicklook import Pixels, read_quicklook
from ipf_adapters.science.records import dump_record
from s2ps.formats.gipp import Jp2Parameters, read_gipp

if TYPE_CHECKING:
    from ipf_adapters.reference.context import JobContext


def run(ctx: JobContext) -> None:
    """Compress the quick-looks of this part's bands."""
    source, target = ctx.input_dir("QUICKLOOK_CM"), ctx.output_dir("QUICKLOOK")
    levels = read_gipp(ctx.input_file("GIP_JP2KPA"), Jp2Parameters).resolutions
    for band in ctx.ql_bands:
        image, geometry = read_quicklook(source, band.name)
        data = imagecodecs.jpeg2k_encode(image, reversible=True, codecformat="jp2", resolutions=_levels(image, levels))
        (target / f"QL_{band.name}.jp2").write_bytes(data)
        (target / f"QL_{band.name}_quicklook.json").write_text(dump_record(geometry) + "\n")
        ctx.log.info(f"band {band.name}: {image.shape[0]} x {image.shape[1]} pixels, {len(data)} bytes")


def _levels(image: Pixels, wanted: int) -> int:
    """Return how many resolutions a small image can have, at most as wanted."""
    halvings: int = min(image.shape).bit_length() - 1
    return max(1, min(wanted, halvings))
