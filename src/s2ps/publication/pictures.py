"""Where the picture of a product comes from: the true-colour image of a tile, or the quick-look of its datastrip."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from s2ps.model.errors import InputError
from s2ps.model.names import PdiName
from s2ps.publication.product_facts import Facts
from s2ps.publication.quicklook import EDGE, Picture, Quicklook, encode
from s2ps.publication.strips import Strips, read_strips

_TILES = ("USER", "TL", "TC")
_ENOUGH = EDGE
"""Pixels of a side from which on a coarser true-colour image is good enough."""


class Pictures:
    """Makes the pictures of the products of one run; what several of them share is read once."""

    def __init__(self, products: Path) -> None:
        """`products` is the folder that holds PDI/<level>."""
        self._products = products
        self._tiles: dict[tuple[int, int], Picture] = {}
        self._encoded: dict[int, tuple[Picture, Quicklook]] = {}
        self._strips: dict[Path, Strips | None] = {}

    def quicklook(self, facts: Facts) -> Quicklook | None:
        """Return the quick-look of a product, None where there is none."""
        picture = self.of(facts)
        if picture is None:
            return None
        if id(picture) not in self._encoded:
            self._encoded[id(picture)] = picture, encode(picture)
        return self._encoded[id(picture)][1]

    def of(self, facts: Facts) -> Picture | None:
        """Return the picture of a product, None where there is none."""
        if facts.kind in _TILES:
            return self._of_tile(facts)
        if facts.kind in ("DS", "GR"):
            return self._of_datastrip(facts)
        return None

    def _of_tile(self, facts: Facts) -> Picture | None:
        folder = facts.path if facts.kind == "TC" else facts.images
        candidates = sorted(folder.rglob("*_TCI*.jp2"), key=_resolution, reverse=True)
        for number, path in enumerate(candidates, 1):
            status = path.stat()
            known = self._tiles.get((status.st_dev, status.st_ino))
            picture = known or _read_tile(path, enough=_ENOUGH if number < len(candidates) else 0)
            if picture is not None:
                self._tiles[status.st_dev, status.st_ino] = picture
                return picture
        return None

    def _of_datastrip(self, facts: Facts) -> Picture | None:
        datastrip = facts.name if facts.item is None or facts.kind == "DS" else facts.item.text("DATASTRIP_ID")
        folder = self._level_0(PdiName.parse(datastrip))
        if folder is None:
            return None
        if folder not in self._strips:
            self._strips[folder] = read_strips(folder / "QI_DATA")
        strips = self._strips[folder]
        if strips is None:
            return None
        if facts.kind == "DS":
            return strips.whole
        detector = PdiName.parse(facts.name).detector
        if facts.item is None or detector is None:
            return None
        return strips.picture(detector, int(facts.item.text("POSITION")))

    def _level_0(self, name: PdiName) -> Path | None:
        """Return the published Level-0 item of a datastrip: the newest that is not newer than the name asks for."""
        if name.sensing_start is None:
            return None
        found: list[tuple[PdiName, Path]] = []
        for path in (self._products / "PDI" / "L0").glob(f"{name.unit}_*_MSI_L0__DS_*"):
            try:
                found.append((PdiName.parse(path.name), path))
            except InputError:
                continue
        fitting = [(n.creation, p) for n, p in found if n.sensing_start == name.sensing_start]
        return max(fitting)[1] if fitting else None


def _resolution(path: Path) -> int:
    found = re.search(r"_(\d+)m\.jp2$", path.name)
    return int(found[1]) if found else 10


def _read_tile(path: Path, enough: int) -> Picture | None:
    """Read a true-colour image, reduced; None when it has fewer pixels than are enough."""
    import rasterio
    from rasterio.enums import Resampling

    with rasterio.open(path) as image:
        if max(image.shape) < enough:
            return None
        factor = -(-max(image.shape) // EDGE)
        shape = (3, max(1, image.height // factor), max(1, image.width // factor))
        pixels = image.read(indexes=[1, 2, 3], out_shape=shape, resampling=Resampling.average)
        place, across, along = image.transform, image.width / shape[2], image.height / shape[1]
        transform = (place.a * across, place.b * along, place.c, place.d * across, place.e * along, place.f)
        return Picture(np.ascontiguousarray(pixels, np.uint8), image.crs.to_epsg(), transform)
