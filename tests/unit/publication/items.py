"""Small items with real metadata, for tests of publication."""

from __future__ import annotations

from pathlib import Path

from s2ps.formats.manifest import write_manifest

TILE = "S2B_OPER_MSI_L1C_TL_S2PS_20260701T120000_A048123_T32TPQ_N05.00"
DATASTRIP = "S2B_OPER_MSI_L1C_DS_S2PS_20260701T120000_S20260701T101559_N05.00"
GRANULE = "S2B_OPER_MSI_L0__GR_S2PS_20260701T120000_S20260701T101559_D01_N05.00"
PRODUCT = "S2B_MSIL1C_20260701T101559_N0500_R022_T32TPQ_20260701T120000.SAFE"
ASPECTS = ("FORMAT_CORRECTNESS", "GENERAL_QUALITY", "SENSOR_QUALITY", "GEOMETRIC_QUALITY", "RADIOMETRIC_QUALITY")

_TILE_METADATA = f"""<a><General_Info><TILE_ID>{TILE}</TILE_ID><DATASTRIP_ID>{DATASTRIP}</DATASTRIP_ID>
<SENSING_TIME>2026-07-01T10:16:01Z</SENSING_TIME></General_Info>
<Q><CLOUDY_PIXEL_PERCENTAGE>4.5</CLOUDY_PIXEL_PERCENTAGE></Q>
<EXT_POS_LIST>45 10 45 11 44 11 45 10</EXT_POS_LIST></a>"""
_DATASTRIP_METADATA = f"""<a><DATASTRIP_ID>{DATASTRIP}</DATASTRIP_ID>
<Datatake_Info datatakeIdentifier="GS2B_20260701T101559_048123_N05.00"><DATATAKE_TYPE>INS-NOBS</DATATAKE_TYPE>
<SENSING_ORBIT_NUMBER>22</SENSING_ORBIT_NUMBER><SENSING_ORBIT_DIRECTION>DESCENDING</SENSING_ORBIT_DIRECTION>
</Datatake_Info><DATASTRIP_SENSING_START>2026-07-01T10:15:59Z</DATASTRIP_SENSING_START>
<DATASTRIP_SENSING_STOP>2026-07-01T10:16:14Z</DATASTRIP_SENSING_STOP>
<Product_Image_Characteristics><U>0.97</U></Product_Image_Characteristics>
<Auxiliary_Data_Info><GIPP_List/></Auxiliary_Data_Info></a>"""


def tile_item(folder: Path, image: bytes = b"image") -> Path:
    """Write a tile item."""
    item = folder / TILE
    (item / "IMG_DATA").mkdir(parents=True)
    (item / "IMG_DATA" / "T32TPQ_20260701T101559_B02.jp2").write_bytes(image)
    (item / "MTD_TL.xml").write_text(_TILE_METADATA)
    write_manifest(item, "MSI_L1C_TL")
    return item


def datastrip_item(folder: Path) -> Path:
    """Write a datastrip item."""
    item = folder / DATASTRIP
    item.mkdir(parents=True)
    (item / "MTD_DS.xml").write_text(_DATASTRIP_METADATA)
    write_manifest(item, "MSI_L1C_DS")
    return item


def reports(folder: Path, *items: Path, failed: str = "", without: str = "") -> Path:
    """Write quality reports of items; `failed` names an aspect that failed, `without` one that is absent."""
    for item in items:
        for aspect in ASPECTS:
            if aspect == without:
                continue
            status = "FAILED" if aspect == failed else "PASSED"
            path = folder / item.name / "QI_DATA" / f"{item.name}_{aspect}_report.xml"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(
                f'<r><report globalStatus="{status}"><check><inspection name="lost_packets" status="{status}"/></check>'
                "</report></r>"
            )
    return folder


def inventory(folder: Path, *items: Path) -> Path:
    """Write inventory records of items."""
    for item in items:
        (folder / item.name).mkdir(parents=True)
        (folder / item.name / "Inventory_Metadata.xml").write_text("<Inventory_Metadata/>")
    return folder
