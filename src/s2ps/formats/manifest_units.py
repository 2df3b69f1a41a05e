"""The informationPackageMap and dataObjectSection of a manifest: nested content units that point at files."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import PurePosixPath

from lxml import etree

XFDU = "urn:ccsds:schema:xfdu:1"
METADATA_UNIT, MEASUREMENT_UNIT = "Metadata Unit", "Measurement Data Unit"
MEASURED = "measurementOrbitReference measurementFrameSet"
"""What describes an image: its orbit and its footprint."""
_MEDIA = {
    ".xml": "text/xml", ".html": "text/html", ".jp2": "image/jp2", ".gml": "application/gml+xml",
    ".json": "application/json",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class ManifestEntry:
    """One file of an item; `path` is relative to the item, the checksum is lower-case hexadecimal."""

    path: str
    size: int
    checksum: str
    algorithm: str = "MD5"


@dataclass(slots=True)
class Units:
    """Adds containers and files; every identifier is given once."""

    objects: etree._Element
    _given: set[str] = field(default_factory=set)

    def container(self, parent: etree._Element, identifier: str, text: str) -> etree._Element:
        """Append a content unit that only holds others."""
        return etree.SubElement(parent, f"{{{XFDU}}}contentUnit", ID=identifier, textInfo=text)

    def add(
        self, parent: etree._Element, entry: ManifestEntry, base: str, ending: str = "_Data", *, image: bool = False,
        kind: str = MEASUREMENT_UNIT,
    ) -> str:  # fmt: skip
        """Append the unit of a file and its data object; return the identifier of the latter."""
        base = self._unique(base)
        data = f"{base}{ending}"
        described = {"dmdID": MEASURED} if image else {}
        unit = etree.SubElement(parent, f"{{{XFDU}}}contentUnit", {"ID": f"{base}_Unit", **described, "unitType": kind})
        etree.SubElement(unit, "dataObjectPointer", dataObjectID=data)
        media = _MEDIA.get(PurePosixPath(entry.path).suffix, "application/octet-stream")
        stream = etree.SubElement(
            etree.SubElement(self.objects, "dataObject", ID=data), "byteStream", mimeType=media, size=str(entry.size)
        )
        etree.SubElement(stream, "fileLocation", href=f"./{entry.path}", locatorType="URL")
        etree.SubElement(stream, "checksum", checksumName=entry.algorithm).text = entry.checksum
        return data

    def _unique(self, base: str) -> str:
        found, number = base, 1
        while found in self._given:
            number += 1
            found = f"{base}_{number}"
        self._given.add(found)
        return found
