"""Quick-looks: a small true-colour image as cloud-optimised GeoTIFF, and a JPEG preview of it for catalogues."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

EDGE = 686
"""Longest side of the GeoTIFF in pixels: a tile at 160 m."""
PREVIEW_EDGE = 343
"""Longest side of the preview: a tile at 320 m."""
COG_TYPE = "image/tiff; application=geotiff; profile=cloud-optimized"
JPEG_TYPE = "image/jpeg"
_BLOCK = 256
_ENCODING = threading.Lock()

Pixels = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Picture:
    """Red, green, blue (3, rows, columns), black where there are no data, on a regular grid."""

    pixels: Pixels
    epsg: int
    transform: tuple[float, float, float, float, float, float]
    """Affine: column, row -> x, y."""


@dataclass(frozen=True, slots=True)
class Quicklook:
    """The two files."""

    geotiff: bytes
    preview: bytes


def encode(picture: Picture) -> Quicklook:
    """Return the files of a picture; the same picture gives the same bytes."""
    with _ENCODING:
        return Quicklook(_geotiff(picture), _preview(picture.pixels))


def _geotiff(picture: Picture) -> bytes:
    import rasterio
    from rasterio.enums import ColorInterp
    from rasterio.shutil import copy
    from rasterio.transform import Affine

    count, rows, columns = picture.pixels.shape
    seen = (picture.pixels.max(axis=0) > 0).astype(np.uint8) * 255
    with (
        rasterio.Env(GDAL_NUM_THREADS="1", GDAL_TIFF_INTERNAL_MASK=True),
        rasterio.MemoryFile() as raw,
        rasterio.MemoryFile() as made,
    ):
        profile: dict[str, Any] = {"crs": f"EPSG:{picture.epsg}", "transform": Affine(*picture.transform)}
        profile |= {"driver": "GTiff", "width": columns, "height": rows, "count": count + 1, "dtype": "uint8"}
        profile |= {"photometric": "RGB", "alpha": "YES"}
        with raw.open(**profile) as image:
            image.colorinterp = (ColorInterp.red, ColorInterp.green, ColorInterp.blue, ColorInterp.alpha)
            image.write(picture.pixels, indexes=[1, 2, 3])
            image.write(seen, 4)
        copy(raw.name, made.name, driver="COG", compress="JPEG", quality=85, blocksize=_BLOCK, overviews="AUTO")
        return bytes(made.read())


def _preview(pixels: Pixels) -> bytes:
    import rasterio

    small = _reduced(pixels, PREVIEW_EDGE)
    with without_place(), rasterio.MemoryFile() as made:
        with made.open(
            driver="JPEG", width=small.shape[2], height=small.shape[1], count=3, dtype="uint8", quality=85
        ) as image:
            image.write(small)
        return bytes(made.read())


@contextmanager
def without_place() -> Iterator[None]:
    """Keep GDAL from warning of an image that has no place on Earth."""
    import warnings

    from rasterio.errors import NotGeoreferencedWarning

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        yield


def _reduced(pixels: Pixels, edge: int) -> Pixels:
    """Return the means of square blocks of pixels, so that no side is longer than `edge`."""
    _, rows, columns = pixels.shape
    factor = -(-max(rows, columns) // edge)
    if factor == 1:
        return pixels
    rows, columns = max(1, rows // factor), max(1, columns // factor)
    cut = pixels[:, : rows * factor, : columns * factor]
    blocks = cut.reshape(3, rows, min(factor, cut.shape[1]), columns, min(factor, cut.shape[2]))
    return np.asarray(blocks.mean(axis=(2, 4)), np.uint8)
