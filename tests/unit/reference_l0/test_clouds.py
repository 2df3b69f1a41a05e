"""Clouds on quick-looks: found where they were put, outlined on the ground, counted per granule."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
import shapely

from ipf_adapters.reference.l0.clouds import CloudScene, find_clouds, write_clouds
from ipf_adapters.reference.l0.quicklook import QuicklookGeometry, StripGeometry
from ipf_adapters.science.working import DatastripInfo
from s2ps.formats.gipp import AbsoluteCalibration, CoarseCloudThresholds
from s2ps.model.bands import Band

ROWS, COLS, STEP = 20, 10, 0.001
CLOUD = (slice(4, 8), slice(8, 12))
"""Rows and columns across the border between two detectors."""


def strip(detector: int) -> StripGeometry:
    first = 10.0 + (detector - 1) * COLS * STEP
    cols = (0.0, COLS - 1.0)
    rows = (0.0, ROWS - 1.0)
    return StripGeometry(
        detector=detector,
        rows=rows,
        cols=cols,
        lon=tuple(tuple(first + (col + 0.5) * STEP for col in cols) for _ in rows),
        lat=tuple(tuple(45.0 - (row + 0.5) * STEP for _ in cols) for row in rows),
    )


GEOMETRY = QuicklookGeometry(
    band="B02", decimation=16, rows=ROWS, cols=COLS, rows_per_granule=ROWS / 2, strips=(strip(1), strip(2))
)
START = datetime(2026, 7, 1, 10, 15, 59, tzinfo=UTC)
INFO = DatastripInfo(
    unit="S2B", datatake_id="GS2B_20260701T101559_048123_N05.00", datatake_type="INS-NOBS", datastrip_id="X",
    start=START, stop=START + timedelta(seconds=8), absolute_orbit=48123, relative_orbit=22, line_period_ms=15.6,
    lines_per_granule=160, granules=2,
)  # fmt: skip
CALIBRATION = AbsoluteCalibration(np.full((12, 13), 10.0), np.full(13, 1000.0), np.full(13, 10.0))
LIMITS = CoarseCloudThresholds(0.35, 0.25, 0.012)


def counts(reflectance: float) -> int:
    """Return counts at a solar zenith of about 24 degrees."""
    return round(reflectance * 10.0 * 1000.0 * 0.966 * np.cos(np.radians(24)) / np.pi)


def images(blue: float, swir: float) -> dict[Band, tuple[np.ndarray, QuicklookGeometry]]:
    made = {}
    for band, bright in ((Band.B02, blue), (Band.B11, swir)):
        image = np.full((ROWS, 2 * COLS), counts(0.1), dtype=np.uint16)
        image[CLOUD] = counts(bright)
        made[band] = (image, GEOMETRY)
    return made


@pytest.mark.parametrize(("blue", "swir", "cloudy"), [(0.6, 0.5, 16), (0.6, 0.1, 0), (0.2, 0.5, 0)])
def test_cloud_is_bright_in_blue_and_swir(blue: float, swir: float, cloudy: int) -> None:
    scene = find_clouds(images(blue, swir), INFO, CALIBRATION, LIMITS)
    assert int(scene.cloud.sum()) == cloudy
    assert scene.cover == pytest.approx(100 * cloudy / (ROWS * 2 * COLS))


def test_cirrus_counts_where_its_band_is_there() -> None:
    made = images(0.2, 0.1)
    cirrus = np.full((ROWS, 2 * COLS), counts(0.005), dtype=np.uint16)
    cirrus[0, :5] = counts(0.05)
    scene = find_clouds({**made, Band.B10: (cirrus, GEOMETRY)}, INFO, CALIBRATION, LIMITS)
    assert scene.cloud.nonzero()[1].tolist() == [0, 1, 2, 3, 4]


def test_cloud_across_detectors_is_one_polygon_on_the_ground(tmp_path: Path) -> None:
    write_clouds(tmp_path, find_clouds(images(0.6, 0.5), INFO, CALIBRATION, LIMITS), INFO)
    features = json.loads((tmp_path / "clouds.geojson").read_text())["features"]
    polygons = [shapely.geometry.shape(feature["geometry"]) for feature in features]
    expected = shapely.box(10.008, 44.992, 10.012, 44.996)
    assert len(polygons) == 1
    assert polygons[0].symmetric_difference(expected).area < 1e-9
    covers = json.loads((tmp_path / "cloud_cover.json").read_text())["granules"]
    assert covers == {"D01_G001": 8.0, "D01_G002": 0.0, "D02_G001": 8.0, "D02_G002": 0.0}


def test_no_cloud_is_an_empty_collection(tmp_path: Path) -> None:
    nothing = np.zeros((ROWS, 2 * COLS), dtype=bool)
    write_clouds(tmp_path, CloudScene(nothing, ~nothing, GEOMETRY), INFO)
    assert json.loads((tmp_path / "clouds.geojson").read_text())["features"] == []
