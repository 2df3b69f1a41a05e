"""FORMAT_METADATA_DS_L2A: the L2A datastrip item."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from ipf_adapters.reference.context import JobContext
from ipf_adapters.reference.errors import MissingInput
from ipf_adapters.reference.l1c import xmltree
from ipf_adapters.reference.l1c.format_metadata_ds_l1c import DATASTRIP_METADATA
from ipf_adapters.reference.l1c.xmltree import node
from ipf_adapters.reference.l2a.conversion import converted, replace_text, surface_characteristics
from ipf_adapters.reference.l2a.sen2cor_ds import WORKING
from ipf_adapters.reference.pdi import new_pdi, one_pdi
from s2ps.formats.pdi_metadata import metadata_file, read_pdi_metadata
from s2ps.model.names import PdiName
from s2ps.model.timestamps import format_utc


def run(ctx: JobContext) -> None:
    """Write the folder of the datastrip item (MSI_L2A_DS)."""
    path, name = one_pdi(ctx.input_dir("MSI_L1C_DS"), "MSI_L1C_DS")
    content = _working(ctx)
    target = l2a_name(ctx, name, "MSI_L2A_DS")
    root = converted(
        read_pdi_metadata(metadata_file(path)), "Level-2A_DataStrip_ID", "S2_PDI_Level-2A_Datastrip_Metadata.xsd"
    )
    replace_text(root, "DATASTRIP_ID", str(target))
    replace_text(root, "UTC_DATE_TIME", format_utc(ctx.creation))
    replace_text(root, "PROCESSING_BASELINE", ctx.baseline)
    replace_text(root, "ARCHIVING_TIME", format_utc(ctx.creation))
    for tile in root.iter("Tile"):
        if identifier := tile.get("tileId"):
            tile.set("tileId", str(l2a_name(ctx, PdiName.parse(identifier), "MSI_L2A_TL")))
    surface_characteristics(root)
    gipps = next(root.iter("GIPP_List"), None)
    if gipps is not None:
        for file_type, file_name, version in content["gipps"]:
            node(gipps, "GIPP_FILENAME", file_name, type=file_type, version=version)
    pdi = new_pdi(ctx.output_dir("PDI_DS"), target)
    xmltree.write(pdi.path / DATASTRIP_METADATA, root)
    pdi.finish()
    ctx.log.info(f"datastrip {target}")


def l2a_name(ctx: JobContext, name: PdiName, file_type: str) -> PdiName:
    """Return the name of the L2A item made of an L1C item."""
    return replace(name, file_type=file_type, site=ctx.centre, creation=ctx.creation, baseline=ctx.baseline)


def _working(ctx: JobContext) -> dict[str, Any]:
    path = ctx.input_dir("PDI_DS") / WORKING
    if not path.is_file():
        raise MissingInput(f"{path}: absent: run SEN2COR_DS first")
    values: dict[str, Any] = json.loads(path.read_text())
    return values
