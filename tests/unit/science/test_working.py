"""Working data of the chain: what is written is read."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from ipf_adapters.science import working
from ipf_adapters.science.ancillary_packets import Ancillary
from ipf_adapters.science.geometry import SensorModel
from s2ps.formats.eof_header import EofHeader
from s2ps.formats.gipp import DatationTiming, ViewingDirections, write_gipp
from s2ps.formats.iers import Bulletin, modified_julian_day, write_bulletin
from s2ps.model.bands import BANDS, Band
from s2ps.model.errors import InputError
from s2ps.model.timestamps import from_gps_seconds


def info(start: datetime, period: float) -> working.DatastripInfo:
    return working.DatastripInfo(
        unit="S2B",
        datatake_id="GS2B_20260701T101559_042345_N05.11",
        datatake_type="INS-NOBS",
        datastrip_id="S2B_OPER_MSI_L0__DS_S2PS_20260701T110000_S20260701T101600_N05.11",
        start=start,
        stop=start,
        absolute_orbit=42345,
        relative_orbit=22,
        line_period_ms=period,
        lines_per_granule=2304,
        granules=4,
    )


def gipp_header(kind: str, creation: datetime, band: str | None = None) -> EofHeader:
    tail = f"_B{band}" if band else ""
    stamp = creation.strftime("%Y%m%dT%H%M%S")
    return EofHeader.from_name(f"S2B_OPER_GIP_{kind}_MPC__{stamp}_V20260101T000000_20270101T000000{tail}.xml")


def test_a_model_read_back_locates_the_same(model: SensorModel, tmp_path: Path) -> None:
    start = from_gps_seconds(model.timing.start)
    working.write_datastrip(tmp_path, info(start, model.timing.period * 1000))
    orbit, attitude = model.orbit, model.attitude
    ancillary = Ancillary(orbit.time, orbit.position, orbit.velocity, attitude.time, attitude.quaternion)
    working.write_ancillary(tmp_path, ancillary)
    files = []
    for band in BANDS:
        psi = [model.looks[detector, band] for detector in range(1, 13)]
        header = gipp_header("VIEDIR", start, band.name[1:])
        content = ViewingDirections(np.array([look.psi_x for look in psi]), np.array([look.psi_y for look in psi]))
        files.append(
            tmp_path / f"S2B_OPER_GIP_VIEDIR_MPC__20260701T000000_V20260101T000000_20270101T000000_B{band.name[1:]}.xml"
        )
        write_gipp(files[-1], header, content)
    delays = np.array([[model.timing.delays[detector, band] for band in BANDS] for detector in range(1, 13)])
    datati = tmp_path / "S2B_OPER_GIP_DATATI_MPC__20260701T000000_V20260101T000000_20270101T000000.xml"
    write_gipp(datati, gipp_header("DATATI", start), DatationTiming(1.5, -19, 1, delays))
    day = np.floor(modified_julian_day(start))
    write_bulletin(tmp_path / "iers.txt", Bulletin(np.array([day, day + 1]), np.array([0.1, 0.1]), 37))
    back = SensorModel.load(tmp_path, files, datati, tmp_path / "iers.txt")
    np.testing.assert_allclose(back.locate(4, Band.B8A, 10.0, 20.0), model.locate(4, Band.B8A, 10.0, 20.0), atol=1e-9)

    with pytest.raises(InputError, match=r"datation\.json is missing"):
        SensorModel.load(tmp_path, files)
    from ipf_adapters.science.sensor_loading import keep_datation

    keep_datation(tmp_path, start, datati, tmp_path / "iers.txt")
    working.write_refining(
        tmp_path, working.Refining(roll=1e-5, pitch=2e-5, yaw=0.0, rms_before=9, rms_after=1, points=5)
    )
    refined = SensorModel.load(tmp_path, files)
    expected = model.with_bias(1e-5, 2e-5, 0.0).locate(4, Band.B8A, 10.0, 20.0)
    np.testing.assert_allclose(refined.locate(4, Band.B8A, 10.0, 20.0), expected, atol=1e-9)


def test_piece_names() -> None:
    assert working.Piece(1, Band.B8A.index, 1, 2).name == "D01_B8A_G001-G002.npy"
    assert working.Piece(12, 0, 3, 3, "quality").name == "D12_B01_G003_quality.npy"
    for name in ("D01_B8A_G001-G002.npy", "D12_B01_G003_quality.npy"):
        piece = working.Piece.parse(name)
        assert piece is not None
        assert piece.name == name
    assert working.Piece.parse("D01_B13_G001.npy") is None


def test_strips_join_along_the_track(tmp_path: Path) -> None:
    rng = np.random.default_rng(6)
    image = rng.integers(0, 4096, (40, 7)).astype(np.uint16)
    working.write_piece(tmp_path, 2, Band.B02, range(3, 5), image[20:])
    working.write_piece(tmp_path, 2, Band.B02, range(1, 3), image[:20])
    working.write_piece(tmp_path, 2, Band.B02, range(1, 5), image * 0, "quality")
    np.testing.assert_array_equal(working.read_strip(tmp_path, 2, Band.B02), image)
    assert not working.read_strip(tmp_path, 2, Band.B02, "quality").any()
    (tmp_path / "D02_B02_G001-G002.npy").unlink()
    with pytest.raises(InputError, match="begins at scene 3"):
        working.read_strip(tmp_path, 2, Band.B02)
    with pytest.raises(InputError, match="no image of D05 B02"):
        working.read_strip(tmp_path, 5, Band.B02)


def test_records_round_trip_and_name_their_file(tmp_path: Path) -> None:
    moment = from_gps_seconds(1466936177.5)
    granule = working.GranuleInfo(
        detector=3, index=2, start=moment, stop=moment, footprint=((11.0, 46.0), (11.1, 46.0), (11.0, 46.0))
    )
    working.write_granule(tmp_path, granule)
    assert working.read_granule(tmp_path, 3, 2) == granule
    assert working.packets_path(tmp_path, 3, 2, Band.B8A) == tmp_path / "D03" / "G002" / "B8A.isp"
    assert working.read_refining(tmp_path) is None
    with pytest.raises(InputError, match=r"datastrip\.json is missing"):
        working.read_datastrip(tmp_path)
    (tmp_path / "datastrip.json").write_text('{"unit": 3}')
    with pytest.raises(InputError, match=r"datastrip\.json"):
        working.read_datastrip(tmp_path)
