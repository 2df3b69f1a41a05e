"""The quick-look of a datastrip: detectors side by side with their ground nodes, brought onto a grid of the Earth."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from s2ps.publication.quicklook import EDGE, Picture, Pixels, without_place

_BANDS = ("B04", "B03", "B02")
_LOW, _HIGH = 2.0, 98.0
_NODES = 160
"""Ground nodes of a strip that take part; more of them cost much and move nothing."""


@dataclass(frozen=True, slots=True)
class Strip:
    """One detector: ground nodes at rows and columns of its part of the image, longitudes without a jump."""

    detector: int
    rows: NDArray[np.float64]
    columns: NDArray[np.float64]
    longitudes: NDArray[np.float64]
    latitudes: NDArray[np.float64]
    pixels: Pixels
    """(3, rows, columns)."""


@dataclass(frozen=True)
class Strips:
    """All detectors of a datastrip."""

    strips: tuple[Strip, ...]
    rows_per_granule: float
    lines_per_row: float
    """Lines of 10 m in one row."""

    @cached_property
    def whole(self) -> Picture | None:
        """The picture of the datastrip."""
        return on_grid(self.strips)

    def picture(self, detector: int, position: int) -> Picture | None:
        """Return the picture of a granule by detector and first line of 10 m (from 1)."""
        first = round((position - 1) / self.lines_per_row)
        rows = slice(first, first + round(self.rows_per_granule))
        parts = [_cut(strip, rows) for strip in self.strips if strip.detector == detector]
        found = [part for part in parts if part is not None]
        return on_grid(tuple(found)) if found else None


def read_strips(folder: Path) -> Strips | None:
    """Read the quick-look images of a Level-0 datastrip; None where one of the three colours is missing."""
    import rasterio

    colours: list[NDArray[Any]] = []
    description: dict[str, Any] = {}
    for band in _BANDS:
        images, notes = sorted(folder.glob(f"*_{band}.jp2")), sorted(folder.glob(f"*_{band}_quicklook.json"))
        if not images or not notes:
            return None
        with without_place(), rasterio.open(images[0]) as image:
            colours.append(image.read(1))
        description = description or json.loads(notes[0].read_text())
    pixels = stretched(np.stack(colours))
    width = int(description["cols"])
    longitudes = _without_jump([np.asarray(item["lon"]) for item in description["strips"]])
    strips = tuple(
        Strip(
            detector=int(item["detector"]), rows=np.asarray(item["rows"]), columns=np.asarray(item["cols"]),
            longitudes=longitudes[number], latitudes=np.asarray(item["lat"]),
            pixels=pixels[:, :, number * width : (number + 1) * width],
        )
        for number, item in enumerate(description["strips"])
    )  # fmt: skip
    return Strips(strips, float(description["rows_per_granule"]), float(description["decimation"]))


def stretched(counts: NDArray[Any]) -> Pixels:
    """Return counts as bytes: 1 to 255 between the 2nd and 98th percentile of each band, 0 where there are none."""
    found = np.zeros(counts.shape, np.uint8)
    for band, out in zip(counts.astype(np.float64), found, strict=True):
        seen = band > 0
        if seen.any():
            low, high = np.percentile(band[seen], (_LOW, _HIGH))
            scaled = 1 + 254 * np.clip((band - low) / max(high - low, 1e-9), 0, 1)
            out[seen] = np.round(scaled[seen]).astype(np.uint8)
    return found


def on_grid(strips: tuple[Strip, ...]) -> Picture | None:
    """Return strips on a grid of longitude and latitude with about the pixels they have."""
    from rasterio.control import GroundControlPoint
    from rasterio.enums import Resampling
    from rasterio.transform import Affine
    from rasterio.warp import reproject

    west, east = (float(f([f(s.longitudes) for s in strips])) for f in (np.min, np.max))
    south, north = (float(f([f(s.latitudes) for s in strips])) for f in (np.min, np.max))
    step = max((north - south) / max(s.pixels.shape[1] for s in strips), (north - south) / EDGE, (east - west) / EDGE)
    if step <= 0:
        return None
    shape = (3, max(1, round((north - south) / step)), max(1, round((east - west) / step)))
    transform = Affine(step, 0.0, west, 0.0, -step, north)
    result: Pixels = np.zeros(shape, np.uint8)
    for strip in strips:
        points = [GroundControlPoint(*values) for values in _nodes(strip)]
        part: Pixels = np.zeros(shape, np.uint8)
        reproject(
            strip.pixels, part, gcps=points, src_crs="EPSG:4326", dst_crs="EPSG:4326", dst_transform=transform,
            src_nodata=0, dst_nodata=0, resampling=Resampling.nearest, num_threads=1, SRC_METHOD="GCP_TPS",
        )  # fmt: skip
        result = np.where(result.max(axis=0) > 0, result, part)
    return Picture(result, 4326, (step, 0.0, west, 0.0, -step, north))


def _nodes(strip: Strip) -> list[tuple[float, float, float, float]]:
    """Return (row, column, longitude, latitude) of pixel centres, thinned along track where there are many."""
    every = max(1, -(-len(strip.rows) * len(strip.columns) // _NODES))
    chosen = sorted({*range(0, len(strip.rows), every), len(strip.rows) - 1})
    return [
        (strip.rows[i] + 0.5, strip.columns[k] + 0.5, strip.longitudes[i, k], strip.latitudes[i, k])
        for i in chosen
        for k in range(len(strip.columns))
    ]


def _cut(strip: Strip, rows: slice) -> Strip | None:
    """Return some rows of a strip; its nodes may lie outside of them."""
    pixels = strip.pixels[:, rows, :]
    if not pixels.size:
        return None
    inside = np.linspace(rows.start, rows.stop - 1, 5)
    table = np.array([
        [np.interp(inside, strip.rows, grid[:, k]) for k in range(len(strip.columns))]
        for grid in (strip.longitudes, strip.latitudes)
    ]).transpose(0, 2, 1)  # fmt: skip
    return Strip(strip.detector, inside - rows.start, strip.columns, table[0], table[1], pixels)


def _without_jump(longitudes: list[NDArray[np.float64]]) -> list[NDArray[np.float64]]:
    """Return longitudes of all strips on one side of the antimeridian, beyond 180 where they cross it."""
    wide = max(float(each.max()) for each in longitudes) - min(float(each.min()) for each in longitudes) > 180
    return [np.where(each < 0, each + 360, each) if wide else each for each in longitudes]
