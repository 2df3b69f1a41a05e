"""TILE_INIT: prepare a tile: its grid, the terrain heights of its pixels and the meteorology over it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ipf_adapters.reference.context import JobContext
from ipf_adapters.reference.errors import InvalidInput
from ipf_adapters.reference.l1c.inverse_grid import projections
from ipf_adapters.reference.l1c.meteorology import AUX_CAMSFO, AUX_ECMWFT, resample_to_tile
from ipf_adapters.reference.l1c.splines import node_positions, spread
from ipf_adapters.reference.l1c.tile_folder import TileSheet
from ipf_adapters.science.terrain import Terrain
from ipf_adapters.science.working import DatastripInfo, read_datastrip
from s2ps.formats.gipp import MeteorologyParameters, TileGridParameters, read_gipp
from s2ps.formats.tile_list import TileEntry, read_tile_list
from s2ps.model.names import DatatakeName
from s2ps.model.tiles import TileGrid
from s2ps.model.timestamps import compact

RESOLUTIONS = (10, 20, 60)
ROWS_AT_ONCE = 512


def run(ctx: JobContext) -> None:
    """Write `T32TPQ/tile.json`, `height_10m.npy`, `height_20m.npy`, `height_60m.npy` and `AUX_DATA`."""
    info = read_datastrip(ctx.input_dir("PDI_DS"))
    parameters = read_gipp(ctx.input_file("GIP_TILPAR"), TileGridParameters)
    grid = TileGrid(parameters.epsg, parameters.anchor_easting, parameters.anchor_northing, parameters.scale)
    terrain = Terrain(ctx.input_dir("DEM_SRTM"), ctx.input_dir("DEM_GEOID"))
    root = ctx.output_dir("PDI_DS_TILE_LIST")
    for entry in _chosen(ctx):
        sheet = _sheet(entry, grid, info)
        folder = root / sheet.folder_name
        folder.mkdir(parents=True, exist_ok=True)
        sheet.write(folder)
        low, high = _write_heights(folder, sheet, terrain)
        _meteorology(ctx, sheet, info, folder)
        ctx.log.info(f"tile {sheet.name}: upper left {sheet.ulx}, {sheet.uly}; heights {low:.0f} to {high:.0f} m")


def _chosen(ctx: JobContext) -> list[TileEntry]:
    path = ctx.input_file("TILE_LIST_FILE")
    entries = {entry.number: entry for entry in read_tile_list(path)}
    wanted = ctx.tile_indices or tuple(sorted(entries))
    missing = [number for number in wanted if number not in entries]
    if missing:
        raise InvalidInput(f"{path}: no tile number {missing[0]}: it lists {len(entries)}; plan the tiles again")
    return [entries[number] for number in wanted]


def _sheet(entry: TileEntry, grid: TileGrid, info: DatastripInfo) -> TileSheet:
    tile = grid.tile(entry.tile)
    datatake = DatatakeName.parse(info.datatake_id)
    return TileSheet(
        name=tile.name,
        index=entry.number,
        epsg=tile.epsg,
        ulx=tile.ulx,
        uly=tile.uly,
        scale=tile.scale,
        detectors=tuple(entry.detectors),
        datatake_id=info.datatake_id,
        image_prefix=f"T{tile.name}_{compact(datatake.start)}",
    )


def _write_heights(folder: Path, sheet: TileSheet, terrain: Terrain) -> tuple[float, float]:
    """Write heights above the ellipsoid (float32, metres) of all pixel centres; return the extremes."""
    extremes: list[float] = []
    for resolution in RESOLUTIONS:
        heights = tile_heights(sheet, resolution, terrain)
        np.save(folder / f"height_{resolution}m.npy", heights)
        extremes += [float(heights.min()), float(heights.max())]
    return min(extremes), max(extremes)


def tile_heights(sheet: TileSheet, resolution: int, terrain: Terrain) -> NDArray[np.float32]:
    """Return metres above the ellipsoid of every pixel centre, shape (size, size)."""
    size = sheet.size(resolution)
    pixels = np.arange(size, dtype=np.float64)
    nodes = node_positions(0.0, size - 1.0, 64.0, least=8)
    weights = spread(nodes, pixels)
    x, y = np.meshgrid(sheet.x_of(nodes, resolution), sheet.y_of(nodes, resolution))
    lon, lat = projections(sheet.epsg)[1](x, y)
    heights = np.empty((size, size), dtype=np.float32)
    for row0 in range(0, size, ROWS_AT_ONCE):
        rows = weights[row0 : row0 + ROWS_AT_ONCE]
        heights[row0 : row0 + ROWS_AT_ONCE] = terrain.height(rows @ lon @ weights.T, rows @ lat @ weights.T)
    return heights


def _meteorology(ctx: JobContext, sheet: TileSheet, info: DatastripInfo, folder: Path) -> None:
    fields = read_gipp(ctx.input_file("GIP_ECMWFP"), MeteorologyParameters)
    moment = info.start + (info.stop - info.start) / 2
    for flag, file_type, name, wanted in (
        ("ECMWF_L1C_TILE_GENER", "ECMWF", AUX_ECMWFT, fields.ecmwf_fields),
        ("CAMS_L1C_TILE_GENER", "CAMS", AUX_CAMSFO, fields.cams_fields),
    ):
        if ctx.flag(flag) and ctx.has_input(file_type):
            resample_to_tile(ctx.input_files(file_type), wanted, moment, sheet, folder / "AUX_DATA" / name)
        else:
            ctx.log.warning(f"tile {sheet.name}: no {name}: {flag} is not set or {file_type} is absent")
