"""COMPRESS_TILE_IMAGE: the raw images of an L2A tile as lossless JPEG 2000."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np

from ipf_adapters.reference.context import JobContext
from ipf_adapters.reference.errors import InvalidInput, MissingInput
from ipf_adapters.reference.l1c.jpeg2000 import write_jp2
from ipf_adapters.reference.l1c.tile_folder import load_array
from ipf_adapters.reference.l2a.layout import RAW_SUFFIX, WORKING
from s2ps.formats.gipp import Jp2Parameters, read_gipp
from s2ps.model.tiles import Tile

_RESOLUTION = re.compile(r"_(10|20|60)m$")


def run(ctx: JobContext) -> None:
    """Write a .jp2 for every raw image, at the same place in the output."""
    coding = read_gipp(ctx.input_file("GIP_JP2KPA"), Jp2Parameters)
    source, root = ctx.input_dir("PDI_DS_TILE_LIST"), ctx.output_dir("PDI_DS_TILE_LIST")
    folders = sorted(path.parent for path in source.glob(f"T*/{WORKING}"))
    if not folders:
        raise MissingInput(f"{source}: no tile of SEN2COR_TL: run it first")
    for folder in folders:
        tile = _tile(folder)
        raw = sorted(folder.rglob(f"*{RAW_SUFFIX}"))
        for path in raw:
            _compress(path, (root / folder.name / path.relative_to(folder)).with_suffix(".jp2"), tile, coding)
        ctx.log.info(f"tile {folder.name}: {len(raw)} images")


def _tile(folder: Path) -> Tile:
    path = folder / WORKING
    try:
        return Tile(**json.loads(path.read_text())["grid"])
    except (KeyError, TypeError, ValueError) as error:
        raise InvalidInput(f"{path}: does not describe a tile ({error!r}): run SEN2COR_TL again") from error


def _compress(path: Path, target: Path, tile: Tile, coding: Jp2Parameters) -> None:
    found = _RESOLUTION.search(path.stem)
    if found is None:
        raise InvalidInput(f"{path}: the name tells no resolution: expected ..._10m, _20m or _60m")
    image = np.asarray(load_array(path, mapped=True))
    write_jp2(target, image, tile.epsg, tile.transform(int(found[1])), coding)
