"""FORMAT_IMG_PVI_TCI: preview and true-colour image of a tile."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ipf_adapters.reference.context import JobContext
from ipf_adapters.reference.l1c.jpeg2000 import write_jp2
from ipf_adapters.reference.l1c.tile_folder import load_array, selected_tiles
from s2ps.formats.gipp import CoarseResolution, Jp2Parameters, RadiometricParameters, read_gipp
from s2ps.model.bands import Band

COLOURS = (Band.B04, Band.B03, Band.B02)
WHITE = 3558.0
"""Digital number (reflectance * 10000, without offset) shown as 255."""


def run(ctx: JobContext) -> None:
    """Write `QI_DATA/*_PVI.jp2` and `IMG_DATA/*_TCI.jp2`, 8 bit red, green and blue."""
    offset = read_gipp(ctx.input_file("GIP_R2PARA"), RadiometricParameters).add_offset
    coding = read_gipp(ctx.input_file("GIP_JP2KPA"), Jp2Parameters)
    factor = read_gipp(ctx.input_file("GIP_HRTPAR"), CoarseResolution).preview_pixels
    previews, colours = ctx.output_dir("PDI_DS_PVI_LIST"), ctx.output_dir("PDI_DS_TCI_LIST")
    for sheet, folder in selected_tiles(ctx):
        planes = true_colour([_numbers(folder, band) for band in COLOURS], offset)
        target = colours / sheet.folder_name / "IMG_DATA" / f"{sheet.image_prefix}_TCI.jp2"
        write_jp2(target, planes, sheet.epsg, sheet.transform(10), coding)
        preview, metres = _preview(planes, factor)
        target = previews / sheet.folder_name / "QI_DATA" / f"{sheet.image_prefix}_PVI.jp2"
        write_jp2(target, preview, sheet.epsg, (metres, 0.0, sheet.ulx, 0.0, -metres, sheet.uly), coding)
        ctx.log.info(f"tile {sheet.name}: preview of {preview.shape[2]} x {preview.shape[1]} pixels of {metres:g} m")


def _numbers(folder: Path, band: Band) -> NDArray[np.uint16]:
    return np.asarray(load_array(folder / f"{band.name}.npy", mapped=True), dtype=np.uint16)


def true_colour(bands: list[NDArray[np.uint16]], offset: float) -> NDArray[np.uint8]:
    """Return (3, rows, columns) uint8: 1..255 for reflectance up to 0.3558, 0 without data.

    `offset` is the one of the metadata, negative: it is added to a number to get 10000 times the reflectance.
    """
    planes = np.zeros((3, *bands[0].shape), dtype=np.uint8)
    for plane, numbers in zip(planes, bands, strict=True):
        scaled = (numbers.astype(np.float32) + np.float32(offset)) * np.float32(255.0 / WHITE)
        shown = np.clip(scaled + np.float32(0.5), 1.0, 255.0)
        plane[:] = np.where(numbers == 0, 0, shown).astype(np.uint8)
    return planes


def _preview(planes: NDArray[np.uint8], factor: int) -> tuple[NDArray[np.uint8], float]:
    size = planes.shape[1] // factor
    blocks = planes[:, : size * factor, : size * factor].reshape(3, size, factor, size, factor)
    return blocks.mean(axis=(2, 4)).astype(np.uint8), 10.0 * factor
