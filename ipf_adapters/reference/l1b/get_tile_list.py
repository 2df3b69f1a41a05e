"""GET_TILE_LIST: the tiles the datastrip meets and the detectors that see each."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from ipf_adapters.reference.errors import InvalidInput, MissingInput, NoData
from ipf_adapters.reference.l1a import datastrip, footprints
from s2ps.formats.gipp import TileGridParameters, read_gipp
from s2ps.formats.tile_list import TileEntry, write_tile_list
from s2ps.model.tiles import TileGrid

if TYPE_CHECKING:
    from ipf_adapters.reference.context import JobContext

_LEAST_AREA = 60.0 * 60.0
"""Square metres: less than one 60 m pixel is no part of a tile."""


def run(ctx: JobContext) -> None:
    """Write the tile list and pass the datastrip on; NoData (a warning) when no tile is met."""
    datastrip.pass_on(ctx.input_dir("PDI_DS"), ctx.output_dir("PDI_DS"))
    parameters = read_gipp(ctx.input_file("GIP_TILPAR"), TileGridParameters)
    grid = TileGrid(parameters.epsg, parameters.anchor_easting, parameters.anchor_northing, parameters.scale)
    strips = _strips(ctx.input_dir("VECTOR"), grid.epsg)
    outline = footprints.read_features(ctx.input_dir("VECTOR_DS_FOOTPRINT") / datastrip.FOOTPRINT)[0][0]
    entries: list[TileEntry] = []
    for tile in grid.tiles_intersecting(list(_projected(outline, grid.epsg).exterior.coords)):
        detectors = _seeing(tile.polygon, strips)
        if detectors:
            entries.append(TileEntry(len(entries) + 1, tile.name, detectors))
    write_tile_list(ctx.output_file("TILE_LIST_FILE"), entries)
    if not entries:
        raise NoData(f"the datastrip meets no tile of the grid EPSG:{grid.epsg}: no L1C product can be made of it")
    ctx.log.info(f"{len(entries)} tiles: {' '.join(entry.tile for entry in entries)}")


def _strips(folder: Path, epsg: int) -> dict[int, list[Any]]:
    """Return the outlines of the bands of each detector as polygons in the map projection."""
    strips: dict[int, list[Any]] = {}
    for path in sorted(folder.glob("D*_B*_footprint.geojson")):
        for ring, properties in footprints.read_features(path):
            try:
                detector = int(properties["detector"])
            except (KeyError, ValueError) as error:
                raise InvalidInput(f"{path}: an outline names no detector: run GEO1B_FINALIZE again") from error
            strips.setdefault(detector, []).append(_projected(ring, epsg))
    if not strips:
        raise MissingInput(f"{folder} holds no outline of a detector: run GEO1B_FINALIZE again")
    return strips


def _projected(ring: footprints.Ring, epsg: int) -> Any:
    from pyproj import Transformer
    from shapely import Polygon

    to_map = Transformer.from_crs(4326, epsg, always_xy=True)
    x, y = to_map.transform([point[0] for point in ring], [point[1] for point in ring])
    return Polygon(list(zip(x, y, strict=True)))


def _seeing(corners: list[tuple[float, float]], strips: dict[int, list[Any]]) -> tuple[int, ...]:
    from shapely import Polygon

    square = Polygon(corners)
    return tuple(
        detector
        for detector, polygons in sorted(strips.items())
        if any(square.intersects(strip) and square.intersection(strip).area > _LEAST_AREA for strip in polygons)
    )
