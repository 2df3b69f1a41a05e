"""Write and check manifest.safe: every file of an item with its size and checksum.

Source: SAFE format, XFDU manifest (informationPackageMap, metadataSection, dataObjectSection).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from lxml import etree

from s2ps.model.errors import InputError

MANIFEST = "manifest.safe"
XFDU = "urn:ccsds:schema:xfdu:1"
_ALGORITHMS = {"MD5": "md5", "SHA3-256": "sha3_256", "SHA256": "sha256", "SHA-256": "sha256"}
_MEDIA = {".xml": "text/xml", ".jp2": "image/jp2", ".gml": "application/gml+xml", ".json": "application/json"}
_UNLISTED = (MANIFEST, "Inventory_Metadata.xml")


@dataclass(frozen=True, slots=True)
class ManifestEntry:
    """One file of an item; `path` is relative to the item, the checksum is lower-case hexadecimal."""

    path: str
    size: int
    checksum: str
    algorithm: str = "MD5"


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


def write_manifest(item: Path, file_type: str, title: str | None = None) -> Path:
    """Write manifest.safe of a finished item folder and return its path; `title` is the name if not the folder's."""
    root = etree.Element(f"{{{XFDU}}}XFDU", nsmap={"xfdu": XFDU})
    level, kind = file_type[4:7].rstrip("_").lower(), file_type[8:10].lower()
    root.set("version", f"esa/safe/sentinel-1.0/sentinel-2/msi/archive_{level}_{kind}")
    package = etree.SubElement(root, "informationPackageMap")
    unit = etree.SubElement(package, f"{{{XFDU}}}contentUnit", unitType=f"PDI {file_type}", textInfo=title or item.name)
    etree.SubElement(root, "metadataSection")
    objects = etree.SubElement(root, "dataObjectSection")
    for number, entry in enumerate(entries_of(item), start=1):
        ident = f"file_{number:04d}"
        part = etree.SubElement(unit, f"{{{XFDU}}}contentUnit", ID=f"{ident}_unit")
        etree.SubElement(part, "dataObjectPointer", dataObjectID=ident)
        media = _MEDIA.get(Path(entry.path).suffix, "application/octet-stream")
        stream = etree.SubElement(
            etree.SubElement(objects, "dataObject", ID=ident), "byteStream", mimeType=media, size=str(entry.size)
        )
        etree.SubElement(stream, "fileLocation", href=f"./{entry.path}", locatorType="URL")
        etree.SubElement(stream, "checksum", checksumName=entry.algorithm).text = entry.checksum
    path = item / MANIFEST
    path.write_bytes(etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True))
    return path


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
