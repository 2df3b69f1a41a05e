"""FORMAT_METADATA_TILE_L2A: the L2A tile item."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from lxml import etree

from ipf_adapters.reference.context import JobContext
from ipf_adapters.reference.errors import MissingInput
from ipf_adapters.reference.l1c import xmltree
from ipf_adapters.reference.l1c.format_metadata_tile_l1c import TILE_METADATA
from ipf_adapters.reference.l1c.items import link_file, link_tree
from ipf_adapters.reference.l1c.xmltree import node
from ipf_adapters.reference.l2a import layout
from ipf_adapters.reference.l2a.conversion import converted, replace_text
from ipf_adapters.reference.l2a.format_metadata_ds_l2a import l2a_name
from ipf_adapters.reference.pdi import new_pdi, one_pdi, pdis_in
from s2ps.formats.pdi_metadata import PdiMetadata, metadata_file, read_pdi_metadata
from s2ps.model.names import PdiName
from s2ps.model.timestamps import format_utc

CLOUDS = ("CLOUD_MEDIUM_PROBA", "CLOUD_HIGH_PROBA", "THIN_CIRRUS")
SHARES = {
    "NODATA_PIXEL_PERCENTAGE": "NODATA", "SATURATED_DEFECTIVE_PIXEL_PERCENTAGE": "SATURATED_DEFECTIVE",
    "DARK_FEATURES_PERCENTAGE": "DARK_FEATURE_SHADOW", "CLOUD_SHADOW_PERCENTAGE": "CLOUD_SHADOW",
    "VEGETATION_PERCENTAGE": "VEGETATION", "NOT_VEGETATED_PERCENTAGE": "NOT_VEGETATED", "WATER_PERCENTAGE": "WATER",
    "UNCLASSIFIED_PERCENTAGE": "UNCLASSIFIED", "MEDIUM_PROBA_CLOUDS_PERCENTAGE": "CLOUD_MEDIUM_PROBA",
    "HIGH_PROBA_CLOUDS_PERCENTAGE": "CLOUD_HIGH_PROBA", "THIN_CIRRUS_PERCENTAGE": "THIN_CIRRUS",
    "SNOW_ICE_PERCENTAGE": "SNOW_ICE",
}  # fmt: skip
"""Element of the metadata and the class whose share it tells."""


def run(ctx: JobContext) -> None:
    """Write the folder of the tile item (MSI_L2A_TL) of every tile that SEN2COR_TL made."""
    root = ctx.output_dir("PDI_DS_TILE_LIST")
    _, datastrip = one_pdi(ctx.input_dir("MSI_L2A_DS"), "MSI_L2A_DS")
    source = ctx.input_dir("PDI_DS_TILE_LIST")
    made = 0
    for path, name in pdis_in(ctx.input_dir("MSI_L1C_TL"), "MSI_L1C_TL"):
        folder = source / f"T{name.tile}"
        if (folder / layout.WORKING).is_file():
            item = _tile_item(ctx, path, name, folder, datastrip, root)
            ctx.log.info(f"tile {name.tile}: {item.name}")
            made += 1
    if not made:
        raise MissingInput(f"{source}: no tile of SEN2COR_TL with its L1C item: run SEN2COR_TL first")


def _tile_item(ctx: JobContext, l1c: Path, name: PdiName, folder: Path, datastrip: PdiName, root: Path) -> Path:
    values: dict[str, Any] = json.loads((folder / layout.WORKING).read_text())
    target = l2a_name(ctx, name, "MSI_L2A_TL")
    pdi = new_pdi(root, target)
    images = [path for path in sorted(folder.rglob("*.jp2")) if path.is_file()]
    expected = len(list(folder.rglob(f"*{layout.RAW_SUFFIX}")))
    if len(images) < expected or not images:
        raise MissingInput(f"{folder}: {len(images)} of {expected} images are compressed: run COMPRESS_TILE_IMAGE")
    for path in images:
        link_file(path, pdi.path / path.relative_to(folder))
    link_tree(l1c / "QI_DATA", pdi.path / "QI_DATA")
    if (l1c / "AUX_DATA").is_dir():
        link_tree(l1c / "AUX_DATA", pdi.path / "AUX_DATA")
    metadata = read_pdi_metadata(metadata_file(l1c))
    document = _document(metadata, name, target, datastrip, values)
    replace_text(document, "ARCHIVING_CENTRE", ctx.centre)
    replace_text(document, "ARCHIVING_TIME", format_utc(ctx.creation))
    xmltree.write(pdi.path / TILE_METADATA, document)
    return pdi.finish()


def _document(
    metadata: PdiMetadata, name: PdiName, target: PdiName, datastrip: PdiName, values: dict[str, Any]
) -> etree._Element:
    root = converted(metadata, "Level-2A_Tile_ID", "S2_PDI_Level-2A_Tile_Metadata.xsd")
    general = root.find("{*}General_Info")
    if general is None:
        raise MissingInput(f"{metadata.source}: no General_Info: produce the L1C tile again")
    origin = etree.Element("L1C_TILE_ID", metadataLevel="Brief")
    origin.text = str(name)
    general.insert(0, origin)
    replace_text(root, "TILE_ID", str(target))
    replace_text(root, "DATASTRIP_ID", str(datastrip))
    _quality(root, values)
    for element in (*root.iter("MASK_FILENAME"), *root.iter("PVI_FILENAME")):
        element.text = (element.text or "").replace("GRANULE/L1C_", "GRANULE/L2A_")
    masks = next(root.iter("Pixel_Level_QI"), None)
    if masks is not None and len(masks):
        folder = (masks[-1].text or "").rpartition("/")[0]
        for kind in ("MSK_CLDPRB", "MSK_SNWPRB"):
            for resolution in (20, 60):
                node(masks, "MASK_FILENAME", f"{folder}/{kind}_{resolution}m.jp2", type=kind)
    return root


def _quality(root: etree._Element, values: dict[str, Any]) -> None:
    content = next(root.iter("Image_Content_QI"))
    degraded = content.findtext("DEGRADED_MSI_DATA_PERCENTAGE") or "0.000000"
    for child in list(content):
        content.remove(child)
    cloudy = sum(float(values[f"scene_{name}"]) for name in CLOUDS)
    node(content, "CLOUDY_PIXEL_PERCENTAGE", f"{cloudy:.6f}")
    node(content, "CLOUDY_PIXEL_OVER_LAND_PERCENTAGE", f"{cloudy:.6f}")
    node(content, "DEGRADED_MSI_DATA_PERCENTAGE", degraded)
    for tag, name in SHARES.items():
        node(content, tag, f"{float(values[f'scene_{name}']):.6f}")
    for tag in ("RADIATIVE_TRANSFER_ACCURACY", "WATER_VAPOUR_RETRIEVAL_ACCURACY", "AOT_RETRIEVAL_ACCURACY"):
        node(content, tag, "0.0")
    node(content, "AOT_RETRIEVAL_METHOD", values["aot_method"])
    node(content, "GRANULE_MEAN_AOT", f"{values['mean_aot']:.6f}")
    node(content, "GRANULE_MEAN_WV", f"{values['mean_wv']:.6f}")
    node(content, "OZONE_SOURCE", values["ozone_source"])
    node(content, "OZONE_VALUE", f"{values['ozone']:.6f}")
