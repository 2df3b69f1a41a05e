"""Frame file and segmentation file."""

from pathlib import Path

import pytest

from s2ps.formats.frame_file import FrameFile, read_frame_file, write_frame_file
from s2ps.formats.segmentation import Segment, read_segmentation, write_segmentation
from s2ps.model.errors import InputError


def test_frame_file_round_trip(tmp_path: Path) -> None:
    frame = FrameFile((4, 3), ("B00", "B12"), 1, 2, 0)
    write_frame_file(tmp_path / "a" / "frame_file.xml", frame)
    assert read_frame_file(tmp_path / "a" / "frame_file.xml") == frame
    assert frame.total_granules == 7


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("<TOTAL_GRANULES_NUMBER>4<", "<TOTAL_GRANULES_NUMBER>5<", "do not add up"),
        ("<NUMBER>1<", "<NUMBER>one<", "a count"),
        ("<COMPRESSION_MARGIN>0<", "<COMPRESSION_MARGIN><", "a count"),
        ("FRAME_FILE>", "FRAMES>", "root 'FRAMES'"),
        ("</BAND_LIST>", "", "not well-formed"),
    ],
)
def test_damaged_frame_file_is_named(tmp_path: Path, old: str, new: str, reason: str) -> None:
    path = tmp_path / "frame_file.xml"
    write_frame_file(path, FrameFile((4,), ("B00",)))
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    with pytest.raises(InputError, match=reason) as caught:
        read_frame_file(path)
    assert "frame_file.xml" in str(caught.value)


def test_absent_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"frame_file\.xml cannot be read"):
        read_frame_file(tmp_path / "frame_file.xml")


def test_segmentation_round_trip(tmp_path: Path) -> None:
    path = tmp_path / "segmentation_file.xml"
    write_segmentation(path, [Segment(1, 4), Segment(5, 9)])
    assert read_segmentation(path) == (Segment(1, 4), Segment(5, 9))
    path.write_text(path.read_text().replace('Count="2"', 'Count="3"'))
    with pytest.raises(InputError, match="2 segments"):
        read_segmentation(path)
