"""Granules of the reference image, packed (GeoTIFF, JPEG 2000) or unpacked (`gri_001.npy` with `gri_001.json`)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ipf_adapters.reference.errors import MissingInput
from ipf_adapters.science.light_rasterio import import_rasterio
from s2ps.formats.gri_list import GriGranule

Array = NDArray[np.float64]

_SUPPORT = 16
"""Pixels around sampled points that the cubic spline needs (its weights fall by 0.27 per pixel)."""


@dataclass(frozen=True, slots=True)
class ReferenceGranule:
    """A map-projected image: north up, 0 where nothing is known."""

    image: NDArray[np.float32]
    crs: str
    west: float
    north: float
    step: float
    """Metres per pixel."""

    def meets(self, easting: Array, northing: Array) -> bool:
        """Tell whether the rectangle around points overlaps the image."""
        rows, cols = self.image.shape
        return bool(
            easting.max() >= self.west
            and easting.min() <= self.west + cols * self.step
            and northing.min() <= self.north
            and northing.max() >= self.north - rows * self.step
        )

    def sample(self, easting: Array, northing: Array) -> NDArray[np.float32]:
        """Interpolate cubically between pixel centres; NaN outside and next to unknown pixels."""
        from scipy import ndimage

        column, row = (easting - self.west) / self.step - 0.5, (self.north - northing) / self.step - 0.5
        rows, cols = self.image.shape
        result = np.full(easting.shape, np.nan, dtype=np.float32)
        inside = (row >= 0) & (row <= rows - 1) & (column >= 0) & (column <= cols - 1)
        if not inside.any():
            return result
        row, column = row[inside], column[inside]
        top, left = max(int(row.min()) - _SUPPORT, 0), max(int(column.min()) - _SUPPORT, 0)
        part = self.image[top : int(row.max()) + _SUPPORT + 1, left : int(column.max()) + _SUPPORT + 1]
        places = [row - top, column - left]
        values = ndimage.map_coordinates(part, places, order=3, mode="nearest", output=np.float32)
        known: NDArray[np.float32] = np.ones(values.shape, dtype=np.float32)
        if not part.all():
            known = ndimage.map_coordinates((part > 0).astype(np.float32), places, order=1, mode="nearest")
        result[inside] = np.where(known > 0.99, values, np.nan)
        return result


def unpack(source: Path) -> ReferenceGranule:
    """Read a GeoTIFF or JPEG 2000 granule."""
    with import_rasterio().open(source) as image:
        transform = image.transform
        crs = f"EPSG:{image.crs.to_epsg()}"
        return ReferenceGranule(image.read(1).astype(np.float32), crs, transform.c, transform.f, transform.a)


def write(folder: Path, number: int, granule: ReferenceGranule) -> None:
    """Write an unpacked granule under its number in the list."""
    folder.mkdir(parents=True, exist_ok=True)
    np.save(folder / f"gri_{number:03d}.npy", granule.image)
    told = {"crs": granule.crs, "west": granule.west, "north": granule.north, "step": granule.step}
    (folder / f"gri_{number:03d}.json").write_text(json.dumps(told, indent=1) + "\n")


def read_all(folder: Path, granules: tuple[GriGranule, ...]) -> Iterator[ReferenceGranule]:
    """Yield the granules of a list, unpacked ones by preference; raises MissingInput."""
    for granule in granules:
        told = folder / f"gri_{granule.number:03d}.json"
        packed = folder / granule.ident
        if told.is_file():
            yield ReferenceGranule(
                np.load(told.with_suffix(".npy"), allow_pickle=False), **json.loads(told.read_text())
            )
        elif packed.is_file():
            yield unpack(packed)
        else:
            raise MissingInput(f"{packed} is missing: run GET_GRI again")


def granules_in(folder: Path) -> tuple[GriGranule, ...]:
    """Return the granules of a folder in order of their names, numbered as GET_GRI numbers them."""
    names = sorted(path.name for path in folder.iterdir() if path.suffix.lower() in (".tif", ".tiff", ".jp2"))
    return tuple(GriGranule(number, name) for number, name in enumerate(names, start=1))
