"""GET_GRI: the granules of the reference image of this orbit that the datastrip meets; none is a normal outcome."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ipf_adapters.reference.l1a import datastrip, footprints
from ipf_adapters.science.light_rasterio import import_rasterio
from s2ps.formats.gri_list import write_gri_list

if TYPE_CHECKING:
    from ipf_adapters.reference.context import JobContext

_SUFFIXES = (".tif", ".tiff", ".jp2")
_MARGIN = 0.002
"""Degrees around the datastrip: the location is not refined yet."""


def run(ctx: JobContext) -> None:
    """Choose reference granules by their outline and copy them."""
    info = datastrip.read_info(ctx)
    outlines = footprints.read_features(ctx.input_dir("VECTOR_DS_FOOTPRINT") / datastrip.FOOTPRINT)
    candidates = _candidates(ctx, info.relative_orbit)
    chosen = [path for path in candidates if _meets(path, outlines[0][0])]
    target = ctx.output_dir("GRI_ORBIT")
    for path in chosen:
        shutil.copyfile(path, target / path.name)
    (target / "relative_orbit.txt").write_text(f"{info.relative_orbit:03d}\n")
    write_gri_list(ctx.output_file("GRI_LIST_FILE"), tuple(path.name for path in chosen))
    if chosen:
        ctx.log.info(f"{len(chosen)} of {len(candidates)} reference granules meet the datastrip")
    else:
        ctx.log.info(f"no reference granule of orbit {info.relative_orbit:03d} meets the datastrip: no refining")


def _candidates(ctx: JobContext, relative_orbit: int) -> list[Path]:
    """Return the images of the relative orbit, from its folder or from a folder of many orbits."""
    if not ctx.has_input("GRI_ORBIT"):
        return []
    root = ctx.input_dir("GRI_ORBIT")
    name = f"AUX_GRI{relative_orbit:03d}"
    if "AUX_GRI" not in root.name:
        folders = [path for path in sorted(root.iterdir()) if path.is_dir() and name in path.name]
        loose = [] if any("AUX_GRI" in path.name for path in root.iterdir()) else [root]
    else:
        folders, loose = [root] if name in root.name else [], []
    return [
        path
        for folder in folders + loose
        for path in sorted(folder.rglob("*"))
        if path.suffix.lower() in _SUFFIXES and path.is_file()
    ]


def _meets(path: Path, outline: footprints.Ring) -> bool:
    from shapely import Polygon

    around: Any = Polygon([point[:2] for point in outline]).buffer(_MARGIN)
    return bool(_extent(path).intersects(around))


def _extent(path: Path) -> Any:
    """Return the outline of an image in degrees."""
    rasterio = import_rasterio()
    from rasterio.warp import transform
    from shapely import Polygon

    with rasterio.open(path) as source:
        west, south, east, north = source.bounds
        xs, ys = [west, east, east, west], [south, south, north, north]
        lons, lats = transform(source.crs, "EPSG:4326", xs, ys)
    return Polygon(list(zip(lons, lats, strict=True)))
