"""The viewing model against independent computations."""

from __future__ import annotations

import time

import numpy as np
import pytest
from pyproj import Geod, Transformer

from ipf_adapters.science import earth_rotation, ellipsoid, rotation
from ipf_adapters.science.geometry import SensorModel
from s2ps.model.bands import BANDS, Band

GEOD = Geod(ellps="WGS84")


def distance(lon1: np.ndarray, lat1: np.ndarray, lon2: np.ndarray, lat2: np.ndarray) -> np.ndarray:
    return np.asarray(GEOD.inv(lon1, lat1, lon2, lat2)[2])


def test_coordinates_agree_with_pyproj() -> None:
    to_ecef = Transformer.from_crs("EPSG:4979", "EPSG:4978", always_xy=True)
    rng = np.random.default_rng(1)
    lon, lat, height = rng.uniform(-180, 180, 200), rng.uniform(-89.9, 89.9, 200), rng.uniform(-500, 800e3, 200)
    ours = ellipsoid.to_earth_fixed(lon, lat, height)
    theirs = np.stack(to_ecef.transform(lon, lat, height), axis=-1)
    np.testing.assert_allclose(ours, theirs, atol=1e-6)
    back = ellipsoid.to_geodetic(theirs)
    np.testing.assert_allclose(back[0], lon, atol=1e-10)
    np.testing.assert_allclose(back[1], lat, atol=1e-10)
    np.testing.assert_allclose(back[2], height, atol=1e-5)


def test_rays_meet_the_requested_height() -> None:
    origin = ellipsoid.to_earth_fixed(np.array([11.0, -70.0]), np.array([46.0, -80.0]), 786000.0)
    target = ellipsoid.to_earth_fixed(np.array([11.8, -72.0]), np.array([46.5, -81.0]), 0.0)
    direction = (target - origin) / np.linalg.norm(target - origin, axis=-1, keepdims=True)
    for height in (-400.0, 0.0, 8800.0):
        point, _, _ = ellipsoid.intersect(origin, direction, height)
        np.testing.assert_allclose(ellipsoid.to_geodetic(point)[2], height, atol=1e-3)


def test_earth_rotation_angle_at_j2000() -> None:
    j2000_gps = 7300.5 * 86400.0 + earth_rotation.GPS_MINUS_UTC
    assert earth_rotation.rotation_angle(j2000_gps) == pytest.approx(2 * np.pi * 0.7790572732640, abs=1e-9)
    later = earth_rotation.rotation_angle(j2000_gps + 86164.0989036903511)
    assert later == pytest.approx(2 * np.pi * 0.7790572732640, abs=1e-6)


def test_quaternions_turn_as_their_matrices() -> None:
    rng = np.random.default_rng(2)
    quaternion = rng.normal(size=(20, 4))
    quaternion /= np.linalg.norm(quaternion, axis=1, keepdims=True)
    columns = [rotation.apply(quaternion, np.eye(3)[axis]) for axis in range(3)]
    matrix = np.stack(columns, axis=-1)
    again = rotation.from_matrix(matrix)
    np.testing.assert_allclose(np.abs(np.sum(again * quaternion, axis=1)), 1.0, atol=1e-12)
    vector = rng.normal(size=(20, 3))
    twice = rotation.multiply(again[::-1], again)
    np.testing.assert_allclose(
        rotation.apply(twice, vector), rotation.apply(again[::-1], rotation.apply(again, vector)), atol=1e-12
    )


def test_nadir_look_hits_the_point_below(model: SensorModel) -> None:
    detector, band = 6, Band.B03
    rays = model.rays(detector, band, 500.0, np.linspace(0, 2591, 5))
    lon, _, height = ellipsoid.to_geodetic(rays.origin)
    np.testing.assert_allclose(height, 786000.0, atol=1.0)
    zenith, _ = model.view_angles(detector, band, 500.0, 1296.0)
    look = model.looks[detector, band].tangents(np.array(0.5))
    expected = np.degrees(np.arctan(np.hypot(*look))) * (1 + 786.0 / 6371.0)
    assert float(zenith) == pytest.approx(expected, rel=2e-3)
    assert np.all(np.abs(lon - 11.0) < 0.01)


