"""FORMAT_METADATA_TILE_L1C: the L1C tile item and its true-colour item."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ipf_adapters.reference.context import JobContext
from ipf_adapters.reference.errors import MissingInput
from ipf_adapters.reference.l1c import xmltree
from ipf_adapters.reference.l1c.items import granule_folder, item_name, link_file, link_tree
from ipf_adapters.reference.l1c.mask_s2 import percentages
from ipf_adapters.reference.l1c.tile_finalize import read_tile_info
from ipf_adapters.reference.l1c.tile_folder import TileSheet, load_array, selected_tiles
from ipf_adapters.reference.l1c.tile_metadata import TileIdentity, TileQuality, add_footprint, tile_document
from ipf_adapters.reference.pdi import new_pdi
from ipf_adapters.science.working import DatastripInfo, read_datastrip
from s2ps.model.bands import BANDS

TILE_METADATA = "MTD_TL.xml"
PARTS = ("IMG_DATA", "QI_DATA", "AUX_DATA")


def run(ctx: JobContext) -> None:
    """Write the folders of the tile item (MSI_L1C_TL) and of the true-colour item (MSI_L1C_TC)."""
    info = read_datastrip(ctx.input_dir("PDI_DS"))
    root = ctx.output_dir("PDI_DS_TILE_LIST")
    for sheet, folder in selected_tiles(ctx):
        path = _tile_item(ctx, info, sheet, folder, root)
        _colour_item(ctx, info, sheet, folder, root)
        ctx.log.info(f"tile {sheet.name}: {path.name}")


def _tile_item(ctx: JobContext, info: DatastripInfo, sheet: TileSheet, folder: Path, root: Path) -> Path:
    name = item_name(ctx, info, "MSI_L1C_TL", sheet.name)
    pdi = new_pdi(root, name)
    for part in PARTS:
        if (folder / part).is_dir():
            link_tree(folder / part, pdi.path / part)
    for band in BANDS:
        image = pdi.path / "IMG_DATA" / f"{sheet.image_prefix}_{band.name}.jp2"
        if not image.is_file():
            raise MissingInput(f"tile {sheet.name}: {image.name} is absent: run FORMAT_IMG_L1C of {band.name} again")
    geometry, values = read_tile_info(folder)
    planes = np.asarray(load_array(folder / "classification.npy"), dtype=np.uint8)
    shares = percentages(planes, np.ones(planes.shape[1:], dtype=bool))
    known = max(1e-9, 1.0 - float(values["no_data"]) / 100.0)
    quality = TileQuality(
        cloudy=min(100.0, shares["cloudy"] / known),
        cirrus=min(100.0, shares["cirrus"] / known),
        snow=min(100.0, shares["snow"] / known),
        no_data=float(values["no_data"]),
        degraded=float(values["degraded"]),
    )
    datastrip = item_name(ctx, info, "MSI_L1C_DS")
    identity = TileIdentity(str(name), str(datastrip), ctx.centre, ctx.creation)
    root_element = tile_document(identity, sheet, geometry, quality, granule_folder("L1C", sheet.name, info))
    add_footprint(root_element, values["footprint"])
    xmltree.write(pdi.path / TILE_METADATA, root_element)
    return pdi.finish()


def _colour_item(ctx: JobContext, info: DatastripInfo, sheet: TileSheet, folder: Path, root: Path) -> None:
    pdi = new_pdi(root, item_name(ctx, info, "MSI_L1C_TC", sheet.name))
    image = f"{sheet.image_prefix}_TCI.jp2"
    link_file(folder / "IMG_DATA" / image, pdi.path / image)
    pdi.finish()
