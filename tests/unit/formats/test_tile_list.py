"""Tile list."""

from pathlib import Path

import pytest

from s2ps.formats.tile_list import TileEntry, read_tile_list, write_tile_list
from s2ps.model.errors import InputError


def test_round_trip(tmp_path: Path) -> None:
    path = tmp_path / "tile_list_file.xml"
    entries = [TileEntry(1, "32TPQ", (1, 12)), TileEntry(2, "32TPR", ())]
    write_tile_list(path, entries)
    assert read_tile_list(path) == entries
    assert "<Tile_Id>32TPQ</Tile_Id>" in path.read_text()


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("<Number_Of_Tiles>1<", "<Number_Of_Tiles>2<", "has 1 tiles"),
        (">32TPQ<", "><", "entry '001'"),
        (">01-12<", ">1a<", "entry '001'"),
        (' Tile_Number="001"', "", "no attribute Tile_Number"),
    ],
)
def test_damage_is_named(tmp_path: Path, old: str, new: str, reason: str) -> None:
    path = tmp_path / "tile_list_file.xml"
    write_tile_list(path, [TileEntry(1, "32TPQ", (1, 12))])
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(InputError, match=reason):
        read_tile_list(path)
