"""GRI list (GRI_LIST_FILE): the granules of the reference image that meet the datastrip. Written by GET_GRI.

`List_of_GRI@Total_Number_of_GRI_GR{GRI_GR@GRI_GR_Number@GRI_GR_Id ...}`; an empty list is a normal state: no refining.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from lxml import etree

from s2ps.formats.list_xml import read_root, required, write_root
from s2ps.model.errors import InputError

ROOT = "List_of_GRI"


@dataclass(frozen=True, slots=True)
class GriGranule:
    """One reference granule: its place in the list, from 1, and its file name."""

    number: int
    ident: str


def read_gri_list(path: Path) -> tuple[GriGranule, ...]:
    """Read the list, possibly empty; raises InputError when the number of entries is not the one announced."""
    root = read_root(path, ROOT)
    found = tuple(
        GriGranule(int(required(node, "GRI_GR_Number", path)), required(node, "GRI_GR_Id", path))
        for node in root.iterfind("GRI_GR")
    )
    announced = required(root, "Total_Number_of_GRI_GR", path)
    if announced != str(len(found)):
        raise InputError(f"GRI list {path} has {len(found)} granules", expected=f"{announced} as its root says")
    return found


def write_gri_list(path: Path, idents: tuple[str, ...]) -> None:
    """Write the list of file names, numbered from 1."""
    root = etree.Element(ROOT, Total_Number_of_GRI_GR=str(len(idents)))
    for number, ident in enumerate(idents, start=1):
        etree.SubElement(root, "GRI_GR", GRI_GR_Number=f"{number:03d}", GRI_GR_Id=ident)
    write_root(path, root)
