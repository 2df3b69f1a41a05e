"""RESAMPLE_TO_VS: the observation (PRODUCT_TYPE IMAGE) or the reference image (GRI) on the virtual sensor's grid."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ipf_adapters.reference.errors import InvalidInput
from ipf_adapters.reference.l1a import datastrip
from ipf_adapters.reference.l1b import reference_image, virtual_sensor
from ipf_adapters.reference.l1b.virtual_sensor import NODE_STEP
from ipf_adapters.science import working

if TYPE_CHECKING:
    from ipf_adapters.reference.context import JobContext

_USELESS = working.NODATA | working.LOST | working.SATURATED
_ROWS_AT_ONCE = 256


def run(ctx: JobContext) -> None:
    """Write the product of every detector of this part, NaN where nothing is known, and its mask."""
    product = ctx.parameter("PRODUCT_TYPE")
    if product not in ("IMAGE", "GRI"):
        raise InvalidInput(f"PRODUCT_TYPE {product!r} of RESAMPLE_TO_VS: expected IMAGE or GRI")
    granules = _granules(ctx) if product == "GRI" else []
    for done, detector in enumerate(ctx.detectors, start=1):
        image = _observation(ctx, detector) if product == "IMAGE" else _reference(ctx, detector, granules)
        np.save(virtual_sensor.image_path(ctx.output_dir("VIRTUAL_SENSOR"), detector, product), image)
        mask = np.packbits(np.isnan(image), axis=1)
        np.save(ctx.output_dir("VECTOR") / f"D{detector:02d}_{product.lower()}_unknown.npy", mask)
        ctx.log.progress(done, len(ctx.detectors), f"{product} resampled")


def _granules(ctx: JobContext) -> list[reference_image.ReferenceGranule]:
    folder = ctx.input_dir("GRI_ORBIT")
    return list(reference_image.read_all(folder, reference_image.granules_in(folder)))


def _observation(ctx: JobContext, detector: int) -> NDArray[np.float32]:
    """Return the reference band as seen: the grid is that of its own detector."""
    band = datastrip.REFERENCE_BAND
    image: NDArray[np.float32] = working.read_strip(ctx.input_dir("PDI_ATF_LIST"), detector, band).astype(np.float32)
    quality = working.read_strip(ctx.input_dir("VECTOR"), detector, band, "quality")
    image[(quality & _USELESS) != 0] = np.nan
    return image


def _reference(ctx: JobContext, detector: int, granules: list[reference_image.ReferenceGranule]) -> NDArray[np.float32]:
    """Return the reference image where the nominal model places every pixel of the detector."""
    from pyproj import Transformer

    info = datastrip.read_info(ctx)
    sensor = virtual_sensor.read(ctx.input_dir("VIRTUAL_SENSOR"), detector)
    band = datastrip.REFERENCE_BAND
    lines, cols = info.granules * info.lines(band), np.arange(band.width(info.scale))
    result = np.full((lines, cols.size), np.nan, dtype=np.float32)
    for granule in granules:
        to_map = Transformer.from_crs("EPSG:4326", granule.crs, always_xy=True)
        easting, northing = map(np.asarray, to_map.transform(sensor.lon, sensor.lat))
        for first in range(0, lines, _ROWS_AT_ONCE):
            rows = np.arange(first, min(first + _ROWS_AT_ONCE, lines))[:, None]
            nodes = (sensor.line >= first - NODE_STEP) & (sensor.line <= first + _ROWS_AT_ONCE + NODE_STEP)
            if granule.meets(easting[nodes], northing[nodes]):
                part = result[first : first + _ROWS_AT_ONCE]
                east, north = (sensor.interpolate(values, rows, cols) for values in (easting, northing))
                np.copyto(part, granule.sample(east, north), where=np.isnan(part))
    return result
