"""MASK_S2: opaque clouds, cirrus and snow of a tile at 60 m."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ipf_adapters.reference.context import JobContext
from ipf_adapters.reference.l1c.tile_finalize import TILE_INFO
from ipf_adapters.reference.l1c.tile_folder import load_array, pass_on, selected_tiles
from ipf_adapters.science.snow import is_snow
from s2ps.formats.gipp import CloudParameters, MaskParameters, RadiometricParameters, read_gipp
from s2ps.model.bands import Band

FloatArray = NDArray[np.float32]
COMPARED = (Band.B02, Band.B03, Band.B10, Band.B11)


def run(ctx: JobContext) -> None:
    """Write `T32TPQ/classification.npy` (opaque, cirrus, snow; uint8) and pass the descriptions of the tile on."""
    parameters = read_gipp(ctx.input_file("GIP_MASPAR"), MaskParameters)
    clouds = read_gipp(ctx.input_file("GIP_CLOPAR"), CloudParameters)
    coding = read_gipp(ctx.input_file("GIP_R2PARA"), RadiometricParameters)
    root, vectors = ctx.output_dir("PDI_DS_TILE_LIST"), ctx.output_dir("VECTOR")
    for sheet, folder in selected_tiles(ctx):
        target = root / sheet.folder_name
        pass_on(folder, target, "tile.json", TILE_INFO)
        size = sheet.size(60)
        bands = {band: reflectance_at_60m(folder, band, size, coding) for band in COMPARED}
        planes = classify(bands, parameters, clouds.minimum_pixels)
        np.save(target / "classification.npy", planes)
        shares = percentages(planes, ~np.isnan(bands[Band.B02]))
        (vectors / f"{sheet.folder_name}_classification.json").write_text(json.dumps(shares) + "\n")
        ctx.log.info(f"tile {sheet.name}: " + ", ".join(f"{name} {value:.1f} %" for name, value in shares.items()))
        if shares["cloudy"] >= clouds.percentage_alarm:
            ctx.log.warning(f"tile {sheet.name}: {shares['cloudy']:.1f} % cloudy, from {clouds.percentage_alarm} % on")


def reflectance_at_60m(folder: Path, band: Band, size: int, coding: RadiometricParameters) -> FloatArray:
    """Return the mean reflectance of a band in pixels of 60 m, NaN where any part has no data."""
    numbers = np.asarray(load_array(folder / f"{band.name}.npy", mapped=True))
    factor = 60 // band.resolution
    blocks = numbers[: size * factor, : size * factor].reshape(size, factor, size, factor)
    mean = blocks.mean(axis=(1, 3), dtype=np.float32)
    reflectance = (mean + np.float32(coding.add_offset)) / np.float32(coding.quantification)
    reflectance[(blocks == coding.nodata).any(axis=(1, 3))] = np.nan
    return np.asarray(reflectance)


def classify(bands: dict[Band, FloatArray], parameters: MaskParameters, minimum_pixels: int = 1) -> NDArray[np.uint8]:
    """Return planes (3, rows, columns) of 0 or 1: opaque cloud, cirrus, snow. Pixels without data are 0 in all."""
    blue, green, swir = bands[Band.B02], bands[Band.B03], bands[Band.B11]
    with np.errstate(invalid="ignore", divide="ignore"):
        snow = is_snow(green, swir, parameters.snow)
        opaque = (blue > parameters.opaque_blue) & (swir > parameters.opaque_swir) & ~snow
        opaque = without_small_groups(opaque, minimum_pixels)
        cirrus = (bands[Band.B10] > parameters.cirrus) & ~opaque
    if parameters.dilation > 0:
        known = ~np.isnan(blue)
        opaque = dilated(opaque, parameters.dilation) & known
        cirrus = cirrus & ~opaque
    return np.stack([opaque, cirrus, snow & ~opaque & ~cirrus]).astype(np.uint8)


def without_small_groups(mask: NDArray[np.bool_], least: int) -> NDArray[np.bool_]:
    """Return a mask without its groups of fewer than `least` pixels that touch by their sides."""
    if least <= 1:
        return mask
    from scipy import ndimage

    groups, _ = ndimage.label(mask)
    large = np.bincount(groups.ravel()) >= least
    return np.asarray(mask & large[groups])


def dilated(mask: NDArray[np.bool_], times: int) -> NDArray[np.bool_]:
    """Return a mask grown by its four neighbours, `times` times."""
    grown = mask
    for _ in range(times):
        wide = np.pad(grown, 1)
        grown = wide[1:-1, 1:-1] | wide[:-2, 1:-1] | wide[2:, 1:-1] | wide[1:-1, :-2] | wide[1:-1, 2:]
    return grown


def percentages(planes: NDArray[np.uint8], known: NDArray[np.bool_]) -> dict[str, float]:
    """Return the percentage of each class among the pixels with data, and of clouds of both kinds together."""
    total = max(int(known.sum()), 1)
    opaque, cirrus, snow = (100.0 * float(plane[known].sum()) / total for plane in planes)
    return {"opaque": opaque, "cirrus": cirrus, "snow": snow, "cloudy": opaque + cirrus}
