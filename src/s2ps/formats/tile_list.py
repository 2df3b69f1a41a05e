"""Tile list (TILE_LIST_FILE): the tiles a datastrip covers. Written by GET_TILE_LIST.

`Tile_List{Number_Of_Tiles, List_Tile_Id@Tile_Number{Tile_Id, List_Detectors_HR}}`: Tile_Id without the leading T
("32TPQ"), detectors as "01-02-03"; Tile_Number from 1 is what PARALLEL_TILE_IDENT counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lxml import etree

from s2ps.formats.list_xml import count_of, read_root, required, write_root
from s2ps.model.errors import InputError


@dataclass(frozen=True, slots=True)
class TileEntry:
    """One tile and the detectors that see it."""

    number: int
    """Place in the list, from 1."""
    tile: str
    """MGRS name, "32TPQ"."""
    detectors: tuple[int, ...]


def read_tile_list(path: Path) -> list[TileEntry]:
    """Read the tiles sorted by number; raises InputError when their number is not the one announced."""
    root = read_root(path, "Tile_List")
    entries = sorted((_entry(node, path) for node in root.iterfind("List_Tile_Id")), key=lambda entry: entry.number)
    announced = count_of(root.find("Number_Of_Tiles"), path)
    if announced != len(entries):
        raise InputError(f"tile list {path} has {len(entries)} tiles", expected=f"{announced} as it says")
    return entries


def write_tile_list(path: Path, entries: Sequence[TileEntry]) -> None:
    """Write the tiles of a datastrip."""
    root = etree.Element("Tile_List")
    etree.SubElement(root, "Number_Of_Tiles").text = str(len(entries))
    for entry in entries:
        node = etree.SubElement(root, "List_Tile_Id", Tile_Number=f"{entry.number:03d}")
        etree.SubElement(node, "Tile_Id").text = entry.tile
        etree.SubElement(node, "List_Detectors_HR").text = "-".join(f"{detector:02d}" for detector in entry.detectors)
    write_root(path, root)


def _entry(node: etree._Element, path: Path) -> TileEntry:
    name = (node.findtext("Tile_Id") or "").strip()
    detectors = [part for part in (node.findtext("List_Detectors_HR") or "").strip().split("-") if part]
    number = required(node, "Tile_Number", path)
    if not name or not number.isdecimal() or not all(part.isdecimal() for part in detectors):
        raise InputError(f"tile list {path}: entry {number!r} cannot be read", expected="Tile_Id and 01-02 detectors")
    return TileEntry(int(number), name, tuple(map(int, detectors)))
