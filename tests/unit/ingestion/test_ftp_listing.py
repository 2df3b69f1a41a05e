"""Lines of LIST: what servers write for people, read as data."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from s2ps.ingestion.ftp_listing import Entry, read_line

pytestmark = pytest.mark.unit
NOW = datetime(2026, 1, 10, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("line", "entry"),
    [
        ("-rw-r--r--   1 ftp ftp 314571600 Jan  9 10:31 a.raw", Entry("a.raw", False, 314571600, "20260109103100")),
        ("-rw-r--r--   1 ftp ftp 5 Dec 31 23:59 a.raw", Entry("a.raw", False, 5, "20251231235900")),
        ("-rw-r--r--   1 ftp ftp 5 Jan 11 00:10 a.raw", Entry("a.raw", False, 5, "20260111001000")),
        ("-rw-r--r--   1 ftp ftp 5 Jul 01  2025 a.raw", Entry("a.raw", False, 5, "20250701000000")),
        ("-rw-r--r--+  1 1000 77 Feb 29  2024 two words", Entry("two words", False, 77, "20240229000000")),
        ("-rw-r--r--   1 ftp ftp 5 Feb 30  2025 a.raw", Entry("a.raw", False, 5, "")),
        ("-rw-r--r--   1 ftp ftp 5 Mai  3 10:00 a.raw", Entry("a.raw", False, 5, "")),
        ("drwxr-xr-x.  2 ftp ftp 4096 Jan  9 10:31 S2B", Entry("S2B", True, None, "20260109103100")),
        ("07-01-26  11:05PM            314571600 a.raw", Entry("a.raw", False, 314571600, "20260701230500")),
        ("07-01-2026  12:05AM       <DIR>          S2B", Entry("S2B", True, None, "20260701000500")),
        ("lrwxrwxrwx   1 ftp ftp 5 Jan  9 10:31 a.raw -> /etc/passwd", None),
        ("drwxr-xr-x   2 ftp ftp 4096 Jan  9 10:31 ..", None),
        ("total 12", None),
        ("", None),
    ],
)
def test_lines(line: str, entry: Entry | None) -> None:
    assert read_line(line + "\r\n", NOW) == entry
