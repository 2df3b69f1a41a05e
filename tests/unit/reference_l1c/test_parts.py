"""Small parts of the L1C processors."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from ipf_adapters.reference.errors import InvalidInput, MissingInput
from ipf_adapters.reference.l1c.angles import AngleGrid, from_lists, mean_angles, to_lists
from ipf_adapters.reference.l1c.footprint import convex_hull, data_ring
from ipf_adapters.reference.l1c.format_img_l1c import quality_planes
from ipf_adapters.reference.l1c.format_img_pvi_tci import true_colour
from ipf_adapters.reference.l1c.jpeg2000 import read_jp2, write_jp2
from ipf_adapters.reference.l1c.mask_s2 import classify, dilated, percentages
from ipf_adapters.reference.l1c.meteorology import Field, nearest_in_time, read_fields, resample_to_tile, write_fields
from ipf_adapters.reference.l1c.tile_folder import TileSheet, load_array, read_tile
from s2ps.formats.gipp import Jp2Parameters, MaskParameters, SnowThresholds
from s2ps.formats.tile_list import TileEntry, read_tile_list, write_tile_list
from s2ps.model.bands import Band
from s2ps.model.errors import InputError

NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)
SHEET = TileSheet("32TPQ", 2, 32632, 600000, 5000040, 10, (5, 6), "GS2B_X", "T32TPQ_20260701T101559")


def test_jpeg2000_is_lossless_with_georeference_and_no_side_files(tmp_path: Path) -> None:
    import rasterio

    image = np.random.default_rng(1).integers(0, 65536, (3, 70, 50)).astype(np.uint16)
    path = tmp_path / "image.jp2"
    write_jp2(path, image, 32632, SHEET.transform(20), Jp2Parameters(True, 32, 3))
    assert (read_jp2(path) == image).all()
    with rasterio.open(path) as source:
        assert source.crs.to_epsg() == 32632
        assert source.transform[:6] == SHEET.transform(20)
        assert source.block_shapes[0][0] == 32
        assert len(source.overviews(1)) <= 2
    with pytest.raises(InvalidInput, match="GIP_JP2KPA asks for JPEG 2000 with loss"):
        write_jp2(path, image, 32632, SHEET.transform(20), Jp2Parameters(False, 32, 3))
    assert [item.name for item in tmp_path.iterdir()] == ["image.jp2"]


def test_tile_sheet_round_trip_and_errors(tmp_path: Path) -> None:
    SHEET.write(tmp_path)
    assert read_tile(tmp_path) == SHEET
    assert SHEET.size(60) * 6 == SHEET.size(10) == 1098
    (tmp_path / "tile.json").write_text('{"name": "32TPQ"}')
    with pytest.raises(InvalidInput, match=r"tile\.json"):
        read_tile(tmp_path)
    with pytest.raises(MissingInput, match="TILE_INIT"):
        read_tile(tmp_path / "nowhere")
    (tmp_path / "broken.npy").write_bytes(b"no array")
    with pytest.raises(InvalidInput, match=r"broken\.npy"):
        load_array(tmp_path / "broken.npy")


def test_tile_list_round_trip_and_errors(tmp_path: Path) -> None:
    path = tmp_path / "tile_list_file.xml"
    entries = [TileEntry(1, "32TNQ", (4, 5)), TileEntry(2, "32TPQ", (1, 2, 12))]
    write_tile_list(path, entries)
    assert read_tile_list(path) == entries
    path.write_text(path.read_text().replace("<Number_Of_Tiles>2", "<Number_Of_Tiles>3"))
    with pytest.raises(InputError, match="2 tiles"):
        read_tile_list(path)
    with pytest.raises(InputError, match=r"absent\.xml"):
        read_tile_list(tmp_path / "absent.xml")


def test_mean_angles_go_around_north() -> None:
    east = AngleGrid(np.full((2, 2), 5.0), np.full((2, 2), 350.0))
    west = AngleGrid(np.array([[5.0, np.nan]]), np.array([[10.0, np.nan]]))
    zenith, azimuth = mean_angles([east, AngleGrid(np.full((2, 2), 5.0), np.full((2, 2), 10.0))]) or (0.0, 0.0)
    assert min(azimuth, 360 - azimuth) == pytest.approx(0.0, abs=1e-9)
    assert zenith == pytest.approx(5.0, abs=0.1)
    assert np.isnan(from_lists(to_lists(west)).zenith[0, 1])
    assert mean_angles([]) is None


def test_outline_is_the_convex_hull_of_the_data() -> None:
    assert set(convex_hull([(0, 0), (2, 0), (1, 1), (2, 2), (0, 2), (1, 0)])) == {(0, 0), (2, 0), (2, 2), (0, 2)}
    covered = np.zeros((SHEET.size(60), SHEET.size(60)), dtype=bool)
    assert data_ring(covered, SHEET, 60) == []
    covered[:, 20:60] = True
    ring = data_ring(covered, SHEET, 60)
    assert ring[0] == ring[-1]
    assert len(ring) == 5


MASKS = MaskParameters(0.35, 0.25, 0.012, 0, SnowThresholds(0.42, 0.25, 0.15))


def test_snow_cloud_and_cirrus_are_told_apart() -> None:
    def plane(*values: float) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
        return np.array([values], dtype=np.float32)

    bands = {
        Band.B02: plane(0.6, 0.6, 0.05, 0.05, np.nan), Band.B03: plane(0.6, 0.6, 0.06, 0.06, np.nan),
        Band.B10: plane(0.0, 0.0, 0.03, 0.0, np.nan), Band.B11: plane(0.5, 0.05, 0.2, 0.2, np.nan),
    }  # fmt: skip
    planes = classify(bands, MASKS)
    assert planes[:, 0].T.tolist() == [[1, 0, 0], [0, 0, 1], [0, 1, 0], [0, 0, 0], [0, 0, 0]]
    shares = percentages(planes, ~np.isnan(bands[Band.B02]))
    assert shares == {"opaque": 25.0, "cirrus": 25.0, "snow": 25.0, "cloudy": 50.0}


def test_thresholds_of_snow_and_the_least_cloud_are_those_of_the_parameter_files() -> None:
    bright = np.full((4, 6), 0.6, dtype=np.float32)
    none = np.zeros_like(bright)
    swir = bright.copy()
    swir[:, 3:] = 0.1
    bands = {Band.B02: bright, Band.B03: bright, Band.B10: none, Band.B11: swir}
    assert classify(bands, MASKS).sum(axis=(1, 2)).tolist() == [12, 0, 12]
    strict = replace(MASKS, snow=SnowThresholds(0.42, 0.25, 0.05))
    assert classify(bands, strict).sum(axis=(1, 2)).tolist() == [12, 0, 0]
    assert classify(bands, MASKS, 12).sum(axis=(1, 2)).tolist() == [12, 0, 12]
    assert classify(bands, MASKS, 13).sum(axis=(1, 2)).tolist() == [0, 0, 12]


def test_dilation_grows_by_the_four_neighbours() -> None:
    mask = np.zeros((5, 5), dtype=bool)
    mask[2, 2] = True
    assert dilated(mask, 1).sum() == 5
    assert dilated(mask, 2).sum() == 13


def test_quality_planes_and_colours() -> None:
    planes = quality_planes(np.array([[0, 1, 2, 4, 8]], dtype=np.uint8))
    assert planes.sum(axis=0).tolist() == [[0, 1, 1, 1, 1]]
    assert (planes[2, 0, 4], planes[4, 0, 3], planes[5, 0, 1], planes[7, 0, 2]) == (1, 1, 1, 1)
    numbers = np.array([[0, 500, 1000 + 3558, 9000]], dtype=np.uint16)
    assert true_colour([numbers] * 3, -1000)[0].tolist() == [[0, 1, 255, 255]]


def test_meteorology_is_interpolated_to_the_tile(tmp_path: Path) -> None:
    lon, lat = np.linspace(9.0, 12.0, 13), np.linspace(47.0, 43.0, 17)
    lons, lats = np.meshgrid(lon, lat)
    early = Field("tcwv", NOON.replace(hour=6), lon, lat, np.zeros(lons.shape))
    late = Field("tcwv", NOON, lon, lat, 10.0 + lons + 2.0 * lats)
    write_fields(tmp_path / "ecmwf", [early, late])
    assert nearest_in_time(read_fields(tmp_path / "ecmwf"), "tcwv", NOON.replace(hour=11)) is not None
    resample_to_tile([tmp_path / "ecmwf"], ["tcwv"], NOON.replace(hour=11), SHEET, tmp_path / "AUX" / "AUX_ECMWFT")
    (field,) = read_fields(tmp_path / "AUX" / "AUX_ECMWFT")
    inner_lon, inner_lat = np.array([10.33]), np.array([45.11])
    assert field.values.shape == (9, 9)
    assert field.at(inner_lon, inner_lat) == pytest.approx(10.0 + inner_lon + 2.0 * inner_lat, abs=1e-3)
    with pytest.raises(MissingInput, match="msl"):
        resample_to_tile([tmp_path / "ecmwf"], ["msl"], NOON, SHEET, tmp_path / "x")
    (tmp_path / "bad").write_bytes(b"GRIB but no grib")
    with pytest.raises(InvalidInput, match="bad"):
        read_fields(tmp_path / "bad")
