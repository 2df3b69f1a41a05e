"""Write and check manifest.safe: every file of an item with its size and checksum.

Source: SAFE format, XFDU manifest (informationPackageMap, metadataSection, dataObjectSection).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from lxml import etree

from s2ps.formats.manifest_ids import file_id
from s2ps.formats.manifest_metadata import GML, Description, describe_item, point_at, write_description
from s2ps.formats.manifest_units import METADATA_UNIT, XFDU, ManifestEntry, Units
from s2ps.formats.pdi_metadata import PdiMetadata, read_pdi_metadata
from s2ps.model.errors import InputError
from s2ps.model.names import PdiName

MANIFEST = "manifest.safe"
SAFE = "http://www.esa.int/safe/sentinel-1.0"
_ALGORITHMS = {"MD5": "md5", "SHA3-256": "sha3_256", "SHA256": "sha256", "SHA-256": "sha256"}
_KINDS = {"DS": "Datastrip", "GR": "Granule", "TL": "Tile", "TC": "True_Colour_Image"}
CONTAINERS = {
    "IMG_DATA": "Image Data Container",
    "QI_DATA": "Quality Control Container",
    "ANC_DATA": "Ancillary Data Container",
    "AUX_DATA": "Auxiliary Data Container",
}
"""Content unit of each folder of an item, with what it tells people."""
_UNLISTED = (MANIFEST, "Inventory_Metadata.xml")


def checksum_of(path: Path, algorithm: str = "MD5") -> str:
    """Return the checksum of a file; raises InputError for an algorithm that manifests do not use."""
    if algorithm not in _ALGORITHMS:
        raise InputError(f"checksum {algorithm!r} of {path} is unknown", expected=", ".join(_ALGORITHMS))
    with path.open("rb") as stream:
        return hashlib.file_digest(
            stream, lambda: hashlib.new(_ALGORITHMS[algorithm], usedforsecurity=False)
        ).hexdigest()


def entries_of(item: Path) -> list[ManifestEntry]:
    """Return what a manifest of this folder has to list: all files but itself and the inventory metadata."""
    files = sorted(path for path in item.rglob("*") if path.is_file() and path.name not in _UNLISTED)
    return [ManifestEntry(str(path.relative_to(item)), path.stat().st_size, checksum_of(path)) for path in files]


def write_manifest(item: Path, file_type: str, name: str | None = None) -> Path:
    """Write manifest.safe of a finished item folder and return its path; `name` is the item's if not the folder's.

    Raises InputError when the name or the metadata of the item cannot be read.
    """
    level, kind = file_type[4:7].rstrip("_"), _KINDS.get(file_type[8:10], file_type[8:10])
    title = f"Level-{level.removeprefix('L')}_{kind}"
    root = etree.Element(f"{{{XFDU}}}XFDU", nsmap={"xfdu": XFDU, "gml": GML, "safe": SAFE})
    root.set("version", f"esa/safe/sentinel-1.0/sentinel-2/msi/archive_{level}_{kind}".lower())
    package = etree.SubElement(
        etree.SubElement(root, "informationPackageMap"), f"{{{XFDU}}}contentUnit",
        dmdID="acquisitionPeriod platform", pdiID="processing", textInfo=f"SENTINEL-2 MSI {title} PDI",
        unitType=f"Product_Level-{level.removeprefix('L')}",
    )  # fmt: skip
    metadata = _metadata_of(item)
    section = etree.SubElement(root, "metadataSection")
    told = describe_item(PdiName.parse(name or item.name), metadata, f"Generation of {title}")
    write_description(section, SAFE, told)
    units = Units(etree.SubElement(root, "dataObjectSection"))
    entries = {entry.path: entry for entry in entries_of(item)}
    if metadata is not None:
        described = entries.pop(metadata.source.name)
        data = units.add(package, described, f"S2_{title}_Metadata", "", kind=METADATA_UNIT)
        point_at(section, f"S2_{title}_Information", data)
    _add_files(package, units, entries.values())
    path = item / MANIFEST
    path.write_bytes(etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True))
    return path


def write_plain_manifest(item: Path, kind: str, told: Description) -> Path:
    """Write manifest.safe of a folder without images, such as telemetry, and return its path; `kind` as "HKTM"."""
    root = etree.Element(f"{{{XFDU}}}XFDU", nsmap={"xfdu": XFDU, "gml": GML, "safe": SAFE})
    root.set("version", f"esa/safe/sentinel-1.0/sentinel-2/archive_{kind.lower()}")
    package = etree.SubElement(
        etree.SubElement(root, "informationPackageMap"), f"{{{XFDU}}}contentUnit",
        dmdID="acquisitionPeriod platform", pdiID="processing", textInfo=f"SENTINEL-2 {kind} PDI",
        unitType=f"Product_{kind}",
    )  # fmt: skip
    write_description(etree.SubElement(root, "metadataSection"), SAFE, told)
    units = Units(etree.SubElement(root, "dataObjectSection"))
    for entry in entries_of(item):
        units.add(package, entry, file_id(entry.path))
    path = item / MANIFEST
    path.write_bytes(etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True))
    return path


def _add_files(package: etree._Element, units: Units, entries: Iterable[ManifestEntry]) -> None:
    """Append the four containers of an item with their files; what lies at the top is a picture by itself."""
    containers = {folder: units.container(package, folder, text) for folder, text in CONTAINERS.items()}
    for entry in entries:
        parent = containers.get(Path(entry.path).parts[0], package)
        image = parent is package or parent is containers["IMG_DATA"]
        units.add(parent, entry, file_id(entry.path), "_Band" if image else "_Data", image=image)


def _metadata_of(item: Path) -> PdiMetadata | None:
    found = sorted(item.glob("*_MTD_*.xml")) or sorted(item.glob("MTD_*.xml"))
    return read_pdi_metadata(found[0]) if len(found) == 1 else None


def read_manifest(path: Path) -> list[ManifestEntry]:
    """Read the files that a manifest lists; raises InputError naming file and reason."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    try:
        root = etree.fromstring(path.read_bytes(), parser)
        return [_entry(node) for node in root.iter("{*}byteStream")]
    except OSError as error:
        raise InputError(f"manifest {path} cannot be read: {error.strerror}") from error
    except (etree.XMLSyntaxError, ValueError, TypeError) as error:
        raise InputError(f"manifest {path} cannot be read: {error}") from error


def _entry(stream: etree._Element) -> ManifestEntry:
    location, checksum = stream.find("{*}fileLocation"), stream.find("{*}checksum")
    if location is None or checksum is None:
        raise ValueError(f"a byteStream of line {stream.sourceline} has no fileLocation or no checksum")
    return ManifestEntry(
        path=str(location.get("href", "")).removeprefix("./"),
        size=int(stream.get("size", "-1")),
        checksum=(checksum.text or "").strip().lower(),
        algorithm=str(checksum.get("checksumName", "MD5")),
    )


def differences(item: Path) -> Iterator[str]:
    """Yield one sentence per listed file that is absent or has another size or checksum; may raise InputError."""
    root = item.resolve()
    for entry in read_manifest(item / MANIFEST):
        path = item / entry.path
        if Path(entry.path).is_absolute() or ".." in Path(entry.path).parts:
            yield f"{entry.path} lies outside the item {root.name}"
        elif not path.is_file():
            yield f"{entry.path} is listed and absent"
        elif path.stat().st_size != entry.size:
            yield f"{entry.path} has {path.stat().st_size} bytes, the manifest says {entry.size}"
        elif checksum_of(path, entry.algorithm) != entry.checksum:
            yield f"{entry.path} has another {entry.algorithm} checksum than the manifest says"
