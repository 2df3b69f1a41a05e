"""Coarse clouds on quick-looks: reflectance, thresholds, outlines on the ground."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ipf_adapters.reference.l0.quicklook import Pixels, QuicklookGeometry, StripGeometry
from ipf_adapters.science.light_rasterio import import_rasterio
from ipf_adapters.science.sun import earth_sun_correction, sun_angles
from ipf_adapters.science.working import DatastripInfo
from s2ps.formats.gipp import AbsoluteCalibration, CoarseCloudThresholds
from s2ps.model.bands import Band

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]
Mosaics = Mapping[Band, tuple[Pixels, QuicklookGeometry]]


@dataclass(frozen=True, slots=True)
class CloudScene:
    """Clouds of a datastrip; masks have the shape of a mosaic."""

    cloud: Mask
    valid: Mask
    geometry: QuicklookGeometry

    @property
    def cover(self) -> float:
        """Cloud cover of all valid pixels in percent."""
        return _percent(self.cloud, self.valid)

    def granule_cover(self, info: DatastripInfo) -> dict[str, float]:
        """Return the cloud cover in percent by granule, "D01_G002"."""
        covers: dict[str, float] = {}
        for place, strip in enumerate(self.geometry.strips):
            columns = slice(place * self.geometry.cols, (place + 1) * self.geometry.cols)
            for scene in range(info.granules):
                first, last = (round((scene + k) * self.geometry.rows_per_granule) for k in (0, 1))
                part = (slice(first, last), columns)
                covers[f"D{strip.detector:02d}_G{scene + 1:03d}"] = _percent(self.cloud[part], self.valid[part])
        return covers


def _percent(cloud: Mask, valid: Mask) -> float:
    return 100.0 * float(np.sum(cloud & valid)) / max(1, int(np.sum(valid)))


def find_clouds(
    images: Mosaics, info: DatastripInfo, calibration: AbsoluteCalibration, limits: CoarseCloudThresholds
) -> CloudScene:
    """Return where the scene is cloudy: bright in blue and in SWIR (which tells clouds from snow), or cirrus in B10."""
    geometry = images[Band.B02][1]
    reflectance = {band: _reflectance(image, band, geometry, info, calibration) for band, (image, _) in images.items()}
    valid = np.logical_and.reduce([image > 0 for image, _ in images.values()])
    cloud = reflectance[Band.B02] > limits.blue_reflectance
    for band in (Band.B11, Band.B12):
        if band in reflectance:
            cloud &= reflectance[band] > limits.swir_reflectance
            break
    if Band.B10 in reflectance:
        cloud |= reflectance[Band.B10] > limits.cirrus_reflectance
    return CloudScene(cloud & valid, valid, geometry)


def _reflectance(
    image: Pixels, band: Band, geometry: QuicklookGeometry, info: DatastripInfo, calibration: AbsoluteCalibration
) -> Array:
    """Return top-of-atmosphere reflectance; the dark signal is small against the thresholds and left in."""
    middle = geometry.strips[len(geometry.strips) // 2]
    lon, lat = float(np.mean(middle.lon)), float(np.mean(middle.lat))
    zenith, _ = sun_angles(info.start, lon, lat)
    cosine = max(0.05, float(np.cos(np.radians(zenith))))
    irradiance = float(calibration.solar_irradiance[band.index]) * earth_sun_correction(info.start) * cosine
    gain = np.array([calibration.gain[strip.detector - 1, band.index] for strip in geometry.strips])
    factor = np.repeat(np.pi / (gain * irradiance), geometry.cols)
    result: Array = image * factor[None, :]
    return result


def write_clouds(folder: Path, scene: CloudScene, info: DatastripInfo) -> None:
    """Write `clouds.geojson` (polygons, lon/lat) and `cloud_cover.json` (percent, whole and by granule)."""
    polygons = outlines(scene)
    features = [
        {"type": "Feature", "properties": {"class": "opaque"}, "geometry": {"type": "Polygon", "coordinates": rings}}
        for rings in polygons
    ]
    collection = {"type": "FeatureCollection", "name": "clouds", "features": features}
    (folder / "clouds.geojson").write_text(json.dumps(collection) + "\n")
    cover = {"datastrip": scene.cover, "granules": scene.granule_cover(info)}
    (folder / "cloud_cover.json").write_text(json.dumps(cover, indent=1) + "\n")


def outlines(scene: CloudScene) -> list[list[list[list[float]]]]:
    """Return the rings of every cloud as [lon, lat], clouds of neighbouring detectors joined."""
    import_rasterio()
    import shapely
    from rasterio.features import shapes

    found: list[Any] = []
    for place, strip in enumerate(scene.geometry.strips):
        part = scene.cloud[:, place * scene.geometry.cols : (place + 1) * scene.geometry.cols]
        if part.any():
            for shape, _ in shapes(part.astype(np.uint8), mask=part):
                rings = [_on_ground(strip, ring) for ring in shape["coordinates"]]
                found.append(shapely.make_valid(shapely.Polygon(rings[0], rings[1:])))
    joined = shapely.union_all(found)
    return [
        [[list(point) for point in ring.coords] for ring in (polygon.exterior, *polygon.interiors)]
        for polygon in shapely.get_parts(joined)
        if polygon.geom_type == "Polygon" and not polygon.is_empty
    ]


def _on_ground(strip: StripGeometry, ring: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return a ring of pixel corners (column, row) as (lon, lat)."""
    corners = np.array(ring)
    lon, lat = strip.locate(corners[:, 1] - 0.5, corners[:, 0] - 0.5)
    return list(zip(np.round(lon, 7).tolist(), np.round(lat, 7).tolist(), strict=True))
