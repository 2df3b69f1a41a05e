"""tile_list_file.xml: the tiles that a datastrip covers, numbered from 1.

Source: ipf-interface notes: Tile_List{Number_Of_Tiles, List_Tile_Id@Tile_Number{Tile_Id, List_Detectors_HR}}; the
tile identifier has no leading T.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lxml import etree

from s2ps.model.errors import InputError


@dataclass(frozen=True, slots=True)
class TileEntry:
    """One tile of the list."""

    number: int
    """From 1; PARALLEL_TILE_IDENT names tiles by it."""
    tile: str
    """MGRS name, "32TPQ"."""
    detectors: tuple[int, ...]
    """Detectors that see the tile."""


def write_tile_list(path: Path, entries: Sequence[TileEntry]) -> None:
    """Write a tile list file."""
    root = etree.Element("Tile_List")
    etree.SubElement(root, "Number_Of_Tiles").text = str(len(entries))
    for entry in entries:
        item = etree.SubElement(root, "List_Tile_Id", Tile_Number=f"{entry.number:03d}")
        etree.SubElement(item, "Tile_Id").text = entry.tile
        etree.SubElement(item, "List_Detectors_HR").text = "-".join(f"{number:02d}" for number in entry.detectors)
    path.write_bytes(etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True))


def read_tile_list(path: Path) -> list[TileEntry]:
    """Read a tile list file, sorted by number; an InputError names the file and what is wrong in it."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    try:
        root = etree.fromstring(path.read_bytes(), parser)
        entries = sorted((_entry(item) for item in root.iter("{*}List_Tile_Id")), key=lambda entry: entry.number)
        announced = int(root.findtext("{*}Number_Of_Tiles") or "-1")
    except OSError as error:
        raise InputError(f"tile list {path} cannot be read: {error.strerror}", next_step="run GET_TILE_LIST") from error
    except (etree.XMLSyntaxError, ValueError) as error:
        raise InputError(f"tile list {path} cannot be read: {error}", next_step="run GET_TILE_LIST again") from error
    if announced != len(entries):
        raise InputError(f"tile list {path} holds {len(entries)} tiles", expected=f"{announced}, as it says")
    return entries


def _entry(item: etree._Element) -> TileEntry:
    tile = (item.findtext("{*}Tile_Id") or "").strip()
    if len(tile) != 5:
        raise ValueError(f"Tile_Id {tile!r} is not like 32TPQ")
    detectors = (item.findtext("{*}List_Detectors_HR") or "").replace(",", "-").split("-")
    return TileEntry(int(item.get("Tile_Number", "")), tile, tuple(int(number) for number in detectors if number.strip()))
