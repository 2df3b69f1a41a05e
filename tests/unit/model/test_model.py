"""Bands, data ids, splitting, levels and times."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from s2ps.model.bands import BANDS, QL_BANDS, Band, lines_per_granule
from s2ps.model.dimensions import DataId, Dimension, split_evenly
from s2ps.model.mission import Level, levels_of, parse_unit
from s2ps.model.timestamps import format_utc, from_gps_seconds, gps_seconds, parse_utc

pytestmark = pytest.mark.unit


def test_bands() -> None:
    assert [band.ident for band in QL_BANDS] == ["B01", "B02", "B03", "B10", "B11"]
    assert Band.from_ident("B08") is Band.B8A
    assert Band.from_name("B08").resolution == 10
    assert [band.width(1) for band in (Band.B02, Band.B05, Band.B01)] == [2592, 1296, 432]
    assert [band.width(10) for band in (Band.B02, Band.B05, Band.B01)] == [259, 129, 43]
    assert Band.B01.raw_width(10) == 129
    assert len(BANDS) == 13
    assert (lines_per_granule(1), lines_per_granule(10)) == (2304, 240)
    with pytest.raises(ValueError, match="B13"):
        Band.from_ident("B13")


def test_data_ids() -> None:
    one = DataId.of({Dimension.DETECTOR: ["02", "01"], Dimension.BAND: ["B03"]})
    assert one.key == "band=B03;detector=01-02"
    assert DataId.parse(one.key) == one
    assert DataId.parse("all") == DataId()
    assert one.overlaps(DataId.of({Dimension.DETECTOR: ["02"], Dimension.TILE: ["32TPQ"]}))
    assert not one.overlaps(DataId.of({Dimension.DETECTOR: ["03"]}))
    assert one.overlaps(DataId())
    with pytest.raises(ValueError, match="data id"):
        DataId.parse("colour=red")


@given(st.integers(0, 60), st.integers(1, 20))
def test_split_keeps_everything_in_order(length: int, parts: int) -> None:
    values = list(range(length))
    runs = split_evenly(values, parts)
    assert [value for run in runs for value in run] == values
    assert len(runs) == min(parts, length)
    sizes = [len(run) for run in runs]
    assert sizes == sorted(sizes)
    assert not sizes or sizes[-1] - sizes[0] <= 1


def test_split_gives_the_remainder_to_the_last() -> None:
    assert [len(run) for run in split_evenly(range(13), 4)] == [3, 3, 3, 4]


def test_levels_of_every_type_and_of_unknown_ones() -> None:
    assert levels_of("INS-NOBS") == (Level.L0, Level.L1B, Level.L1C, Level.L2A)
    assert levels_of("INS-VIC") == (Level.L0, Level.L1B, Level.L1C)
    assert levels_of("INS-RAW") == (Level.L0, Level.L1A, Level.L1B, Level.L1C, Level.L2A)
    assert {levels_of(f"INS-{kind}") for kind in ("DASC", "ABSR", "EOBS")} == {(Level.L0, Level.L1A)}
    assert {levels_of(kind) for kind in ("INS-NOBD", "INS-IMG", "", "never seen")} == {(Level.L0,)}
    assert levels_of("INS-NOBS", granules=47) == (Level.L0,)
    assert Level.L2A.rank > Level.L1C.rank


def test_units() -> None:
    assert parse_unit("S2D") == "S2D"
    with pytest.raises(ValueError, match="S3A"):
        parse_unit("S3A")


def test_times() -> None:
    moment = datetime(2026, 7, 1, 10, 15, 59, 123456, tzinfo=UTC)
    assert parse_utc(format_utc(moment)) == moment
    assert parse_utc("UTC=2026-07-01T10:15:59.123456") == moment
    assert from_gps_seconds(gps_seconds(moment)) == moment
