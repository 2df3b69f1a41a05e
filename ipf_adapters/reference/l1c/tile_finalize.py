"""TILE_FINALIZE: put together what the bands of a tile tell: angles, time, footprint, completeness."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ipf_adapters.reference.context import JobContext
from ipf_adapters.reference.errors import InvalidInput, MissingInput
from ipf_adapters.reference.l1c.angles import from_lists, mean_angles, node_coordinates, sun_grid, to_lists
from ipf_adapters.reference.l1c.footprint import data_ring
from ipf_adapters.reference.l1c.inverse_grid import projections
from ipf_adapters.reference.l1c.tile_folder import TileSheet, load_array, pass_on, selected_tiles
from ipf_adapters.reference.l1c.tile_metadata import TileGeometry
from ipf_adapters.science.working import DEFECTIVE, LOST, read_datastrip
from s2ps.model.bands import BANDS, Band
from s2ps.model.timestamps import format_utc, parse_utc

TILE_INFO = "tile_info.json"
REFERENCE_BAND = Band.B02


def run(ctx: JobContext) -> None:
    """Write `T32TPQ/tile_info.json` and pass `tile.json` on."""
    root = ctx.output_dir("PDI_DS_TILE_LIST")
    datastrip = read_datastrip(ctx.input_dir("PDI_DS"))
    middle = datastrip.start + (datastrip.stop - datastrip.start) / 2
    for sheet, folder in selected_tiles(ctx):
        target = root / sheet.folder_name
        pass_on(folder, target, "tile.json")
        info = _tile_info(sheet, folder, middle)
        (target / TILE_INFO).write_text(json.dumps(info) + "\n")
        ctx.log.info(f"tile {sheet.name}: seen at {info['sensing_time']}, {info['no_data']:.2f} % without data")


def _tile_info(sheet: TileSheet, folder: Path, middle: datetime) -> dict[str, Any]:
    """Return the content of `tile_info.json`; `middle` of the datastrip is the time where no angle node is seen."""
    bands = {band.name: _read_angles(folder / f"{band.name}_angles.json") for band in BANDS}
    first = [parse_utc(values["first_seen"]) for values in bands.values() if values["first_seen"]]
    moment = min(first, default=middle)
    lon, lat = node_coordinates(sheet, projections(sheet.epsg)[1])
    sun = sun_grid(moment, lon, lat)
    image = load_array(folder / f"{REFERENCE_BAND.name}.npy", mapped=True)
    covered = np.asarray(image) != 0
    return {
        "sensing_time": format_utc(moment),
        "sun": {**to_lists(sun), "mean": mean_angles([sun])},
        "bands": bands,
        "no_data": round(100.0 * (1.0 - float(covered.mean())), 6),
        "degraded": _degraded(folder, covered),
        "footprint": data_ring(covered, sheet, REFERENCE_BAND.resolution),
    }


def _read_angles(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise MissingInput(f"{path}: absent: run GEN_ORTHO_TOA of this band again")
    values: dict[str, Any] = json.loads(path.read_text())
    return values


def _degraded(folder: Path, covered: NDArray[np.bool_]) -> float:
    """Return the percentage of pixels with lost or defective data, among those some detector sees."""
    quality = np.asarray(load_array(folder / f"{REFERENCE_BAND.name}_quality.npy", mapped=True))
    bad = (quality & (LOST | DEFECTIVE)) != 0
    seen = covered | bad
    return round(100.0 * float(bad.sum()) / float(max(int(seen.sum()), 1)), 6)


def read_tile_info(folder: Path) -> tuple[TileGeometry, dict[str, Any]]:
    """Read `tile_info.json` of a tile folder as geometry and as raw values; raises MissingInput or InvalidInput."""
    path = folder / TILE_INFO
    if not path.is_file():
        raise MissingInput(f"{path}: absent: run TILE_FINALIZE of the tile again")
    values: dict[str, Any] = json.loads(path.read_text())
    try:
        moment: datetime = parse_utc(values["sensing_time"])
        sun = from_lists({key: values["sun"][key] for key in ("zenith", "azimuth")})
        views = {
            (Band.from_name(name), int(detector)): from_lists(grid)
            for name, content in values["bands"].items()
            for detector, grid in content["detectors"].items()
        }
        means = {
            Band.from_name(name): (float(content["mean"][0]), float(content["mean"][1]))
            for name, content in values["bands"].items()
            if content["mean"]
        }
        mean_sun = (float(values["sun"]["mean"][0]), float(values["sun"]["mean"][1]))
    except (KeyError, TypeError, ValueError) as error:
        raise InvalidInput(f"{path}: not what TILE_FINALIZE writes ({error!r}): run it again") from error
    return TileGeometry(moment, sun, mean_sun, views, means), values
