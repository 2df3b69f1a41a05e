"""Lossless JPEG 2000 images with georeference, written by OpenJPEG through GDAL."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ipf_adapters.science.light_rasterio import import_rasterio

LOSSLESS: dict[str, str] = {"QUALITY": "100", "REVERSIBLE": "YES", "YCBCR420": "NO"}
BLOCK = 1024
"""Side of the JPEG 2000 blocks of large images; smaller images are one block."""


def write_jp2(
    path: Path,
    image: NDArray[Any],
    epsg: int,
    transform: tuple[float, float, float, float, float, float],
    *,
    bits: int | None = None,
) -> None:
    """Write an image (rows, columns) or (bands, rows, columns) of uint8 or uint16; `bits` used per sample if fewer."""
    rasterio = import_rasterio()
    from affine import Affine

    planes = image[np.newaxis] if image.ndim == 2 else image
    count, height, width = planes.shape
    options = dict(LOSSLESS)
    if max(height, width) > 2 * BLOCK:
        options |= {"BLOCKXSIZE": str(BLOCK), "BLOCKYSIZE": str(BLOCK)}
    else:
        options |= {"BLOCKXSIZE": str(max(width, 64)), "BLOCKYSIZE": str(max(height, 64))}
    if bits is not None:
        options["NBITS"] = str(bits)
    path.parent.mkdir(parents=True, exist_ok=True)
    with rasterio.open(
        path,
        "w",
        driver="JP2OpenJPEG",
        width=width,
        height=height,
        count=count,
        dtype=planes.dtype.name,
        crs=f"EPSG:{epsg}",
        transform=Affine(*transform),
        **options,
    ) as target:
        target.write(planes)
    path.with_name(path.name + ".aux.xml").unlink(missing_ok=True)


def read_jp2(path: Path) -> NDArray[Any]:
    """Read all bands of an image: (rows, columns), or (bands, rows, columns) when there are several."""
    with import_rasterio().open(path) as source:
        image: NDArray[Any] = source.read()
    return image[0] if image.shape[0] == 1 else image
