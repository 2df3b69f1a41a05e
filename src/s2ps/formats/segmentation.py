"""Segmentation file (SEGMENTATION_FILE): the stretches of the datastrip refined on their own. Written by INIT_VS_GEO.

`Segmentation@Count{Segment@Number{First_Granule, Last_Granule}}`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lxml import etree

from s2ps.formats.list_xml import count_of, read_root, required, write_root
from s2ps.model.errors import InputError


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of consecutive scenes, both ends included, from 1."""

    first: int
    last: int


def read_segmentation(path: Path) -> tuple[Segment, ...]:
    """Read the segments in order; raises InputError when their number is not the one announced."""
    root = read_root(path, "Segmentation")
    found = tuple(
        Segment(count_of(node.find("First_Granule"), path), count_of(node.find("Last_Granule"), path))
        for node in root.iterfind("Segment")
    )
    announced = required(root, "Count", path)
    if announced != str(len(found)):
        raise InputError(f"segmentation file {path} has {len(found)} segments", expected=f"{announced} as it says")
    return found


def write_segmentation(path: Path, segments: Sequence[Segment]) -> None:
    """Write segments in order."""
    root = etree.Element("Segmentation", Count=str(len(segments)))
    for number, segment in enumerate(segments, start=1):
        node = etree.SubElement(root, "Segment", Number=f"{number:03d}")
        etree.SubElement(node, "First_Granule").text = str(segment.first)
        etree.SubElement(node, "Last_Granule").text = str(segment.last)
    write_root(path, root)
