"""Scene classification (SCL) at 20 m."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ipf_adapters.science.snow import is_snow
from s2ps.formats.gipp import SceneClassification

Image = NDArray[np.float32]
NO_DATA, SATURATED, VEGETATION, BARE, WATER, UNCLASSIFIED = 0, 1, 4, 5, 6, 7
CLOUD_MEDIUM, CLOUD_HIGH, CIRRUS, SNOW = 8, 9, 10, 11
NAMES = (
    "NODATA", "SATURATED_DEFECTIVE", "DARK_FEATURE_SHADOW", "CLOUD_SHADOW", "VEGETATION", "NOT_VEGETATED", "WATER",
    "UNCLASSIFIED", "CLOUD_MEDIUM_PROBA", "CLOUD_HIGH_PROBA", "THIN_CIRRUS", "SNOW_ICE",
)  # fmt: skip
"""Classes of the product specification by number."""


@dataclass(frozen=True, slots=True)
class Reflectances:
    """Top-of-atmosphere (clouds) and surface reflectances (ground) at 20 m."""

    toa_blue: Image
    toa_cirrus: Image
    toa_swir: Image
    green: Image
    red: Image
    near: Image
    swir: Image


def cloud_probability(toa_blue: Image, toa_swir: Image, thresholds: SceneClassification) -> Image:
    """Return 0..1: 0.5 where both blue and short-wave infrared reach the cloud thresholds."""
    brightness = np.minimum(toa_blue / thresholds.cloud_blue, toa_swir / thresholds.cloud_swir)
    return np.asarray(np.clip((brightness - 0.5).astype(np.float32), 0.0, 1.0), dtype=np.float32)


def classify(
    values: Reflectances, known: NDArray[np.bool_], saturated: NDArray[np.bool_], thresholds: SceneClassification
) -> NDArray[np.uint8]:
    """Return the class of every pixel; `known` tells where there are data."""
    with np.errstate(invalid="ignore", divide="ignore"):
        vegetation = (values.near - values.red) / (values.near + values.red) > thresholds.vegetation_ndvi
        water_index = (values.green - values.near) / (values.green + values.near)
    probability = cloud_probability(values.toa_blue, values.toa_swir, thresholds)
    scene = np.full(known.shape, BARE, dtype=np.uint8)
    scene[vegetation] = VEGETATION
    scene[(values.near < thresholds.water_nir) & (water_index > thresholds.water_ndwi)] = WATER
    scene[is_snow(values.green, values.swir, thresholds.snow)] = SNOW
    scene[values.toa_cirrus > thresholds.cirrus] = CIRRUS
    scene[probability > thresholds.medium_share - 0.5] = CLOUD_MEDIUM
    scene[probability >= 0.5] = CLOUD_HIGH
    scene[saturated] = SATURATED
    scene[~known] = NO_DATA
    return scene


def percentages(scene: NDArray[np.uint8]) -> dict[str, float]:
    """Return the percentage of each class among the pixels with data; of no data among all."""
    counts = np.bincount(scene.ravel(), minlength=len(NAMES)).astype(float)
    total = max(counts[1:].sum(), 1.0)
    shares = {name: float(100.0 * count / total) for name, count in zip(NAMES, counts, strict=True)}
    shares["NODATA"] = float(100.0 * counts[0] / counts.sum())
    return shares
