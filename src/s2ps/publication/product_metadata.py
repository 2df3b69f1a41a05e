"""MTD_MSIL1C.xml and MTD_MSIL2A.xml: the metadata of a user product, from those of its tile and datastrip.

Source: Sentinel-2 Products Specification, user products Level-1C and Level-2A.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from pathlib import Path

from lxml import etree

from s2ps.formats.pdi_metadata import PSD, XSI, PdiMetadata
from s2ps.model.errors import InputError
from s2ps.model.mission import Level, spacecraft_name
from s2ps.model.names import DatatakeName, PdiName
from s2ps.model.timestamps import format_utc

_ORDER = {"R10m": 0, "R20m": 1, "R60m": 2}


@dataclass(frozen=True, slots=True)
class ProductParts:
    """What a user product is made of; folders are names below GRANULE and DATASTRIP."""

    level: Level
    name: str
    datatake_id: str
    granule: str
    datastrip: str
    tile_id: str
    datastrip_id: str
    tile: PdiMetadata
    datastrip_metadata: PdiMetadata
    inspections: tuple[tuple[str, str], ...]
    """Quality aspect and outcome."""
    degraded: tuple[str, ...] = ()
    """Auxiliary types for which a fallback stood in."""

    @property
    def level_number(self) -> str:
        """ "1C" or "2A"."""
        return self.level.value[1:]

    @property
    def metadata_name(self) -> str:
        """File name of the product metadata."""
        return f"MTD_MSI{self.level}.xml"


def write_product_metadata(folder: Path, parts: ProductParts) -> Path:
    """Write the product metadata for the images that lie in a product folder, and return its path."""
    schema = f"{PSD}User_Product_Level-{parts.level_number}.xsd"
    root = etree.Element(f"{{{schema}}}Level-{parts.level_number}_User_Product", nsmap={"n1": schema, "xsi": XSI})
    general = etree.SubElement(root, f"{{{schema}}}General_Info")
    _product_info(general, folder, parts)
    general.append(_copied(parts.datastrip_metadata, "Product_Image_Characteristics"))
    _geometric_info(etree.SubElement(root, f"{{{schema}}}Geometric_Info"), parts)
    auxiliary = etree.SubElement(root, f"{{{schema}}}Auxiliary_Data_Info")
    auxiliary.extend(list(_copied(parts.datastrip_metadata, "Auxiliary_Data_Info")))
    _quality_info(etree.SubElement(root, f"{{{schema}}}Quality_Indicators_Info"), parts)
    etree.indent(root, "  ")
    path = folder / parts.metadata_name
    path.write_bytes(etree.tostring(root, xml_declaration=True, encoding="UTF-8", standalone=True) + b"\n")
    return path


def _leaf(parent: etree._Element, tag: str, text: str, **attributes: str) -> None:
    etree.SubElement(parent, tag, attributes).text = text


def _copied(metadata: PdiMetadata, tag: str) -> etree._Element:
    found = next(metadata.root.iter(f"{{*}}{tag}"), None)
    if found is None:
        raise InputError(f"metadata {metadata.source}: {tag} is missing", next_step="have the item made again")
    element = copy.deepcopy(found)
    element.tail = None
    etree.cleanup_namespaces(element)
    return element


def _product_info(general: etree._Element, folder: Path, parts: ProductParts) -> None:
    info = etree.SubElement(general, "Product_Info")
    datatake = DatatakeName.parse(parts.datatake_id)
    start = format_utc(datatake.start, digits=3)
    creation = PdiName.parse(parts.tile_id).creation
    texts = {
        "PRODUCT_START_TIME": start, "PRODUCT_STOP_TIME": start, "PRODUCT_URI": parts.name,
        "PROCESSING_LEVEL": f"Level-{parts.level_number}", "PRODUCT_TYPE": f"S2MSI{parts.level_number}",
        "PROCESSING_BASELINE": PdiName.parse(parts.tile_id).baseline or datatake.baseline,
        "GENERATION_TIME": format_utc(creation), "PREVIEW_IMAGE_URL": "Not applicable",
        "PREVIEW_GEO_INFO": "Not applicable",
    }  # fmt: skip
    for tag, text in texts.items():
        _leaf(info, tag, text)
    element = etree.SubElement(info, "Datatake", datatakeIdentifier=parts.datatake_id)
    datastrip = parts.datastrip_metadata
    _leaf(element, "SPACECRAFT_NAME", spacecraft_name(datatake.unit))
    _leaf(element, "DATATAKE_TYPE", datastrip.text("DATATAKE_TYPE"))
    _leaf(element, "DATATAKE_SENSING_START", start)
    _leaf(element, "SENSING_ORBIT_NUMBER", datastrip.text("SENSING_ORBIT_NUMBER"))
    _leaf(element, "SENSING_ORBIT_DIRECTION", datastrip.text("SENSING_ORBIT_DIRECTION"))
    options = etree.SubElement(info, "Query_Options", completeSingleTile="true")
    _leaf(options, "PRODUCT_FORMAT", "SAFE_COMPACT")
    granules = etree.SubElement(etree.SubElement(info, "Product_Organisation"), "Granule_List")
    granule = etree.SubElement(
        granules, "Granule", datastripIdentifier=parts.datastrip_id, granuleIdentifier=parts.tile_id,
        imageFormat="JPEG2000",
    )  # fmt: skip
    for image in image_files(folder, parts.granule):
        _leaf(granule, "IMAGE_FILE", image)


def image_files(folder: Path, granule: str) -> list[str]:
    """Return the images of a product, by resolution and name, as paths without extension."""
    images = (folder / "GRANULE" / granule / "IMG_DATA").rglob("*.jp2")
    ordered = sorted(images, key=lambda path: (_ORDER.get(path.parent.name, 0), _band_order(path.stem)))
    return [path.relative_to(folder).with_suffix("").as_posix() for path in ordered]


def _band_order(stem: str) -> tuple[int, str]:
    token = next((word for word in stem.split("_")[2:] if word), stem)
    return (1 if token in ("TCI", "AOT", "WVP", "SCL") else 0), token.replace("B8A", "B08A")


def _geometric_info(section: etree._Element, parts: ProductParts) -> None:
    footprint = etree.SubElement(section, "Product_Footprint")
    ring = parts.tile.footprint()
    if ring:
        inner = etree.SubElement(etree.SubElement(footprint, "Product_Footprint"), "Global_Footprint")
        _leaf(inner, "EXT_POS_LIST", " ".join(f"{lat:.9f} {lon:.9f}" for lon, lat in ring))
    _leaf(footprint, "RASTER_CS_TYPE", "POINT")
    _leaf(footprint, "PIXEL_ORIGIN", "1")
    system = etree.SubElement(section, "Coordinate_Reference_System")
    _leaf(system, "GEO_TABLES", "EPSG", version="1")
    _leaf(system, "HORIZONTAL_CS_TYPE", "GEOGRAPHIC")


def _quality_info(section: etree._Element, parts: ProductParts) -> None:
    _leaf(section, "Cloud_Coverage_Assessment", parts.tile.first("CLOUDY_PIXEL_PERCENTAGE") or "0.0")
    technical = etree.SubElement(section, "Technical_Quality_Assessment")
    _leaf(technical, "DEGRADED_ANC_DATA_PERCENTAGE", "100.0" if parts.degraded else "0.0")
    _leaf(technical, "DEGRADED_MSI_DATA_PERCENTAGE", parts.tile.first("DEGRADED_MSI_DATA_PERCENTAGE") or "0.0")
    checks = etree.SubElement(section, "Quality_Control_Checks")
    inspections = etree.SubElement(checks, "Quality_Inspections")
    for aspect, status in parts.inspections:
        _leaf(inspections, "quality_check", status, checkType=aspect)
    etree.SubElement(checks, "Failed_Inspections")
    content = next(parts.tile.root.iter("{*}Image_Content_QI"), None)
    if content is not None and parts.level is Level.L2A:
        section.append(_copied(parts.tile, "Image_Content_QI"))
