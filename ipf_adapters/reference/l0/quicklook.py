"""Quick-look images: one per detector and band while they are made, then one mosaic per band with its ground geometry.

A mosaic has the detectors side by side (12 strips of equal width); `QuicklookGeometry` gives, per detector, where nodes
of its strip lie on the ground. Files: `D01_B02_quicklook.npy` + `.json`, then `B02_quicklook.npy` + `.json`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ipf_adapters.reference.errors import InvalidInput, MissingInput
from ipf_adapters.science.records import RecordError, dump_record, load_record
from s2ps.model.bands import Band

Array = NDArray[np.float64]
Pixels = NDArray[np.uint16]


@dataclass(frozen=True)
class StripGeometry:
    """Ground position of the nodes of one detector's quick-look strip."""

    detector: int
    rows: tuple[float, ...]
    """Rows of the nodes, pixel centres at integers."""
    cols: tuple[float, ...]
    lon: tuple[tuple[float, ...], ...]
    """Degrees, (rows, cols)."""
    lat: tuple[tuple[float, ...], ...]

    def locate(self, row: Array, col: Array) -> tuple[Array, Array]:
        """Return (lon, lat) of strip positions, bilinear between nodes and continued beyond them."""
        rows, cols = np.array(self.rows), np.array(self.cols)
        i = np.clip(np.searchsorted(rows, row, side="right") - 1, 0, len(rows) - 2)
        j = np.clip(np.searchsorted(cols, col, side="right") - 1, 0, len(cols) - 2)
        u = (row - rows[i]) / (rows[i + 1] - rows[i])
        v = (col - cols[j]) / (cols[j + 1] - cols[j])
        lon, lat = (_blend(np.array(grid), i, j, u, v) for grid in (self.lon, self.lat))
        return lon, lat


@dataclass(frozen=True)
class QuicklookGeometry:
    """A quick-look of one band: its size and where it lies."""

    band: str
    decimation: int
    """10 m pixels per quick-look pixel."""
    rows: int
    cols: int
    """Columns of one detector's strip."""
    rows_per_granule: float
    strips: tuple[StripGeometry, ...]
    cloud_cover: float | None = None
    """Percent, once it is known."""


def outline(strips: Sequence[StripGeometry]) -> list[tuple[float, float]]:
    """Return the closed ring (lon, lat) through the outer corners of strips that lie side by side."""
    first, last = strips[0], strips[-1]
    corners = [(first, 0, 0), (last, 0, -1), (last, -1, -1), (first, -1, 0), (first, 0, 0)]
    return [(strip.lon[row][col], strip.lat[row][col]) for strip, row, col in corners]


def _blend(grid: Array, i: NDArray[np.intp], j: NDArray[np.intp], u: Array, v: Array) -> Array:
    upper = grid[i, j] * (1 - v) + grid[i, j + 1] * v
    lower = grid[i + 1, j] * (1 - v) + grid[i + 1, j + 1] * v
    result: Array = upper * (1 - u) + lower * u
    return result


def reduce_image(image: Pixels, rows: int, cols: int) -> Pixels:
    """Return an image of another size: means where it shrinks by a whole factor, else the nearest pixel."""
    for axis, size in ((0, rows), (1, cols)):
        length = image.shape[axis]
        if length % size == 0:
            shape = (*image.shape[:axis], size, length // size, *image.shape[axis + 1 :])
            image = np.rint(image.reshape(shape).mean(axis=axis + 1)).astype(np.uint16)
        else:
            places = ((np.arange(size) + 0.5) * length / size).astype(np.intp)
            image = np.take(image, places, axis=axis)
    return image


def write_quicklook(folder: Path, stem: str, image: Pixels, geometry: QuicklookGeometry) -> None:
    """Write an image and its geometry; the stem is "D01_B02" or "B02"."""
    folder.mkdir(parents=True, exist_ok=True)
    np.save(folder / f"{stem}_quicklook.npy", image)
    (folder / f"{stem}_quicklook.json").write_text(dump_record(geometry) + "\n")


def read_geometry(path: Path) -> QuicklookGeometry:
    """Read the geometry of a quick-look; raises MissingInput or InvalidInput."""
    if not path.is_file():
        raise MissingInput(f"{path} does not exist: run the quick-look step before again")
    try:
        return load_record(QuicklookGeometry, path.read_bytes())
    except RecordError as error:
        raise InvalidInput(f"{path}: {error}: run the quick-look step before again") from error


def read_quicklook(folder: Path, stem: str) -> tuple[Pixels, QuicklookGeometry]:
    """Read an image and its geometry; raises MissingInput or InvalidInput."""
    geometry = read_geometry(folder / f"{stem}_quicklook.json")
    path = folder / f"{stem}_quicklook.npy"
    if not path.is_file():
        raise MissingInput(f"{path} does not exist: run the quick-look step before again")
    image: Pixels = np.load(path, allow_pickle=False)
    return image, geometry


def mosaics(folder: Path) -> dict[Band, tuple[Pixels, QuicklookGeometry]]:
    """Return the mosaics in a folder, joined from detector strips where these are what it holds."""
    found: dict[Band, tuple[Pixels, QuicklookGeometry]] = {}
    for band in Band:
        if (folder / f"{band.name}_quicklook.json").is_file():
            found[band] = read_quicklook(folder, band.name)
        elif strips := sorted(folder.glob(f"D*_{band.name}_quicklook.json")):
            found[band] = _joined(folder, [path.name.removesuffix("_quicklook.json") for path in strips])
    return found


def _joined(folder: Path, stems: list[str]) -> tuple[Pixels, QuicklookGeometry]:
    parts = [read_quicklook(folder, stem) for stem in stems]
    sizes = {image.shape for image, _ in parts}
    if len(sizes) != 1:
        raise InvalidInput(f"{folder}: quick-looks of different sizes {sorted(sizes)}: run QL_GEO again")
    geometry = replace(parts[0][1], strips=tuple(strip for _, part in parts for strip in part.strips))
    return np.hstack([image for image, _ in parts]), geometry
