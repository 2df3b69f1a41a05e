"""Virtual bytes are the same whichever way they are read, and tell where they belong."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from s2ps.stations.content import UNIT, AlteredContent, BytesContent, DiskContent, VirtualContent

pytestmark = pytest.mark.unit
SIZE = 3 * UNIT + 12345
WHOLE = VirtualContent(7, SIZE).read(0, SIZE)


@settings(deadline=None)
@given(offset=st.integers(0, SIZE + 10), length=st.integers(0, 2 * UNIT))
def test_a_range_is_what_the_whole_has_there(offset: int, length: int) -> None:
    assert VirtualContent(7, SIZE).read(offset, length) == WHOLE[offset : offset + length]


def test_units_and_seeds_differ() -> None:
    content, other = VirtualContent(7, SIZE), VirtualContent(7 + 16, SIZE)
    assert len(WHOLE) == SIZE
    assert content.read(0, UNIT) != content.read(UNIT, UNIT)
    assert content.read(0, UNIT) != other.read(0, UNIT)
    assert int.from_bytes(content.read(2 * UNIT, 8), "big") == 2


def test_sixty_gigabytes_need_no_disk() -> None:
    content = VirtualContent(1, 60_000_000_000)
    assert content.size == 60_000_000_000
    assert len(content.read(59_999_999_000, 5000)) == 1000


def test_an_altered_content_has_the_same_size_and_another_checksum(tmp_path: Path) -> None:
    path = tmp_path / "a.raw"
    path.write_bytes(bytes(range(256)) * 10)
    content = DiskContent(path, 2560)
    altered = AlteredContent(content, 1)
    assert altered.size == content.size
    assert hashlib.md5(altered.read(0, 2560)).digest() != hashlib.md5(content.read(0, 2560)).digest()  # noqa: S324
    assert altered.read(1, 100) == content.read(1, 100)


def test_bytes_are_cut_at_their_end() -> None:
    assert BytesContent(b"abc").read(2, 10) == b"c"
