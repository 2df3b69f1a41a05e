"""Terrain heights from GeoTIFF."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import rasterio
from rasterio import Affine

from ipf_adapters.science.terrain import Terrain
from s2ps.model.errors import InputError

STEP = 0.01


def plane(lon: np.ndarray, lat: np.ndarray) -> np.ndarray:
    return 100.0 + 50.0 * (lon - 11.0) + 80.0 * (lat - 46.0)


def write(path: Path, west: float, north: float, size: int, offset: float = 0.0) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    lon, lat = np.meshgrid(west + (np.arange(size) + 0.5) * STEP, north - (np.arange(size) + 0.5) * STEP)
    form = {"driver": "GTiff", "height": size, "width": size, "count": 1, "dtype": "float32", "crs": "EPSG:4326"}
    with rasterio.open(path, "w", transform=Affine(STEP, 0.0, west, 0.0, -STEP, north), **form) as target:
        target.write((plane(lon, lat) + offset).astype(np.float32), 1)


@pytest.fixture
def terrain(tmp_path: Path) -> Terrain:
    write(tmp_path / "dem" / "a.tif", 11.0, 47.0, 100)
    write(tmp_path / "dem" / "sub" / "b.tif", 12.0, 47.0, 100)
    write(tmp_path / "geoid" / "g.tif", 10.0, 48.0, 300, offset=-60.0)
    return Terrain(tmp_path / "dem", tmp_path / "geoid")


def test_heights_follow_the_plane_over_two_files(terrain: Terrain) -> None:
    lon, lat = np.meshgrid(np.linspace(11.01, 12.98, 7), np.linspace(46.01, 46.99, 5))
    inside = np.abs(lon - 12.0) > STEP
    np.testing.assert_allclose(terrain.orthometric(lon, lat)[inside], plane(lon, lat)[inside], atol=1e-3)
    np.testing.assert_allclose(terrain.height(lon, lat)[inside], (2 * plane(lon, lat) - 60.0)[inside], atol=2e-3)


def test_outside_is_sea_level(terrain: Terrain) -> None:
    assert float(terrain.orthometric(20.0, 46.5)) == 0.0


def test_empty_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "dem").mkdir()
    with pytest.raises(InputError, match="dem holds no GeoTIFF"):
        Terrain(tmp_path / "dem", tmp_path / "dem")
