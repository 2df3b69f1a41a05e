"""GRI list, also when it is empty."""

from pathlib import Path

import pytest

from s2ps.formats.gri_list import GriGranule, read_gri_list, write_gri_list
from s2ps.model.errors import InputError


def test_round_trip(tmp_path: Path) -> None:
    path = tmp_path / "gri_list_file.xml"
    write_gri_list(path, ("a.jp2", "b.jp2"))
    assert read_gri_list(path) == (GriGranule(1, "a.jp2"), GriGranule(2, "b.jp2"))


def test_an_empty_list_names_no_granule(tmp_path: Path) -> None:
    path = tmp_path / "gri_list_file.xml"
    write_gri_list(path, ())
    assert read_gri_list(path) == ()
    assert "<GRI_" not in path.read_text()


def test_wrong_total(tmp_path: Path) -> None:
    path = tmp_path / "gri_list_file.xml"
    write_gri_list(path, ("a.jp2",))
    path.write_text(path.read_text().replace('GRI_GR="1"', 'GRI_GR="2"'))
    with pytest.raises(InputError, match="has 1 granules"):
        read_gri_list(path)
