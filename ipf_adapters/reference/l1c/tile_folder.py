"""The folder of one tile (T32TPQ/...) in a PDI_DS_TILE_LIST, and what TILE_INIT says about the tile."""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ipf_adapters.reference.context import JobContext
from ipf_adapters.reference.errors import InvalidInput, MissingInput
from s2ps.model.tiles import Tile

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class TileSheet:
    """What every processor of a tile needs: its grid, its place in the tile list and the datatake it belongs to."""

    name: str
    index: int
    epsg: int
    ulx: int
    uly: int
    scale: int
    detectors: tuple[int, ...]
    """Detectors that may see the tile, from the tile list."""
    datatake_id: str
    image_prefix: str
    """Start of image file names: "T32TPQ_20260701T101559"."""

    @property
    def tile(self) -> Tile:
        """The tile as a grid."""
        return Tile(self.name, self.epsg, self.ulx, self.uly, self.scale)

    @property
    def folder_name(self) -> str:
        """Folder of the tile: "T32TPQ"."""
        return f"T{self.name}"

    def size(self, resolution: int) -> int:
        """Pixels of a side at a resolution of 10, 20 or 60 m."""
        return self.tile.size(resolution)

    def transform(self, resolution: int) -> tuple[float, float, float, float, float, float]:
        """Affine transform (a, b, c, d, e, f) from pixel corners to map coordinates."""
        return self.tile.transform(resolution)

    def x_of(self, column: FloatArray, resolution: int) -> FloatArray:
        """Easting of pixel centres."""
        return self.ulx + (column + 0.5) * resolution

    def y_of(self, row: FloatArray, resolution: int) -> FloatArray:
        """Northing of pixel centres."""
        return self.uly - (row + 0.5) * resolution

    def write(self, folder: Path) -> None:
        """Write `tile.json` into the tile folder."""
        (folder / "tile.json").write_text(json.dumps(asdict(self), indent=1) + "\n")


def read_tile(folder: Path) -> TileSheet:
    """Read `tile.json` of a tile folder; raise MissingInput or InvalidInput naming the file."""
    path = folder / "tile.json"
    if not path.is_file():
        raise MissingInput(f"{path}: absent: TILE_INIT writes it, run it again")
    values = json.loads(path.read_text())
    try:
        values["detectors"] = tuple(values["detectors"])
        return TileSheet(**values)
    except (KeyError, TypeError) as error:
        raise InvalidInput(f"{path}: not the description of a tile ({error}): run TILE_INIT again") from error


def selected_tiles(ctx: JobContext, file_type: str = "PDI_DS_TILE_LIST") -> list[tuple[TileSheet, Path]]:
    """Return the tiles of this job with their folders in an input, in the order of the tile list.

    Raises MissingInput when the input holds none of them.
    """
    root = ctx.input_dir(file_type)
    sheets = [(read_tile(path), path) for path in sorted(root.glob("T*")) if (path / "tile.json").is_file()]
    chosen = [item for item in sheets if not ctx.tile_indices or item[0].index in ctx.tile_indices]
    if not chosen:
        wanted = ", ".join(map(str, ctx.tile_indices)) or "any"
        raise MissingInput(f"{root}: no tile.json of tile {wanted}: run TILE_INIT of the tile again")
    return sorted(chosen, key=lambda item: item[0].index)


def pass_on(source: Path, target: Path, *names: str) -> None:
    """Copy small descriptions to the output of this job, for processors that do not get them otherwise."""
    target.mkdir(parents=True, exist_ok=True)
    for name in names:
        if not (source / name).is_file():
            raise MissingInput(f"{source / name}: absent: run the previous processors of the tile again")
        shutil.copyfile(source / name, target / name)


def load_array(path: Path, *, mapped: bool = False) -> NDArray[np.generic]:
    """Read a .npy array, memory mapped on request; raise MissingInput or InvalidInput naming the file."""
    if not path.is_file():
        raise MissingInput(f"{path}: absent: expected from the previous processor of the tile, run it again")
    try:
        array: NDArray[np.generic] = np.load(path, mmap_mode="r" if mapped else None, allow_pickle=False)
    except ValueError as error:
        raise InvalidInput(f"{path}: not a readable array ({error}): run the job that writes it again") from error
    return array
