"""Outlines of granules, detectors and datastrips on the ground, and their files."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ipf_adapters.reference.errors import InvalidInput, MissingInput
from ipf_adapters.science.geometry import SensorModel, Surface
from ipf_adapters.science.working import DatastripInfo
from s2ps.formats.gipp import DirectLocationParameters
from s2ps.model.bands import Band

Ring = list[tuple[float, float, float]]
"""Closed ring of (lon, lat, height)."""
Feature = tuple[Ring, Mapping[str, Any]]


def scene_ring(
    model: SensorModel,
    info: DatastripInfo,
    detector: int,
    band: Band,
    scenes: range,
    terrain: Surface,
    location: DirectLocationParameters,
) -> Ring:
    """Return the outline on the terrain of consecutive scenes of one detector and band, counter-clockwise."""
    lines = info.lines(band)
    first, last = (scenes[0] - 1) * lines - 0.5, scenes[-1] * lines - 0.5
    width = band.width(info.scale) - 0.5
    down = np.linspace(first, last, location.steps_along * len(scenes) + 1)
    across = np.linspace(-0.5, width, location.points_across)
    line = np.concatenate([down, np.full_like(across, last)[1:], down[::-1][1:], np.full_like(across, first)[1:]])
    col = np.concatenate([np.full_like(down, width), across[::-1][1:], np.full_like(down, -0.5)[1:], across[1:]])
    accuracy = location.height_tolerance, location.iterations
    return ccw(np.stack(model.locate_on(detector, band, line, col, terrain, *accuracy), axis=-1))


def ccw(points: NDArray[np.float64]) -> Ring:
    """Return a closed ring (n, 3) as tuples, turned so that its interior lies to the left."""
    x, y = points[:, 0], points[:, 1]
    area = np.sum(x[:-1] * y[1:] - x[1:] * y[:-1])
    ordered = points if area >= 0 else points[::-1]
    ring = [(float(lon), float(lat), float(height)) for lon, lat, height in ordered]
    ring[-1] = ring[0]
    return ring


def union_ring(rings: Iterable[Ring]) -> Ring:
    """Return the outer outline of overlapping rings, heights dropped to 0."""
    from shapely import Polygon, unary_union

    merged = unary_union([Polygon([(lon, lat) for lon, lat, _ in ring]).buffer(1e-7) for ring in rings])
    if merged.geom_type != "Polygon":
        merged = merged.convex_hull
    from shapely import get_coordinates, get_exterior_ring

    outline = get_coordinates(get_exterior_ring(merged.simplify(1e-6)))
    return ccw(np.column_stack([outline, np.zeros(len(outline))]))


def write_features(path: Path, features: Sequence[Feature]) -> None:
    """Write rings with their properties as GeoJSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    items = [
        {
            "type": "Feature",
            "properties": dict(properties),
            "geometry": {"type": "Polygon", "coordinates": [[[*map(_rounded, point)] for point in ring]]},
        }
        for ring, properties in features
    ]
    path.write_text(json.dumps({"type": "FeatureCollection", "features": items}, indent=1) + "\n")


def read_features(path: Path) -> list[Feature]:
    """Read polygons (outer rings) with their properties from GeoJSON; a point without height gets 0."""
    if not path.is_file():
        raise MissingInput(f"{path} is missing: run the job that writes it again")
    try:
        features = json.loads(path.read_text())["features"]
        return [(ring, item.get("properties") or {}) for item in features for ring in _rings(item["geometry"])]
    except (ValueError, KeyError, TypeError) as error:
        raise InvalidInput(f"{path} is no GeoJSON of polygons ({error!r}): run the job that writes it again") from error


def write_gml(path: Path, ring: Ring) -> None:
    """Write an outline as a GML polygon in latitude, longitude order (EPSG:4326)."""
    positions = " ".join(f"{lat:.9f} {lon:.9f}" for lon, lat, _ in ring)
    path.write_text(
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<gml:Polygon xmlns:gml="http://www.opengis.net/gml/3.2" gml:id="footprint" '
        'srsName="urn:ogc:def:crs:EPSG::4326"><gml:exterior><gml:LinearRing>'
        f'<gml:posList srsDimension="2">{positions}</gml:posList>'
        "</gml:LinearRing></gml:exterior></gml:Polygon>\n"
    )


def _rings(geometry: Mapping[str, Any]) -> list[Ring]:
    polygons = geometry["coordinates"] if geometry["type"] == "MultiPolygon" else [geometry["coordinates"]]
    return [[(float(p[0]), float(p[1]), float(p[2]) if len(p) > 2 else 0.0) for p in rings[0]] for rings in polygons]


def _rounded(value: float) -> float:
    return round(value, 9)
