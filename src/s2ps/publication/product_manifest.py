"""manifest.safe of a user product: every file with size and SHA3-256, period, platform and processing.

Source: SAFE 1.1, XFDU (CCSDS 661.0-B-1).
"""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath

from lxml import etree

from s2ps.formats.manifest import MANIFEST, XFDU, checksum_of
from s2ps.model.names import DatatakeName, PdiName
from s2ps.model.timestamps import format_utc
from s2ps.publication.product_metadata import ProductParts
from s2ps.publication.provenance import FILE_NAME as PROVENANCE

SAFE = "http://www.esa.int/safe/sentinel/1.1"
ALGORITHM = "SHA3-256"
_MEDIA = {".xml": "text/xml", ".gml": "text/xml", ".html": "text/html", ".json": "application/json"}


def write_product_manifest(folder: Path, parts: ProductParts) -> Path:
    """Write the manifest over all files of a product but itself and the provenance."""
    level = parts.level.value.lower()
    root = etree.Element(f"{{{XFDU}}}XFDU", nsmap={"xfdu": XFDU, "safe": SAFE})
    root.set("version", f"esa/safe/sentinel/1.1/sentinel-2/msi/archive_{level}_user_product")
    package = etree.SubElement(
        etree.SubElement(root, "informationPackageMap"), f"{{{XFDU}}}contentUnit",
        dmdID="acquisitionPeriod platform", pdiID="processing",
        textInfo=f"SENTINEL-2 MSI Level-{parts.level_number} User Product",
        unitType=f"Product_Level-{parts.level_number}",
    )  # fmt: skip
    _metadata_section(root, parts)
    objects = etree.SubElement(root, "dataObjectSection")
    skipped = {MANIFEST, PROVENANCE}
    for path in sorted(item for item in folder.rglob("*") if item.is_file()):
        relative = path.relative_to(folder).as_posix()
        if relative not in skipped:
            _file(package, objects, path, relative)
    etree.indent(root, "  ")
    target = folder / MANIFEST
    target.write_bytes(etree.tostring(root, xml_declaration=True, encoding="UTF-8", standalone=True) + b"\n")
    return target


def _file(package: etree._Element, objects: etree._Element, path: Path, relative: str) -> None:
    identifier = re.sub(r"[^A-Za-z0-9]", "_", relative)
    suffix = PurePosixPath(relative).suffix
    kind = "Metadata Unit" if suffix in _MEDIA else "Measurement Data Unit"
    unit = etree.SubElement(package, f"{{{XFDU}}}contentUnit", ID=f"{identifier}_Unit", unitType=kind)
    etree.SubElement(unit, "dataObjectPointer", dataObjectID=f"{identifier}_Data")
    item = etree.SubElement(objects, "dataObject", ID=f"{identifier}_Data")
    media = _MEDIA.get(suffix, "application/octet-stream")
    stream = etree.SubElement(item, "byteStream", mimeType=media, size=str(path.stat().st_size))
    etree.SubElement(stream, "fileLocation", href=f"./{relative}", locatorType="URL")
    etree.SubElement(stream, "checksum", checksumName=ALGORITHM).text = checksum_of(path, ALGORITHM)


def _metadata_section(root: etree._Element, parts: ProductParts) -> None:
    section = etree.SubElement(root, "metadataSection")
    datastrip = parts.datastrip_metadata
    period = _described(section, "acquisitionPeriod", "acquisitionPeriod")
    etree.SubElement(period, f"{{{SAFE}}}startTime").text = format_utc(datastrip.time("DATASTRIP_SENSING_START"))
    etree.SubElement(period, f"{{{SAFE}}}stopTime").text = format_utc(datastrip.time("DATASTRIP_SENSING_STOP"))
    platform = _described(section, "platform", "platform")
    etree.SubElement(platform, f"{{{SAFE}}}familyName").text = "SENTINEL"
    etree.SubElement(platform, f"{{{SAFE}}}number").text = DatatakeName.parse(parts.datatake_id).unit[1:]
    instrument = etree.SubElement(platform, f"{{{SAFE}}}instrument")
    name = etree.SubElement(instrument, f"{{{SAFE}}}familyName", abbreviation="MSI")
    name.text = "Multi-Spectral Instrument"
    tile = PdiName.parse(parts.tile_id)
    processing = _described(section, "processing", "processing")
    processing.set("name", f"Generation of Level-{parts.level_number} User Product")
    processing.set("stop", format_utc(tile.creation))
    etree.SubElement(processing, f"{{{SAFE}}}facility", name=tile.site, software=f"baseline {tile.baseline}")


def _described(section: etree._Element, identifier: str, tag: str) -> etree._Element:
    item = etree.SubElement(section, "metadataObject", ID=identifier, category="DMD", classification="DESCRIPTION")
    data = etree.SubElement(etree.SubElement(item, "metadataWrap", mimeType="text/xml"), "xmlData")
    return etree.SubElement(data, f"{{{SAFE}}}{tag}")
