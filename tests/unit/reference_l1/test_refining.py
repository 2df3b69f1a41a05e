"""Matching, filtering and adjustment on their own."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy import ndimage
from unit.science.small_mission import build_model

from ipf_adapters.reference.errors import InvalidInput, MissingInput
from ipf_adapters.reference.l1b import matching, virtual_sensor
from ipf_adapters.reference.l1b.adjustment import refine
from ipf_adapters.reference.l1b.points import GroundPoints, read_points, write_points
from ipf_adapters.reference.l1b.tp_filter import agreeing
from ipf_adapters.science.geometry import SensorModel
from s2ps.formats.gipp import GeometricParameters
from s2ps.model.bands import Band

SHIFT = (2.37, -3.61)
GEOMETRIC = GeometricParameters(20, 3.0, 2.0, 1e-4)


@pytest.fixture(scope="module")
def pair() -> tuple[np.ndarray, np.ndarray]:
    """Image and reference: what image pixel p shows lies at p + SHIFT in the reference."""
    rng = np.random.default_rng(12)
    texture = ndimage.gaussian_filter(rng.normal(size=(300, 200)), 1.6)
    image = 500 + 4000 * texture
    reference = 0.3 + ndimage.shift(texture, SHIFT, order=5, mode="reflect")
    return image.astype(np.float32), reference.astype(np.float32)


def test_shift_is_found_to_a_tenth_of_a_pixel(pair: tuple[np.ndarray, np.ndarray]) -> None:
    found = matching.match(*pair, 33, 8, 40, 0.75)
    assert found.line.size >= 20
    assert found.score.min() > 0.95
    np.testing.assert_allclose(found.line_shift, SHIFT[0], atol=0.1)
    np.testing.assert_allclose(found.col_shift, SHIFT[1], atol=0.1)


def test_unknown_and_unlike_windows_give_no_point(pair: tuple[np.ndarray, np.ndarray]) -> None:
    image, reference = (part.copy() for part in pair)
    image[100:120] = np.nan
    reference[200:] = np.random.default_rng(13).normal(size=reference[200:].shape)
    found = matching.match(image, reference, 33, 8, 20, 0.75)
    assert found.line.size > 0
    assert found.line.max() < 200
    assert not ((found.line > 84) & (found.line < 136)).any()


def test_shift_beyond_the_search_range_gives_no_point(pair: tuple[np.ndarray, np.ndarray]) -> None:
    image, reference = pair
    assert matching.match(image, np.roll(reference, 12, axis=0), 33, 4, 40, 0.75).line.size == 0


def test_image_smaller_than_a_window_gives_no_point(pair: tuple[np.ndarray, np.ndarray]) -> None:
    assert matching.match(pair[0][:30, :30], pair[1][:30, :30], 33, 8, 40, 0.75).line.size == 0


def points_of(model: SensorModel, detector: int, count: int, noise: float, seed: int = 14) -> GroundPoints:
    rng = np.random.default_rng(seed + detector)
    line, col = rng.uniform(0, 9000, count), rng.uniform(0, 2591, count)
    height = rng.uniform(0, 2000, count)
    lon, lat = model.locate(detector, Band.B03, line, col, height)
    shifts = 2.0 + rng.normal(0, noise, count), -1.0 + rng.normal(0, noise, count)
    line, col = line + rng.normal(0, noise, count), col + rng.normal(0, noise, count)
    return GroundPoints(detector, line, col, lon, lat, height, *shifts, np.full(count, 0.9))


def test_attitude_bias_is_recovered() -> None:
    model = build_model()
    bias = (3e-5, -2e-5, 5e-5)
    points = [points_of(model.with_bias(*bias), detector, 60, 0.1) for detector in (1, 6, 12)]
    found = refine(model, Band.B03, points, 10, GEOMETRIC)
    assert np.all(np.abs(np.subtract(found.bias, bias)) < [4e-7, 4e-7, 2e-6])
    assert 25 < found.rms_before < 45
    assert found.rms_after == pytest.approx(np.sqrt(2) * 1.0, rel=0.2)
    assert found.points == 180
    assert np.hypot(*found.mean_after) < 0.5 < 10 < np.hypot(*found.mean_before)


def test_a_few_wrong_points_hardly_matter() -> None:
    model = build_model()
    bias = (3e-5, -2e-5, 0.0)
    points = [points_of(model.with_bias(*bias), detector, 60, 0.1) for detector in (1, 6, 12)]
    points[0].line[:6] += 6.0
    found = refine(model, Band.B03, points, 10, GEOMETRIC)
    np.testing.assert_allclose(found.bias[:2], bias[:2], atol=1e-6)


def test_a_priori_sigma_and_robust_limit_are_those_of_the_parameter_file() -> None:
    model = build_model()
    bias = (3e-5, -2e-5, 0.0)
    points = [points_of(model.with_bias(*bias), detector, 60, 0.1) for detector in (1, 6, 12)]
    stiff = refine(model, Band.B03, points, 10, replace(GEOMETRIC, apriori_sigma=1e-9))
    assert abs(stiff.bias[0]) < 0.5 * bias[0], "a bias that is not expected is not found"
    points[0].line[:6] += 6.0
    robust, plain = (refine(model, Band.B03, points, 10, replace(GEOMETRIC, robust_sigma=s)) for s in (2.0, 1e3))
    assert np.abs(np.subtract(robust.bias, bias))[1] < 0.5 * np.abs(np.subtract(plain.bias, bias))[1]


def test_filter_leaves_out_what_does_not_agree() -> None:
    points = points_of(build_model(), 5, 80, 0.05)
    points.line_shift[:] += 1e-4 * points.line
    points.line_shift[:15] += 4.0
    points.col_shift[10:20] -= 3.0
    keep = agreeing(points, 10, 3.0)
    assert not keep[:20].any()
    assert keep[20:].mean() > 0.9
    assert agreeing(points, 10, 1.0)[20:].sum() < keep[20:].sum(), "a stricter limit leaves out more"
    few = points.chosen(np.arange(80) < 4)
    assert agreeing(few, 10, 3.0).all()


def test_points_are_kept_in_files(tmp_path: Path) -> None:
    points = points_of(build_model(), 5, 10, 0.05)
    write_points(tmp_path, points)
    (found,) = read_points(tmp_path)
    np.testing.assert_allclose(found.lon, points.lon, atol=1e-9)
    write_points(tmp_path, points.chosen(np.arange(10) < 7), filtered=True)
    assert [len(some) for some in read_points(tmp_path)] == [7], "filtered points are preferred"
    assert read_points(tmp_path, detectors=(4,)) == []
    (tmp_path / "D05_gcp_filtered.json").write_text("{}")
    with pytest.raises(InvalidInput, match=r"D05_gcp_filtered\.json"):
        read_points(tmp_path)


def test_virtual_sensor_between_nodes(tmp_path: Path) -> None:
    class Flat:
        def height(self, lon: np.ndarray, lat: np.ndarray) -> np.ndarray:
            return np.full(np.shape(lon), 250.0)

    model = build_model(40)
    line, col = np.arange(0.0, 191.0, 10), np.arange(0.0, 64.0, 9)
    lon, lat, height = model.locate_on(9, Band.B03, line[:, None], col, Flat())
    virtual_sensor.write(tmp_path, 9, virtual_sensor.VirtualSensor(line, col, lon, lat, height))
    sensor = virtual_sensor.read(tmp_path, 9)
    found = sensor.ground(np.array([3.3, 77.7]), np.array([5.2, 41.0]))
    expected = model.locate(9, Band.B03, np.array([3.3, 77.7]), np.array([5.2, 41.0]), 250.0)
    np.testing.assert_allclose(found[0], expected[0], atol=1e-7)
    np.testing.assert_allclose(found[1], expected[1], atol=1e-7)
    with pytest.raises(MissingInput, match="INIT_VS_GEO"):
        virtual_sensor.read(tmp_path, 10)
    with pytest.raises(MissingInput, match="RESAMPLE_TO_VS"):
        virtual_sensor.read_image(tmp_path, 9, "gri")
