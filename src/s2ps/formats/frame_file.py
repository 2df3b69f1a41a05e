"""Frame file (FRAME_FILE): how the datastrip is cut into data blocks and granules. Written by UPDATE_LOC.

`FRAME_FILE{DATA_BLOCK_LIST{NUMBER, TOTAL_GRANULES_NUMBER, GRANULES_NUMBER@data_block ...}, BAND_LIST{BAND ...},
COMPRESSION_MARGIN, RADIOMETRIC_MARGIN, EXTRA_GRANULES_LIST{NUMBER}}`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from lxml import etree

from s2ps.formats.list_xml import count_of, read_root, write_root
from s2ps.model.errors import InputError


@dataclass(frozen=True, slots=True)
class FrameFile:
    """Granules (scenes) of every data block, and margins in lines of 10 m."""

    granules: tuple[int, ...]
    """Scenes of each data block, in order."""
    bands: tuple[str, ...] = ()
    """Band identifiers, B00 to B12."""
    compression_margin: int = 0
    radiometric_margin: int = 0
    extra_granules: int = 0

    @property
    def total_granules(self) -> int:
        """Scenes of all data blocks."""
        return sum(self.granules)


def read_frame_file(path: Path) -> FrameFile:
    """Read a frame file; raises InputError when it is not one or its counts disagree."""
    root = read_root(path, "FRAME_FILE")
    blocks = tuple(count_of(node, path) for node in root.iterfind("DATA_BLOCK_LIST/GRANULES_NUMBER"))
    total, number = (root.find(f"DATA_BLOCK_LIST/{tag}") for tag in ("TOTAL_GRANULES_NUMBER", "NUMBER"))
    if not blocks or count_of(total, path) != sum(blocks) or count_of(number, path) != len(blocks):
        raise InputError(f"frame file {path}: its {len(blocks)} data blocks do not add up", expected="matching counts")
    return FrameFile(
        blocks,
        tuple(node.text or "" for node in root.iterfind("BAND_LIST/BAND")),
        count_of(root.find("COMPRESSION_MARGIN"), path),
        count_of(root.find("RADIOMETRIC_MARGIN"), path),
        count_of(root.find("EXTRA_GRANULES_LIST/NUMBER"), path),
    )


def write_frame_file(path: Path, frame: FrameFile) -> None:
    """Write a frame file."""
    root = etree.Element("FRAME_FILE")
    blocks = etree.SubElement(root, "DATA_BLOCK_LIST")
    etree.SubElement(blocks, "NUMBER").text = str(len(frame.granules))
    etree.SubElement(blocks, "TOTAL_GRANULES_NUMBER").text = str(frame.total_granules)
    for index, granules in enumerate(frame.granules, start=1):
        etree.SubElement(blocks, "GRANULES_NUMBER", data_block=f"{index:03d}").text = str(granules)
    bands = etree.SubElement(root, "BAND_LIST")
    for band in frame.bands:
        etree.SubElement(bands, "BAND").text = band
    etree.SubElement(root, "COMPRESSION_MARGIN").text = str(frame.compression_margin)
    etree.SubElement(root, "RADIOMETRIC_MARGIN").text = str(frame.radiometric_margin)
    extra = etree.SubElement(root, "EXTRA_GRANULES_LIST")
    etree.SubElement(extra, "NUMBER").text = str(frame.extra_granules)
    write_root(path, root)
