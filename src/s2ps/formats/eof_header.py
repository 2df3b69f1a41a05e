"""Earth Explorer files: the fixed header, the file name, and the XML around one data block.

Source: Earth Explorer file format standard, as the Sentinel-2 GIPPs use it.
"""

from __future__ import annotations

import io
import re
import zipfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from lxml import etree

from s2ps.model.errors import InputError
from s2ps.model.timestamps import compact, parse_compact, parse_utc

END_OF_VALIDITY = datetime(2100, 1, 1, tzinfo=UTC)
_LARGEST_DOCUMENT = 256 * 1024 * 1024
_NAME = re.compile(
    r"(?P<unit>S2[A-Z_])_(?P<file_class>[A-Z0-9]{4})_(?P<type>[A-Z0-9]{3}_[A-Z0-9_]{6})_(?P<site>[A-Z0-9_]{4})_"
    r"_?(?P<creation>\d{8}T\d{6})_V(?P<start>\d{8}T\d{6})(?:_(?P<stop>\d{8}T\d{6}))?(?:_B(?P<band>\d[0-9A]))?"
)


@dataclass(frozen=True, slots=True)
class EofHeader:
    """Identity and validity of one auxiliary file."""

    unit: str
    """S2A, S2B ..., or S2_ for a file of all satellites."""
    type: str
    """File type of ten characters such as GIP_VIEDIR."""
    creation: datetime
    start: datetime
    stop: datetime = END_OF_VALIDITY
    band: str = "00"
    """Band token of the name: 01..12, 8A, or 00 for all bands."""
    file_class: str = "OPER"
    site: str = "MPC_"
    version: int = 1
    description: str = ""

    @property
    def name(self) -> str:
        """Return the file name without extension."""
        validity = f"V{compact(self.start)}_{compact(self.stop)}"
        band = f"_B{self.band}" if self.type.startswith("GIP_") else ""
        return f"{self.unit}_{self.file_class}_{self.type}_{self.site}_{compact(self.creation)}_{validity}{band}"

    @classmethod
    def from_name(cls, name: str) -> EofHeader:
        """Read what a file name tells; raises InputError where it is not one."""
        found = _NAME.match(Path(name).name)
        if found is None:
            expected = "a name such as S2B_OPER_GIP_DATATI_MPC__20260101T000000_V20260101T000000_B00"
            raise InputError(f"auxiliary file {name}: the name is not understood", expected=expected)
        parts = found.groupdict()
        stop = parse_compact(parts["stop"]) if parts["stop"] else datetime.max.replace(tzinfo=UTC)
        return cls(
            parts["unit"], parts["type"], parse_compact(parts["creation"]), parse_compact(parts["start"]), stop,
            parts["band"] or "00", parts["file_class"], parts["site"],
        )  # fmt: skip


def secure_parser() -> etree.XMLParser:
    """Return an XML parser that resolves no entity, loads no DTD and opens no network connection."""
    return etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True, remove_pis=True
    )


def refuse_document_type(root: etree._Element, what: str) -> None:
    """Raise InputError, `what` naming the document, where it declares entities of its own: no input of ours does."""
    if root.getroottree().docinfo.internalDTD is not None:
        raise InputError(
            f"{what} declares a document type and entities", expected="XML without DOCTYPE", next_step="fetch it again"
        )


def read_document(path: Path) -> bytes:
    """Return the XML bytes of a file, or of the only XML member of a .zip file; raises InputError."""
    try:
        if not zipfile.is_zipfile(path):
            return path.read_bytes()
        with zipfile.ZipFile(path) as archive:
            members = [item for item in archive.infolist() if item.filename.lower().endswith((".xml", ".dbl"))]
            if len(members) != 1 or members[0].file_size > _LARGEST_DOCUMENT:
                raise InputError(f"auxiliary file {path}: {len(members)} XML members", expected="one of at most 256 MB")
            return archive.read(members[0])
    except (OSError, zipfile.BadZipFile) as error:
        raise InputError(f"auxiliary file {path} cannot be read: {error}", next_step="fetch it again") from error


