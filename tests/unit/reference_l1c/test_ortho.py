"""Orthorectification of an analytic scene seen by two detectors over hills: location and interpolation."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage

from ipf_adapters.reference.errors import InvalidInput
from ipf_adapters.reference.l1c.inverse_grid import inverse_grid, projections, seen_window
from ipf_adapters.reference.l1c.mosaic import TileImage, ortho_image, prepare_strip, spline_order
from ipf_adapters.reference.l1c.splines import spline_matrix, spread
from ipf_adapters.reference.l1c.tile_folder import TileSheet
from ipf_adapters.reference.l1c.toa import Calibration, reflectance_numbers
from ipf_adapters.science.geometry import SensorModel
from ipf_adapters.science.working import LOST
from ipf_adapters.simulation import orbit
from ipf_adapters.simulation.instrument import build_instrument
from ipf_adapters.simulation.mission import MissionSettings
from ipf_adapters.simulation.truth import Truth
from s2ps.formats.gipp import RadiometricParameters, ResamplingParameters
from s2ps.model.bands import Band

Array = NDArray[np.float64]
MISSION = MissionSettings(scale=20, scenes=3, seed=5)
BAND = Band.B02
DETECTORS = (6, 7)
RESAMPLING = ResamplingParameters("cubic-spline", 16, 32)


class Hills:
    """Heights above the ellipsoid as a smooth function of UTM coordinates."""

    def __init__(self, epsg: int) -> None:
        self._to_map = projections(epsg)[0]

    def height(self, lon: ArrayLike, lat: ArrayLike) -> Array:
        x, y = self._to_map(np.asarray(lon, dtype=np.float64), np.asarray(lat, dtype=np.float64))
        return self.of_map(x, y)

    def of_map(self, x: Array, y: Array) -> Array:
        return 400.0 + 300.0 * np.sin(x / 900.0) * np.cos(y / 700.0)


def scene(x: Array, y: Array) -> Array:
    """A pattern with waves of 300 to 500 m."""
    return 0.3 + 0.1 * np.sin(2 * np.pi * x / 410.0) + 0.1 * np.cos(2 * np.pi * (y + 0.3 * x) / 330.0)


@pytest.fixture(scope="module")
def geometry() -> tuple[SensorModel, TileSheet]:
    take = MISSION.takes()[0]
    tile = Truth.of(MISSION).tile("32TNQ")
    model = orbit.true_model(take, build_instrument(MISSION))
    return model, TileSheet(tile.name, 1, tile.epsg, tile.ulx, tile.uly, tile.scale, DETECTORS, take.name, "")


@pytest.fixture(scope="module")
def strips(geometry: tuple[SensorModel, TileSheet]) -> dict[int, NDArray[np.float32]]:
    """What the two detectors see of the scene on the hills."""
    model, sheet = geometry
    to_map, hills = projections(sheet.epsg)[0], Hills(sheet.epsg)
    line, col = np.indices((MISSION.takes()[0].lines(BAND), BAND.width(MISSION.scale)), dtype=float)
    result = {}
    for detector in DETECTORS:
        lon, lat, _ = model.locate_on(detector, BAND, line, col, hills)
        result[detector] = scene(*to_map(lon, lat)).astype(np.float32)
    return result


def ortho(
    geometry: tuple[SensorModel, TileSheet],
    strips: dict[int, NDArray[np.float32]],
    quality: dict[int, NDArray[np.uint8]],
    resampling: ResamplingParameters = RESAMPLING,
) -> tuple[TileImage, Array, Array]:
    """Return the tile image and the coordinates of its pixels."""
    model, sheet = geometry
    to_map, to_geographic = projections(sheet.epsg)
    pixels = np.arange(sheet.size(10), dtype=float)
    x, y = np.meshgrid(sheet.x_of(pixels, 10), sheet.y_of(pixels, 10))
    heights = Hills(sheet.epsg).of_map(x, y).astype(np.float32)
    extremes = (float(heights.min()), float(heights.max()))
    grids = []
    for detector, strip in strips.items():
        window = seen_window(model, detector, BAND, len(strip), sheet, to_map, extremes)
        assert not window.empty
        grids.append(inverse_grid(model, detector, BAND, window, sheet, to_geographic, extremes, resampling))
    ready = {
        detector: prepare_strip(
            strip, quality.get(detector, np.zeros(strip.shape, dtype=np.uint8)), spline_order(resampling.kernel)
        )
        for detector, strip in strips.items()
    }
    return ortho_image(grids, ready, heights), x, y


def test_scene_is_recovered_in_value_and_place(
    geometry: tuple[SensorModel, TileSheet], strips: dict[int, NDArray[np.float32]]
) -> None:
    image, x, y = ortho(geometry, strips, {})
    seen = image.detector > 0
    assert set(np.unique(image.detector[seen])) == set(DETECTORS)
    assert np.abs(image.counts - scene(x, y))[seen].max() < 0.03
    inner = ndimage.binary_erosion(seen, iterations=4)
    error = (image.counts - scene(x, y))[inner]
    assert np.sqrt(np.mean(error**2)) < 2e-4
    down, across = (slope[inner] for slope in np.gradient(scene(x, y)))
    shift, *_ = np.linalg.lstsq(np.stack([across, down], axis=1), error, rcond=None)
    assert np.abs(shift).max() < 0.002


def test_kernel_and_grid_steps_are_those_of_the_parameter_file(
    geometry: tuple[SensorModel, TileSheet], strips: dict[int, NDArray[np.float32]]
) -> None:
    def error(resampling: ResamplingParameters) -> float:
        image, x, y = ortho(geometry, strips, {}, resampling)
        inner = ndimage.binary_erosion(image.detector > 0, iterations=4)
        return float(np.sqrt(np.mean((image.counts - scene(x, y))[inner] ** 2)))

    good = error(RESAMPLING)
    assert error(ResamplingParameters("linear", 16, 32)) > 3 * good
    assert error(ResamplingParameters("cubic-spline", 400, 400)) != good
    with pytest.raises(InvalidInput, match="kernel 'sinc': expected one of cubic-spline, linear"):
        spline_order("sinc")


def test_a_wrong_attitude_moves_the_image_by_the_expected_pixels(
    geometry: tuple[SensorModel, TileSheet], strips: dict[int, NDArray[np.float32]]
) -> None:
    model, sheet = geometry
    roll, pitch, yaw = model.bias
    tilted = (model.with_bias(roll + 2e-5, pitch, yaw), sheet)
    image, x, y = ortho(tilted, strips, {})
    seen = image.detector > 0
    down, across = (slope[seen] for slope in np.gradient(scene(x, y)))
    error = (image.counts - scene(x, y))[seen]
    shift, *_ = np.linalg.lstsq(np.stack([across, down], axis=1), error, rcond=None)
    assert np.hypot(*shift) == pytest.approx(2e-5 * 786_000.0 / 10.0, rel=0.05)


def test_gaps_keep_their_quality_and_do_not_ring(
    geometry: tuple[SensorModel, TileSheet], strips: dict[int, NDArray[np.float32]]
) -> None:
    damaged = {detector: strip.copy() for detector, strip in strips.items()}
    masks = {detector: np.zeros(strip.shape, dtype=np.uint8) for detector, strip in strips.items()}
    lines = slice(120, 136)
    for detector in DETECTORS:
        damaged[detector][lines] = 0.0
        masks[detector][lines] = LOST
    image, x, y = ortho(geometry, damaged, masks)
    lost = (image.quality & LOST) != 0
    good = (image.detector > 0) & ~lost
    assert lost.sum() > 500
    assert np.abs(image.counts - scene(x, y))[good].max() < 0.05


def test_reflectance_numbers_follow_the_definition() -> None:
    counts = np.array([[100.0, 100.0, 100.0, 0.0]], dtype=np.float32)
    image = TileImage(counts, np.array([[3, 4, 3, 0]], dtype=np.uint8), np.array([[0, 0, 2, 1]], dtype=np.uint8))
    calibration = Calibration({3: 5.0, 4: 4.0}, 1500.0, 0.97)
    coding = RadiometricParameters(4095, -500, 20000, 0, 60000)
    numbers = reflectance_numbers(image, np.full((1, 4), 0.8, dtype=np.float32), calibration, coding)
    expected = [np.pi * 100.0 / gain / (1500.0 * 0.97 * 0.8) * 20000 + 500 for gain in (5.0, 4.0)]
    assert numbers[0, :2].tolist() == pytest.approx(expected, abs=0.51)
    assert numbers[0, 2:].tolist() == [60000, 0]


def test_splines_are_exact_for_cubics_and_keep_constants() -> None:
    targets = np.array([0.0, 0.4, 2.7, 5.0, 5.5])
    weights = spline_matrix(6, targets)
    nodes = np.arange(6.0)
    assert weights @ (nodes**3 - 2 * nodes) == pytest.approx(targets**3 - 2 * targets)
    assert weights.sum(axis=1) == pytest.approx(np.ones(5))
    assert spread(np.linspace(10.0, 20.0, 6), np.array([12.0])) @ nodes == pytest.approx([1.0])
    with pytest.raises(ValueError, match="4 or more"):
        spline_matrix(3, targets)