@pytest.mark.parametrize("band", [Band.B03, Band.B01, Band.B11])
@pytest.mark.parametrize("detector", [1, 6, 12])
def test_inverse_returns_the_pixel(model: SensorModel, detector: int, band: Band) -> None:
    width = band.width(1)
    line, col = np.meshgrid(np.linspace(-300, 3000, 12), np.linspace(-0.4 * width, 1.4 * width, 12))
    for height in (0.0, 2500.0):
        lon, lat = model.locate(detector, band, line, col, height)
        found_line, found_col = model.inverse(detector, band, lon, lat, height)
        np.testing.assert_allclose(found_line, line, atol=1e-3)
        np.testing.assert_allclose(found_col, col, atol=1e-3)


def test_inverse_is_finite_far_outside(model: SensorModel) -> None:
    lon, lat = np.meshgrid(np.linspace(5, 17, 9), np.linspace(40, 52, 9))
    line, col = model.inverse(3, Band.B02, lon, lat, 0.0)
    assert np.all(np.isfinite(line))
    assert np.all(np.isfinite(col))
    assert line[0].min() > line[-1].max(), "south is later"


def test_roll_bias_moves_the_ground_across_track(model: SensorModel) -> None:
    at = (6, Band.B03, 500.0, 1296.0)
    lon, lat = model.locate(*at)
    moved_lon, moved_lat = model.with_bias(1e-5, 0.0, 0.0).locate(*at)
    azimuth, _, metres = GEOD.inv(lon, lat, moved_lon, moved_lat)
    assert metres == pytest.approx(7.86, abs=0.02)
    assert abs(abs(azimuth) - 90.0) < 5.0
    pitched_lon, pitched_lat = model.with_bias(0.0, 1e-5, 0.0).locate(*at)
    azimuth, _, metres = GEOD.inv(lon, lat, pitched_lon, pitched_lat)
    assert metres == pytest.approx(7.86, abs=0.02)
    assert min(abs(azimuth), abs(abs(azimuth) - 180.0)) < 5.0


def test_right_of_the_track_is_west_when_descending(model: SensorModel) -> None:
    left, _ = model.locate(6, Band.B03, 500.0, 0.0)
    right, _ = model.locate(6, Band.B03, 500.0, 2591.0)
    assert right < left


def test_height_moves_points_by_the_parallax(model: SensorModel) -> None:
    at = (12, Band.B03, 500.0, 2000.0)
    low = model.locate(*at, 0.0)
    high = model.locate(*at, 3000.0)
    zenith, azimuth = model.view_angles(*at)
    assert distance(*low, *high) == pytest.approx(3000.0 * np.tan(np.radians(zenith)), rel=5e-3)
    towards, _, _ = GEOD.inv(*low, *high)
    assert abs((towards - float(azimuth) + 180.0) % 360.0 - 180.0) < 1.0


def test_terrain_is_met(model: SensorModel) -> None:
    class Slope:
        def height(self, lon: np.ndarray, lat: np.ndarray) -> np.ndarray:
            return 1500.0 + 20000.0 * (np.asarray(lat) - 45.95) + 5000.0 * (np.asarray(lon) - 11.0)

    lon, lat, height = model.locate_on(12, Band.B04, np.arange(0.0, 1000.0, 100.0), 1000.0, Slope())
    np.testing.assert_allclose(height, Slope().height(lon, lat), atol=0.02)
    line, col = model.inverse(12, Band.B04, lon, lat, height)
    np.testing.assert_allclose(line, np.arange(0.0, 1000.0, 100.0), atol=2e-3)
    np.testing.assert_allclose(col, 1000.0, atol=2e-3)


def test_bands_see_the_same_ground(model: SensorModel) -> None:
    middle = {
        band: model.locate(6, band, 2304 * 10 / band.resolution / 2 - 0.5, band.width(1) / 2 - 0.5) for band in BANDS
    }
    reference = middle[Band.B02]
    assert all(distance(*reference, *point) < 1.0 for point in middle.values())


def test_a_grid_takes_milliseconds(model: SensorModel) -> None:
    line, col = np.meshgrid(np.linspace(0, 2000, 50), np.linspace(0, 2591, 50))
    began = time.process_time()
    lon, lat = model.locate(5, Band.B02, line, col, 100.0)
    model.inverse(5, Band.B02, lon, lat, 100.0)
    assert time.process_time() - began < 0.5
