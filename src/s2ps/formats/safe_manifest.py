"""manifest.safe: the XFDU document that lists the files of a PDI or user product with sizes and checksums.

Source: SAFE (Standard Archive Format for Europe) 1.1, XFDU of CCSDS 661.0-B-1.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath

from lxml import etree

from s2ps.formats.eof_header import secure_parser
from s2ps.model.errors import InputError
from s2ps.model.timestamps import format_utc

MANIFEST = "manifest.safe"
CHECKSUM_NAME = "SHA3-256"
_XFDU = "urn:ccsds:schema:xfdu:1"
_SAFE = "http://www.esa.int/safe/sentinel/1.1"
_NAMESPACES = {"xfdu": _XFDU, "safe": _SAFE}
_MIME_TYPES = {".xml": "text/xml", ".gml": "text/xml", ".json": "application/json", ".html": "text/html"}
_BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class ManifestHeader:
    """What a manifest says about the whole."""

    title: str
    """Text of the content unit, as "SENTINEL-2 MSI Level-1C User Product"."""
    unit_type: str
    """Type of the content unit, as "Product_Level-1C"."""
    schema: str
    """Package type after "esa/safe/sentinel/1.1/sentinel-2/msi/", as "archive_l1c_user_product"."""
    unit: str
    """Satellite, as "S2B"."""
    start: datetime
    stop: datetime
    centre: str
    created: datetime


@dataclass(frozen=True, slots=True)
class ManifestEntry:
    """One file: path relative to the folder of the manifest, size in bytes, SHA3-256 in hexadecimal."""

    path: str
    size: int
    checksum: str


def checksum(path: Path) -> str:
    """Return the SHA3-256 of a file in hexadecimal."""
    digest = hashlib.sha3_256()
    with path.open("rb") as source:
        while block := source.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def entries_of(folder: Path, *, leave_out: Iterable[str] = ()) -> list[ManifestEntry]:
    """Return the entries of all files below a folder, sorted by path; the manifest itself is never one."""
    skipped = {MANIFEST, *leave_out}
    entries = []
    for path in sorted(item for item in folder.rglob("*") if item.is_file()):
        name = path.relative_to(folder).as_posix()
        if name not in skipped:
            entries.append(ManifestEntry(name, path.stat().st_size, checksum(path)))
    return entries


def write_manifest(folder: Path, header: ManifestHeader, *, leave_out: Iterable[str] = ()) -> Path:
    """Write manifest.safe for what a folder holds now, and return its path."""
    return write_entries(folder, header, entries_of(folder, leave_out=leave_out))


def write_entries(folder: Path, header: ManifestHeader, entries: list[ManifestEntry]) -> Path:
    """Write manifest.safe with the given entries, and return its path."""
    root = etree.Element(etree.QName(_XFDU, "XFDU"), nsmap={"xfdu": _XFDU, "safe": _SAFE})
    root.set("version", f"esa/safe/sentinel/1.1/sentinel-2/msi/{header.schema}")
    _package_map(root, header, entries)
    _metadata(root, header)
    _data_objects(root, entries)
    etree.indent(root, "  ")
    path = folder / MANIFEST
    path.write_bytes(etree.tostring(root, xml_declaration=True, encoding="UTF-8", standalone=True) + b"\n")
    return path


def read_manifest(path: Path) -> list[ManifestEntry]:
    """Read the entries of a manifest; an InputError names the file and what is wrong."""
    try:
        root = etree.fromstring(path.read_bytes(), secure_parser())
    except (OSError, etree.XMLSyntaxError) as error:
        raise InputError(f"manifest {path} cannot be read: {error}", next_step="produce the item again") from error
    entries = []
    for stream in root.iter("byteStream"):
        location, digest = stream.find("fileLocation"), stream.findtext("checksum")
        if location is None or digest is None or not stream.get("size", "").isdigit():
            raise InputError(f"manifest {path}: a byteStream has no size, location or checksum")
        name = PurePosixPath(location.get("href", "")).as_posix()
        entries.append(ManifestEntry(name, int(stream.get("size", "0")), digest.strip()))
    return entries


def manifest_problems(folder: Path) -> Iterator[str]:
    """Yield what differs between a folder and its manifest: files missing, unlisted or changed."""
    listed = {entry.path: entry for entry in read_manifest(folder / MANIFEST)}
    for name, entry in listed.items():
        path = folder / name
        if not path.is_file():
            yield f"{name} is listed and absent"
        elif path.stat().st_size != entry.size:
            yield f"{name} has {path.stat().st_size} bytes, listed with {entry.size}"
        elif checksum(path) != entry.checksum:
            yield f"{name} has another checksum than listed"
    for path in sorted(item for item in folder.rglob("*") if item.is_file()):
        name = path.relative_to(folder).as_posix()
        if name != MANIFEST and name not in listed:
            yield f"{name} is not listed"


def _identifier(name: str) -> str:
    return "F_" + re.sub(r"[^A-Za-z0-9]", "_", name)


def _package_map(root: etree._Element, header: ManifestHeader, entries: list[ManifestEntry]) -> None:
    package = etree.SubElement(etree.SubElement(root, "informationPackageMap"), etree.QName(_XFDU, "contentUnit"))
    package.attrib.update(
        {"dmdID": "acquisitionPeriod platform", "pdiID": "processing", "textInfo": header.title,
         "unitType": header.unit_type}
    )  # fmt: skip
    for entry in entries:
        identifier = _identifier(entry.path)
        metadata = entry.path.endswith((".xml", ".gml", ".html", ".json"))
        unit = etree.SubElement(package, etree.QName(_XFDU, "contentUnit"))
        unit.attrib.update(
            {"ID": identifier + "_Unit", "unitType": "Metadata Unit" if metadata else "Measurement Data Unit"}
        )
        etree.SubElement(unit, "dataObjectPointer", dataObjectID=identifier)


def _metadata(root: etree._Element, header: ManifestHeader) -> None:
    section = etree.SubElement(root, "metadataSection")
    period = _wrapped(section, "acquisitionPeriod", "acquisitionPeriod")
    etree.SubElement(period, etree.QName(_SAFE, "startTime")).text = format_utc(header.start)
    etree.SubElement(period, etree.QName(_SAFE, "stopTime")).text = format_utc(header.stop)
    platform = _wrapped(section, "platform", "platform")
    etree.SubElement(platform, etree.QName(_SAFE, "familyName")).text = "SENTINEL"
    etree.SubElement(platform, etree.QName(_SAFE, "number")).text = header.unit[1:]
    instrument = etree.SubElement(platform, etree.QName(_SAFE, "instrument"))
    name = etree.SubElement(instrument, etree.QName(_SAFE, "familyName"), abbreviation="MSI")
    name.text = "Multi-Spectral Instrument"
    processing = _wrapped(section, "processing", "processing")
    processing.attrib.update({"name": header.unit_type, "stop": format_utc(header.created)})
    etree.SubElement(processing, etree.QName(_SAFE, "facility"), name=header.centre, organisation="S2PS")


def _wrapped(section: etree._Element, identifier: str, tag: str) -> etree._Element:
    item = etree.SubElement(section, "metadataObject", ID=identifier, category="DMD", classification="DESCRIPTION")
    data = etree.SubElement(etree.SubElement(item, "metadataWrap", mimeType="text/xml"), "xmlData")
    return etree.SubElement(data, etree.QName(_SAFE, tag))


def _data_objects(root: etree._Element, entries: list[ManifestEntry]) -> None:
    section = etree.SubElement(root, "dataObjectSection")
    for entry in entries:
        mime = _MIME_TYPES.get(PurePosixPath(entry.path).suffix, "application/octet-stream")
        item = etree.SubElement(section, "dataObject", ID=_identifier(entry.path))
        stream = etree.SubElement(item, "byteStream", mimeType=mime, size=str(entry.size))
        etree.SubElement(stream, "fileLocation", locatorType="URL", href=f"./{entry.path}")
        etree.SubElement(stream, "checksum", checksumName=CHECKSUM_NAME).text = entry.checksum
