"""Radiometric correction undoes the instrument."""

from __future__ import annotations

import numpy as np
import pytest

from ipf_adapters.reference.l1a import radiometry
from ipf_adapters.reference.l1a.radiometry import BandCalibration, Equalised
from ipf_adapters.science.working import DEFECTIVE, LOST, SATURATED
from s2ps.model.bands import Band

WIDTH = 30


def calibration(**changes: object) -> BandCalibration:
    dark = 40 + np.arange(12)[:, None] + 0.5 * np.arange(WIDTH)
    response = 1 + 0.02 * np.sin(np.arange(12)[:, None] + np.arange(WIDTH))
    values = {
        "dark": dark,
        "response": response,
        "defective": {},
        "saturation": 4000,
        "blind_columns": 0,
        "blind_level": 0.0,
        "binning": 1,
    }
    return BandCalibration(**(values | changes))  # type: ignore[arg-type]


def observe(truth: np.ndarray, used: BandCalibration, detector: int) -> np.ndarray:
    return np.rint(used.dark[detector - 1] + truth * used.response[detector - 1]).astype(np.uint16)


@pytest.fixture
def truth() -> np.ndarray:
    return np.random.default_rng(9).uniform(100, 3000, (20, WIDTH))


def test_dark_and_response_are_removed(truth: np.ndarray) -> None:
    used = calibration()
    found = radiometry.equalise(observe(truth, used, 7), np.zeros(20, np.uint8), 7, used)
    np.testing.assert_allclose(found.counts, truth, atol=0.6)
    assert not found.quality.any()


def test_blind_columns_tell_the_drift_of_each_line(truth: np.ndarray) -> None:
    used = calibration(blind_columns=4, blind_level=20.0)
    drift = np.arange(20)
    raw = np.hstack([np.full((20, 4), 20), observe(truth, used, 1)]) + drift[:, None]
    found = radiometry.equalise(raw.astype(np.uint16), np.zeros(20, np.uint8), 1, used)
    assert found.counts.shape == truth.shape
    np.testing.assert_allclose(found.counts, truth, atol=0.6)


def test_saturation_and_loss_are_marked(truth: np.ndarray) -> None:
    used = calibration()
    raw = observe(truth, used, 2)
    raw[3, 4] = 4000
    lost = np.zeros(20, np.uint8)
    lost[8:10] = LOST
    found = radiometry.equalise(raw, lost, 2, used)
    assert found.quality[3, 4] == SATURATED
    assert (found.quality[8:10] == LOST).all()
    assert not found.counts[8:10].any()
    assert found.quality.astype(bool).sum() == 1 + 2 * WIDTH


def test_defective_columns_are_interpolated() -> None:
    used = calibration(defective={5: (0, 10, 11, 29)})
    truth = np.tile(100.0 + 20.0 * np.arange(WIDTH), (4, 1))
    raw = observe(truth, used, 5)
    raw[:, [0, 10, 11, 29]] = 0
    found = radiometry.equalise(raw, np.zeros(4, np.uint8), 5, used)
    np.testing.assert_allclose(found.counts[:, 10:12], truth[:, 10:12], atol=0.6)
    np.testing.assert_allclose(found.counts[:, [0, 29]], truth[:, [1, 28]], atol=0.6)
    assert set(np.flatnonzero(found.quality[0] == DEFECTIVE)) == {0, 10, 11, 29}
    other = radiometry.equalise(raw, np.zeros(4, np.uint8), 6, used)
    assert not other.quality.any()


def test_binning_averages_and_keeps_every_mark() -> None:
    counts = np.arange(24, dtype=np.float32).reshape(2, 12)
    quality = np.zeros((2, 12), np.uint8)
    quality[0, 4], quality[0, 5] = SATURATED, DEFECTIVE
    found = radiometry.binned(Equalised(counts, quality), 3)
    np.testing.assert_allclose(found.counts, [[1, 4, 7, 10], [13, 16, 19, 22]])
    np.testing.assert_array_equal(found.quality, [[0, SATURATED | DEFECTIVE, 0, 0], [0, 0, 0, 0]])


def test_crosstalk_is_taken_away() -> None:
    rng = np.random.default_rng(10)
    fine, coarse = rng.uniform(100, 200, (8, 12)), rng.uniform(100, 200, (4, 6))
    shares = np.zeros((13, 13))
    shares[Band.B11.index, Band.B02.index] = 0.01
    shares[Band.B02.index, Band.B11.index] = 0.02
    disturbed = fine + 0.02 * np.repeat(np.repeat(coarse, 2, axis=0), 2, axis=1)
    images = {
        Band.B02: Equalised(disturbed.astype(np.float32), np.zeros((8, 12), np.uint8)),
        Band.B11: Equalised(coarse.astype(np.float32), np.zeros((4, 6), np.uint8)),
    }
    found = radiometry.remove_crosstalk(images, shares)
    np.testing.assert_allclose(found[Band.B02].counts, fine, atol=1e-3)
    assert (found[Band.B11].counts < coarse).all()
    assert radiometry.remove_crosstalk(images, shares * 0)[Band.B02] is images[Band.B02]
