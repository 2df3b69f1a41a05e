"""manifest.safe of a user product: every file with size and SHA3-256, period, orbit, platform, footprint, processing.

Source: SAFE 1.1, XFDU (CCSDS 661.0-B-1).
"""

from __future__ import annotations

from pathlib import Path

from lxml import etree

from s2ps.formats.inventory_metadata import FILE_NAME as INVENTORY_METADATA
from s2ps.formats.manifest import CONTAINERS, MANIFEST, checksum_of
from s2ps.formats.manifest_ids import file_id
from s2ps.formats.manifest_metadata import GML, Description, point_at, write_description
from s2ps.formats.manifest_units import MEASUREMENT_UNIT, METADATA_UNIT, XFDU, ManifestEntry, Units
from s2ps.model.names import DatatakeName, PdiName
from s2ps.publication.product_metadata import ProductParts
from s2ps.publication.provenance import FILE_NAME as PROVENANCE

SAFE = "http://www.esa.int/safe/sentinel/1.1"
ALGORITHM = "SHA3-256"
_PARTS = (("DATASTRIP", "Datastrip", "MTD_DS.xml"), ("GRANULE", "Tile", "MTD_TL.xml"))
"""Folder, what lies in it, and the metadata of that."""


def write_product_manifest(folder: Path, parts: ProductParts) -> Path:
    """Write the manifest over all files of a product but itself and the provenance."""
    level = f"Level-{parts.level_number}"
    root = etree.Element(f"{{{XFDU}}}XFDU", nsmap={"xfdu": XFDU, "gml": GML, "safe": SAFE})
    root.set("version", f"esa/safe/sentinel/1.1/sentinel-2/msi/archive_{parts.level.value.lower()}_user_product")
    package = etree.SubElement(
        etree.SubElement(root, "informationPackageMap"), f"{{{XFDU}}}contentUnit",
        dmdID="acquisitionPeriod platform", pdiID="processing", textInfo=f"SENTINEL-2 MSI {level} User Product",
        unitType=f"Product_{level}",
    )  # fmt: skip
    section = etree.SubElement(root, "metadataSection")
    write_description(section, SAFE, _description(parts))
    units = Units(etree.SubElement(root, "dataObjectSection"))
    entries = _entries(folder)
    for path, name in ((parts.metadata_name, f"S2_{level}_Product_Metadata"), ("INSPIRE.xml", "INSPIRE_Metadata")):
        data = units.add(package, entries.pop(path), name, "", kind=METADATA_UNIT)
        point_at(section, f"{data}_Information", data)
    html = units.container(package, "HTML", "HTML Container")
    for top, kind, metadata in _PARTS:
        inside = {path: entries.pop(path) for path in list(entries) if path.startswith(f"{top}/")}
        parent = units.container(package, f"{kind}s", f"{kind}s Container")
        data = _add_part(units, parent, inside, kind, metadata, f"S2_{level}_{kind}1_Metadata")
        point_at(section, f"{data}_Information", data)
    for path, entry in entries.items():
        units.add(html if path.startswith("HTML/") else package, entry, file_id(path))
    etree.indent(root, "  ")
    target = folder / MANIFEST
    target.write_bytes(etree.tostring(root, xml_declaration=True, encoding="UTF-8", standalone=True) + b"\n")
    return target


def _add_part(
    units: Units, parent: etree._Element, entries: dict[str, ManifestEntry], kind: str, metadata: str, name: str
) -> str:
    """Append the tile or datastrip with a container per folder; return the identifier of its metadata."""
    number = f"{kind}1"
    part = units.container(parent, number, f"{kind} Container")
    described = next(path for path in entries if path.endswith(f"/{metadata}"))
    data = units.add(part, entries.pop(described), name, "", kind=METADATA_UNIT)
    containers: dict[str, etree._Element] = {}
    for path, entry in entries.items():
        inside = path.split("/", 2)[2]
        top = inside.split("/")[0]
        if top in CONTAINERS and top not in containers:
            containers[top] = units.container(part, f"{top}_{number}", CONTAINERS[top])
        base = f"{file_id(inside)}_{number}"
        unit = METADATA_UNIT if top == INVENTORY_METADATA else MEASUREMENT_UNIT
        units.add(containers.get(top, part), entry, base, image=top == "IMG_DATA", kind=unit)
    return data


def _entries(folder: Path) -> dict[str, ManifestEntry]:
    found = sorted(path for path in folder.rglob("*") if path.is_file())
    names = {path.relative_to(folder).as_posix(): path for path in found}
    return {
        name: ManifestEntry(name, path.stat().st_size, checksum_of(path, ALGORITHM), ALGORITHM)
        for name, path in names.items()
        if name not in (MANIFEST, PROVENANCE)
    }


def _description(parts: ProductParts) -> Description:
    tile, datatake = PdiName.parse(parts.tile_id), DatatakeName.parse(parts.datatake_id)
    datastrip = parts.datastrip_metadata
    return Description(
        unit=datatake.unit,
        processing=f"Generation of Level-{parts.level_number} User Product",
        creation=tile.creation,
        site=tile.site,
        baseline=tile.baseline,
        start=datastrip.time("DATASTRIP_SENSING_START"),
        stop=datastrip.time("DATASTRIP_SENSING_STOP"),
        absolute_orbit=datatake.absolute_orbit,
        relative_orbit=int(datastrip.text("SENSING_ORBIT_NUMBER")),
        direction=datastrip.text("SENSING_ORBIT_DIRECTION"),
        footprint=parts.tile.footprint(),
    )