def read_eof(path: Path) -> tuple[EofHeader, etree._Element]:
    """Return the header and the Data_Block element of an Earth Explorer file; raises InputError."""
    try:
        root = etree.fromstring(read_document(path), secure_parser())
    except etree.XMLSyntaxError as error:
        raise InputError(f"auxiliary file {path} is not XML: {error}", next_step="fetch it again") from error
    refuse_document_type(root, f"auxiliary file {path}")
    for element in root.iter():
        if isinstance(element.tag, str) and "}" in element.tag:
            element.tag = etree.QName(element).localname
    block = root.find("Data_Block")
    if etree.QName(root).localname != "Earth_Explorer_File" or block is None:
        raise InputError(f"auxiliary file {path} has no Data_Block", expected="an Earth_Explorer_File document")
    return _header(path, root), block


def _header(path: Path, root: etree._Element) -> EofHeader:
    fixed = "Earth_Explorer_Header/Fixed_Header/"
    values = {
        tag: (root.findtext(fixed + tag) or "").strip()
        for tag in (
            "File_Name", "File_Type", "File_Description", "File_Version", "Validity_Period/Validity_Start",
            "Validity_Period/Validity_Stop", "Source/Creation_Date",
        )
    }  # fmt: skip
    try:
        named = EofHeader.from_name(values["File_Name"])
        return EofHeader(
            named.unit, values["File_Type"], parse_utc(values["Source/Creation_Date"]),
            parse_utc(values["Validity_Period/Validity_Start"]), parse_utc(values["Validity_Period/Validity_Stop"]),
            named.band, named.file_class, named.site, int(values["File_Version"]), values["File_Description"],
        )  # fmt: skip
    except ValueError as error:
        raise InputError(f"auxiliary file {path}: its fixed header is wrong: {error}") from error


def write_eof(path: Path, header: EofHeader, content: etree._Element) -> None:
    """Write a header and the children of a data block; a name ending in .zip makes an archive with one member."""
    root = etree.Element("Earth_Explorer_File")
    root.append(header_element(header))
    block = etree.SubElement(root, "Data_Block", type="xml")
    block.append(content)
    data = etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)
    path.write_bytes(_zipped(header.name + ".xml", data) if path.suffix == ".zip" else data)


def header_element(header: EofHeader) -> etree._Element:
    """Return the Earth_Explorer_Header element, which is also the content of a .HDR file."""
    outer = etree.Element("Earth_Explorer_Header")
    fixed = etree.SubElement(outer, "Fixed_Header")
    texts = {
        "File_Name": header.name, "File_Description": header.description, "Notes": "",
        "Mission": "Sentinel-2" + header.unit[2].replace("_", ""), "File_Class": header.file_class,
        "File_Type": header.type,
    }  # fmt: skip
    for tag, text in texts.items():
        etree.SubElement(fixed, tag).text = text
    validity = etree.SubElement(fixed, "Validity_Period")
    etree.SubElement(validity, "Validity_Start").text = _utc(header.start)
    etree.SubElement(validity, "Validity_Stop").text = _utc(header.stop)
    etree.SubElement(fixed, "File_Version").text = f"{header.version:04d}"
    source = etree.SubElement(fixed, "Source")
    texts = {"System": "S2PS", "Creator": "S2PS", "Creator_Version": "1.0", "Creation_Date": _utc(header.creation)}
    for tag, text in texts.items():
        etree.SubElement(source, tag).text = text
    etree.SubElement(outer, "Variable_Header")
    return outer


def _zipped(member: str, data: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo(member, (2026, 1, 1, 0, 0, 0)), data)
    return buffer.getvalue()


def _utc(moment: datetime) -> str:
    return "UTC=" + moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")
