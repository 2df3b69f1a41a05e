from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from s2ps.formats.iers import Bulletin, modified_julian_day, read_bulletin, write_bulletin
from s2ps.model.errors import InputError

DAYS = np.arange(61220.0, 61230.0)


def test_round_trip_and_interpolation(tmp_path: Path) -> None:
    path = tmp_path / "bulletin.txt"
    write_bulletin(path, Bulletin(DAYS, 0.05 - 0.001 * np.arange(10), 37))
    read = read_bulletin(path)
    np.testing.assert_array_equal(read.mjd, DAYS)
    assert read.tai_minus_utc == 37
    assert modified_julian_day(datetime(2026, 7, 1, tzinfo=UTC)) == 61222.0
    assert read.ut1_minus_utc_at(datetime(2026, 7, 1, 12, tzinfo=UTC)) == pytest.approx(0.0475)
    with pytest.raises(InputError, match="2026-09-01"):
        read.ut1_minus_utc_at(datetime(2026, 9, 1, tzinfo=UTC))


def test_a_file_without_rows_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "bulletin.txt"
    path.write_text("     TAI-UTC = 37.000 000 seconds\n")
    with pytest.raises(InputError, match=r"bulletin\.txt has 0 days"):
        read_bulletin(path)
    with pytest.raises(InputError, match=r"none\.txt"):
        read_bulletin(tmp_path / "none.txt")
