"""FORMAT_IMG_L1C: the bands of a tile and their masks as lossless JPEG 2000."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ipf_adapters.reference.context import JobContext
from ipf_adapters.reference.l1c.jpeg2000 import write_jp2
from ipf_adapters.reference.l1c.tile_folder import TileSheet, load_array, selected_tiles
from ipf_adapters.science.working import DEFECTIVE, LOST, NODATA, SATURATED
from s2ps.formats.gipp import Jp2Parameters, read_gipp
from s2ps.model.bands import Band

CLASSIFICATION_BAND = Band.B01
"""The job with this band also writes the classification mask, which belongs to no band."""
QUALITY_PLANES = (None, None, LOST, None, DEFECTIVE, NODATA, None, SATURATED)
"""Planes of MSK_QUALIT: ancillary lost, ancillary degraded, MSI lost, MSI degraded, defective, no data, crosstalk,
saturated; each with the bit of the working masks it comes from."""


def run(ctx: JobContext) -> None:
    """Write `IMG_DATA/*_B02.jp2`, `QI_DATA/MSK_DETFOO_B02.jp2` and `QI_DATA/MSK_QUALIT_B02.jp2` per tile and band."""
    coding = read_gipp(ctx.input_file("GIP_JP2KPA"), Jp2Parameters)
    root = ctx.output_dir("PDI_DS_TILE_LIST")
    for sheet, folder in selected_tiles(ctx):
        target = root / sheet.folder_name
        for done, band in enumerate(ctx.bands, start=1):
            _write_band(sheet, band, folder, target, coding)
            ctx.log.progress(done, len(ctx.bands), f"tile {sheet.name} {band.name}")
        if CLASSIFICATION_BAND in ctx.bands:
            planes = np.asarray(load_array(folder / "classification.npy"), dtype=np.uint8)
            write_jp2(
                target / "QI_DATA" / "MSK_CLASSI_B00.jp2", planes, sheet.epsg, sheet.transform(60), coding, bits=1
            )


def _write_band(sheet: TileSheet, band: Band, folder: Path, target: Path, coding: Jp2Parameters) -> None:
    transform = sheet.transform(band.resolution)
    numbers = np.asarray(load_array(folder / f"{band.name}.npy", mapped=True), dtype=np.uint16)
    detector = np.asarray(load_array(folder / f"{band.name}_detector.npy", mapped=True), dtype=np.uint8)
    quality = np.asarray(load_array(folder / f"{band.name}_quality.npy", mapped=True), dtype=np.uint8)
    image = target / "IMG_DATA" / f"{sheet.image_prefix}_{band.name}.jp2"
    masks = target / "QI_DATA"
    write_jp2(image, numbers, sheet.epsg, transform, coding)
    write_jp2(masks / f"MSK_DETFOO_{band.name}.jp2", detector, sheet.epsg, transform, coding, bits=4)
    write_jp2(masks / f"MSK_QUALIT_{band.name}.jp2", quality_planes(quality), sheet.epsg, transform, coding, bits=1)


def quality_planes(quality: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the 8 planes of MSK_QUALIT, 0 or 1, from the bits of a working mask."""
    planes = np.zeros((len(QUALITY_PLANES), *quality.shape), dtype=np.uint8)
    for plane, bit in zip(planes, QUALITY_PLANES, strict=True):
        if bit is not None:
            plane[:] = (quality & bit) != 0
    return planes
