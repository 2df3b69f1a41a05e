"""Lossless JPEG 2000 images with georeference, written by OpenJPEG through GDAL."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ipf_adapters.reference.errors import InvalidInput
from ipf_adapters.science.light_rasterio import import_rasterio
from s2ps.formats.gipp import Jp2Parameters

LOSSLESS: dict[str, str] = {"QUALITY": "100", "REVERSIBLE": "YES", "YCBCR420": "NO"}


def write_jp2(
    path: Path,
    image: NDArray[Any],
    epsg: int,
    transform: tuple[float, float, float, float, float, float],
    coding: Jp2Parameters,
    *,
    bits: int | None = None,
) -> None:
    """Write an image (rows, columns) or (bands, rows, columns) of uint8 or uint16; `bits` used per sample if fewer.

    Images more than twice as large as the blocks of `coding` are cut into blocks, others are one block.
    Raises InvalidInput when `coding` asks for loss.
    """
    if not coding.lossless:
        raise InvalidInput(f"GIP_JP2KPA asks for JPEG 2000 with loss for {path.name}: only lossless coding is made")
    rasterio = import_rasterio()
    from affine import Affine

    planes = image[np.newaxis] if image.ndim == 2 else image
    count, height, width = planes.shape
    options = dict(LOSSLESS)
    if max(height, width) > 2 * coding.tile_size:
        options |= {"BLOCKXSIZE": str(coding.tile_size), "BLOCKYSIZE": str(coding.tile_size)}
    else:
        options |= {"BLOCKXSIZE": str(max(width, 64)), "BLOCKYSIZE": str(max(height, 64))}
    halvings = max(0, min(height, width).bit_length() - 1)
    options["RESOLUTIONS"] = str(max(1, min(coding.resolutions, halvings)))
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
