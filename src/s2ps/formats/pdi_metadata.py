"""Metadata documents of product data items: a small typed builder and a reader of the fields the service needs.

Source: Sentinel-2 Products Specification, PDI metadata (roots such as n1:Level-0_Granule_ID; sections in namespace n1,
everything inside them without namespace).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from lxml import etree

from s2ps.model.errors import InputError
from s2ps.model.timestamps import format_utc, parse_utc

Value = str | int | float | bool | datetime
XSI = "http://www.w3.org/2001/XMLSchema-instance"
PSD = "https://psd-14.sentinel2.eo.esa.int/PSD/"

_LEVELS = {"L0U": "0U", "L0_": "0", "L1A": "1A", "L1B": "1B", "L1C": "1C", "L2A": "2A"}
_ITEMS = {"DS": "DataStrip", "GR": "Granule", "TL": "Tile"}


def root_name(file_type: str) -> str:
    """Return the root of a PDI type, "Level-1C_Tile_ID" for "MSI_L1C_TL"; raises InputError for another type."""
    level, item = _LEVELS.get(file_type[4:7]), _ITEMS.get(file_type[8:10])
    if level is None or item is None:
        raise InputError(
            f"type {file_type!r} has no metadata document", expected="MSI_<level>_DS, _GR or _TL, as MSI_L1C_TL"
        )
    return f"Level-{level}_{item}_ID"


def text_of(value: Value) -> str:
    """Return the text of a value as PDI metadata write it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return format_utc(value)
    return f"{value:.12g}" if isinstance(value, float) else str(value)


@dataclass(frozen=True, slots=True)
class Node:
    """One element under construction."""

    element: etree._Element

    def add(self, tag: str, value: Value, **attributes: Value) -> Node:
        """Append a leaf with a value and return this node, so that calls can be chained."""
        leaf = etree.SubElement(self.element, tag, {key: text_of(item) for key, item in attributes.items()})
        leaf.text = text_of(value)
        return self

    def child(self, tag: str, **attributes: Value) -> Node:
        """Append an element without text and return it."""
        return Node(etree.SubElement(self.element, tag, {key: text_of(item) for key, item in attributes.items()}))


class MetadataDocument:
    """A PDI metadata document; sections come in the order in which they are asked for."""

    def __init__(self, file_type: str) -> None:
        name = root_name(file_type)
        schema = f"{PSD}S2_PDI_{name.removesuffix('_ID').replace('DataStrip', 'Datastrip')}_Metadata.xsd"
        self._namespace = schema
        self._root = etree.Element(f"{{{schema}}}{name}", nsmap={"n1": schema, "xsi": XSI})

    def section(self, tag: str) -> Node:
        """Append a section of namespace n1, such as General_Info, and return it."""
        return Node(etree.SubElement(self._root, f"{{{self._namespace}}}{tag}"))

    def to_bytes(self) -> bytes:
        """Serialise the document as UTF-8."""
        return etree.tostring(self._root, xml_declaration=True, encoding="UTF-8", standalone=False, pretty_print=True)


class PdiMetadata:
    """A metadata document that was read; elements are found by name wherever they are."""

    def __init__(self, root: etree._Element, source: Path) -> None:
        self.root = root
        self.source = source

    @property
    def root_name(self) -> str:
        """Local name of the root, such as "Level-0_Granule_ID"."""
        return etree.QName(self.root).localname

    def first(self, tag: str) -> str | None:
        """Return the text of the first element of that name, or None."""
        return next(iter(self.all(tag)), None)

    def text(self, tag: str) -> str:
        """Return the text of the first element of that name; raises InputError when there is none."""
        found = self.first(tag)
        if not found:
            raise InputError(
                f"metadata {self.source}: element {tag} is missing or empty", next_step="have the item made again"
            )
        return found

    def all(self, tag: str) -> list[str]:
        """Return the texts of all elements of that name, in order."""
        return [(node.text or "").strip() for node in self.root.iter(f"{{*}}{tag}")]

    def attributes(self, tag: str, name: str) -> list[str]:
        """Return an attribute of all elements of that name, in order; elements without it are left out."""
        return [value for node in self.root.iter(f"{{*}}{tag}") if (value := node.get(name)) is not None]

    def time(self, tag: str) -> datetime:
        """Return the UTC time in an element; raises InputError when it is missing or no time."""
        text = self.text(tag)
        try:
            return parse_utc(text)
        except ValueError as error:
            raise InputError(f"metadata {self.source}: {tag} {text!r} is no time: {error}") from error

    @property
    def item_id(self) -> str:
        """Name of the item itself: of a granule, tile or datastrip."""
        for tag in ("GRANULE_ID", "TILE_ID", "DATASTRIP_ID"):
            if found := self.first(tag):
                return found
        raise InputError(f"metadata {self.source}: no GRANULE_ID, TILE_ID or DATASTRIP_ID")

    @property
    def datatake_id(self) -> str | None:
        """Datatake identifier (GS2B_...), or None in documents that do not tell it."""
        return next(iter(self.attributes("Datatake_Info", "datatakeIdentifier")), None)

    @property
    def granule_ids(self) -> list[str]:
        """Names of the granules that a datastrip lists."""
        return self.attributes("Granule", "granuleId")

    @property
    def tile_ids(self) -> list[str]:
        """Names of the tiles that a datastrip lists."""
        return self.attributes("Tile", "tileId")

    def footprint(self) -> list[tuple[float, float]]:
        """Return the ring of the first footprint as (lon, lat); empty when there is none.

        EXT_POS_LIST has latitude, longitude and, at L0 and L1, height.
        """
        text = self.first("EXT_POS_LIST")
        if not text:
            return []
        numbers = [float(word) for word in text.split()]
        is_flat = len(numbers) % 2 == 0 and numbers[:2] == numbers[-2:]
        step = 2 if is_flat and not (len(numbers) % 3 == 0 and numbers[:3] == numbers[-3:]) else 3
        return [(numbers[i + 1], numbers[i]) for i in range(0, len(numbers) - 1, step)]


def read_pdi_metadata(path: Path) -> PdiMetadata:
    """Read a metadata file with entities and network off; raises InputError naming file and reason."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    try:
        root = etree.fromstring(path.read_bytes(), parser)
    except OSError as error:
        raise InputError(f"metadata {path} cannot be read: {error.strerror}") from error
    except etree.XMLSyntaxError as error:
        raise InputError(f"metadata {path} cannot be read: not well-formed XML: {error}") from error
    return PdiMetadata(root, path)


def metadata_file(pdi: Path) -> Path:
    """Return the metadata file of a PDI folder; raises InputError when there is none or more than one."""
    found = sorted(path for path in pdi.glob("*_MTD_*.xml")) or sorted(pdi.glob("MTD_*.xml"))
    if len(found) != 1:
        raise InputError(f"item {pdi}: {len(found)} metadata files", expected="one file named S2x_OPER_MTD_*.xml")
    return found[0]
