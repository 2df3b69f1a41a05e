"""The L1C tile item as Level-2A reads it: grid, angles, images and meteorology."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from lxml import etree
from numpy.typing import NDArray

from ipf_adapters.reference.errors import InvalidInput, MissingInput
from ipf_adapters.reference.l1c.angles import STEP_AT_SCALE_1
from ipf_adapters.reference.l1c.jpeg2000 import read_jp2
from ipf_adapters.reference.l1c.splines import spread
from s2ps.formats.pdi_metadata import PdiMetadata, metadata_file, read_pdi_metadata
from s2ps.model.bands import Band
from s2ps.model.names import PdiName
from s2ps.model.tiles import Tile

FloatArray = NDArray[np.float64]
Image = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class L1cTile:
    """One tile item and what its metadata tell; node arrays lie on the angle grid, rows from north to south."""

    path: Path
    name: PdiName
    metadata: PdiMetadata
    tile: Tile
    step: float
    """Metres between nodes."""
    sun_zenith: FloatArray
    """Degrees at the nodes."""
    view_mass: FloatArray
    """1 / cos(view zenith) at the nodes, a smooth fit over all detectors."""

    @property
    def image_prefix(self) -> str:
        """Start of image file names: "T32TPQ_20260701T101559"."""
        return image_of(self.path, Band.B02).name.removesuffix("_B02.jp2")

    def numbers(self, band: Band) -> NDArray[np.uint16]:
        """Read the digital numbers of a band."""
        return np.asarray(read_jp2(image_of(self.path, band)), dtype=np.uint16)

    def node_coordinates(self) -> tuple[FloatArray, FloatArray]:
        """Return easting and northing of the nodes, each of the shape of the angle grid."""
        rows, cols = self.sun_zenith.shape
        x, y = np.meshgrid(self.tile.ulx + np.arange(cols) * self.step, self.tile.uly - np.arange(rows) * self.step)
        return x, y

    def to_pixels(self, nodes: FloatArray, resolution: int) -> Image:
        """Spread node values to the pixel centres of a resolution."""
        pixels = (np.arange(self.tile.size(resolution)) + 0.5) * resolution
        rows = spread(np.arange(nodes.shape[0]) * self.step, pixels).astype(np.float32)
        cols = spread(np.arange(nodes.shape[1]) * self.step, pixels).astype(np.float32)
        return np.asarray(rows @ nodes.astype(np.float32) @ cols.T)


def image_of(item: Path, band: Band) -> Path:
    """Return the image file of a band in a tile item; raises MissingInput."""
    found = sorted((item / "IMG_DATA").glob(f"*_{band.name}.jp2"))
    if len(found) != 1:
        raise MissingInput(f"{item}: {len(found)} images of {band.name}: produce the L1C tile again")
    return found[0]


def read_l1c_tile(item: Path, name: PdiName) -> L1cTile:
    """Read the metadata of a tile item; raises InvalidInput naming the file and what is missing."""
    metadata = read_pdi_metadata(metadata_file(item))
    try:
        epsg = int(metadata.text("HORIZONTAL_CS_CODE").removeprefix("EPSG:"))
        sun = metadata.root.find(".//{*}Sun_Angles_Grid")
        if sun is None:
            raise ValueError("Sun_Angles_Grid is missing")
        step = float(sun.findtext(".//{*}COL_STEP") or "nan")
        tile = Tile(
            name.tile or "", epsg, int(float(metadata.text("ULX"))), int(float(metadata.text("ULY"))),
            round(STEP_AT_SCALE_1 / step),
        )  # fmt: skip
        zenith = _grid(sun, "Zenith")
        views = [_grid(grid, "Zenith") for grid in metadata.root.iter("{*}Viewing_Incidence_Angles_Grids")]
    except ValueError as error:
        raise InvalidInput(f"{metadata.source}: {error}: produce the L1C tile again") from error
    return L1cTile(item, name, metadata, tile, step, zenith, smooth_mass(views, zenith.shape))


def _grid(parent: etree._Element, tag: str) -> FloatArray:
    rows = [(row.text or "").split() for row in parent.iterfind(f"{{*}}{tag}//{{*}}VALUES")]
    if len(rows) < 4 or len({len(row) for row in rows}) != 1:
        raise ValueError(f"{tag} grid of {len(rows)} rows cannot be read")
    return np.array(rows, dtype=np.float64)


def smooth_mass(views: list[FloatArray], shape: tuple[int, ...]) -> FloatArray:
    """Fit 1 / cos(zenith) of all grids by a quadratic surface, so that it is known at every node."""
    row, col = np.indices(shape) / (np.array(shape).reshape(2, 1, 1) - 1.0)
    terms = np.stack([np.ones(shape), row, col, row * row, row * col, col * col], axis=-1)
    known = [~np.isnan(view) for view in views]
    if not any(mask.any() for mask in known):
        return np.ones(shape)
    left = np.concatenate([terms[mask] for mask in known])
    right = np.concatenate([1.0 / np.cos(np.radians(view[mask])) for view, mask in zip(views, known, strict=True)])
    weights, *_ = np.linalg.lstsq(left, right, rcond=None)
    return np.asarray(np.maximum(terms @ weights, 1.0), dtype=np.float64)
