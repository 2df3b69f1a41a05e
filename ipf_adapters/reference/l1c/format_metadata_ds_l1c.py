"""FORMAT_METADATA_DS_L1C: the L1C datastrip item."""

from __future__ import annotations

from lxml import etree

from ipf_adapters.reference.context import JobContext
from ipf_adapters.reference.l1c import xmltree
from ipf_adapters.reference.l1c.datastrip_metadata import DatastripContent, datastrip_document
from ipf_adapters.reference.l1c.items import auxiliary_names, item_name
from ipf_adapters.reference.pdi import new_pdi
from ipf_adapters.science.working import DatastripInfo, read_ancillary, read_datastrip, read_refining
from s2ps.formats.gipp import AbsoluteCalibration, RadiometricParameters, read_gipp
from s2ps.formats.tile_list import read_tile_list

DATASTRIP_METADATA = "MTD_DS.xml"


def run(ctx: JobContext) -> None:
    """Write the folder of the datastrip item (MSI_L1C_DS)."""
    folder = ctx.input_dir("PDI_DS")
    info = read_datastrip(folder)
    name = item_name(ctx, info, "MSI_L1C_DS")
    content = DatastripContent(
        name=str(name),
        ancillary=read_ancillary(folder),
        tile_ids=_tile_ids(ctx, info),
        calibration=read_gipp(ctx.input_file("GIP_R2ABCA"), AbsoluteCalibration),
        radiometry=read_gipp(ctx.input_file("GIP_R2PARA"), RadiometricParameters),
        gipps=auxiliary_names(ctx),
        terrain=ctx.input_dir("DEM_SRTM").name,
        bulletin=_stems(ctx, "IERS")[0] if ctx.has_input("IERS") else "none",
        reference_images=_reference_images(ctx),
        meteorology=[*_stems(ctx, "ECMWF"), *_stems(ctx, "CAMS")],
        refining=read_refining(folder),
    )
    pdi = new_pdi(ctx.output_dir("PDI_DS"), name)
    xmltree.write(pdi.path / DATASTRIP_METADATA, datastrip_document(ctx, info, content))
    pdi.finish()
    ctx.log.info(f"datastrip {pdi.path.name}: {len(content.tile_ids)} tiles")


def _tile_ids(ctx: JobContext, info: DatastripInfo) -> list[str]:
    if not ctx.has_input("TILE_LIST_FILE"):
        return []
    entries = read_tile_list(ctx.input_file("TILE_LIST_FILE"))
    return [str(item_name(ctx, info, "MSI_L1C_TL", entry.tile)) for entry in entries]


def _stems(ctx: JobContext, file_type: str) -> list[str]:
    if not ctx.has_input(file_type):
        return []
    return [path.name.split(".")[0] for path in ctx.input_files(file_type)]


def _reference_images(ctx: JobContext) -> list[str]:
    if not ctx.has_input("GRI_LIST_FILE"):
        return []
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    root = etree.fromstring(ctx.input_file("GRI_LIST_FILE").read_bytes(), parser)
    found = [item.get("GRI_GR_Id") or (item.text or "").strip() for item in root.iter("{*}GRI_GR")]
    return sorted({name for name in found if name})
