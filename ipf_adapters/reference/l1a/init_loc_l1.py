"""INIT_LOC_L1: geometry of the granules of a detector, and the coarse clouds on them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ipf_adapters.reference.l1a import datastrip, footprints
from ipf_adapters.reference.l1a.granule_geometry import Angles, GranuleGeometry, write_geometry
from ipf_adapters.science import sun, working
from ipf_adapters.science.geometry import SensorModel
from s2ps.formats.gipp import DirectLocationParameters, read_gipp
from s2ps.model.bands import BANDS, Band

if TYPE_CHECKING:
    from ipf_adapters.reference.context import JobContext
    from ipf_adapters.science.terrain import Terrain

TASK = "INIT_LOC_L1"


def run(ctx: JobContext) -> None:
    """Write the geometry of every granule, the outlines of the detectors and the clouds of each granule."""
    info = datastrip.read_info(ctx)
    datation = working.read_datation(ctx.input_dir("PDI_DS"))
    model, terrain = datastrip.sensor_model(ctx), datastrip.terrain_of(ctx)
    location = read_gipp(ctx.input_file("GIP_PRDLOC"), DirectLocationParameters)
    clouds = _clouds(ctx)
    vectors, granules = ctx.output_dir("VECTOR"), ctx.output_dir("PDI_DS_GR_LIST")
    every = range(1, info.granules + 1)
    for detector in ctx.detectors:
        outline = footprints.scene_ring(model, info, detector, datastrip.REFERENCE_BAND, every, terrain, location)
        footprints.write_features(
            vectors / f"D{detector:02d}_footprint.geojson", [(outline, {"detector": f"{detector:02d}"})]
        )
        for scene in every:
            geometry = granule_geometry(model, info, datation, detector, scene, terrain, location, clouds)
            write_geometry(granules, TASK, geometry)
    ctx.log.progress(len(ctx.detectors), len(ctx.detectors), "detectors located")


def granule_geometry(
    model: SensorModel,
    info: working.DatastripInfo,
    datation: working.Datation,
    detector: int,
    scene: int,
    terrain: Terrain,
    location: DirectLocationParameters,
    clouds: Any | None,
) -> GranuleGeometry:
    """Return outline, mean angles and cloud cover of a granule; `clouds` is a shapely geometry in degrees."""
    start, stop = datastrip.granule_period(info, datation, detector, scene)
    one = range(scene, scene + 1)
    ring = footprints.scene_ring(model, info, detector, datastrip.REFERENCE_BAND, one, terrain, location)
    lon, lat = np.mean([point[0] for point in ring[:-1]]), np.mean([point[1] for point in ring[:-1]])
    zenith, azimuth = sun.sun_angles(start + (stop - start) / 2, lon, lat)
    return GranuleGeometry(
        detector=detector,
        scene=scene,
        position=(scene - 1) * info.lines_per_granule + 1,
        start=start,
        stop=stop,
        footprint=tuple(ring),
        sun=(float(zenith), float(azimuth)),
        view={band.name: mean_view(model, info, detector, band, scene) for band in BANDS},
        cloud_cover=None if clouds is None else _covered(ring, clouds),
    )


def mean_view(model: SensorModel, info: working.DatastripInfo, detector: int, band: Band, scene: int) -> Angles:
    """Return zenith and azimuth in degrees of the satellite, seen from the middle of a granule."""
    line = (scene - 0.5) * info.lines(band) - 0.5
    zenith, azimuth = model.view_angles(detector, band, line, band.width(info.scale) / 2.0 - 0.5)
    return float(zenith), float(azimuth)


def _clouds(ctx: JobContext) -> Any | None:
    """Return the union of the coarse clouds, None when the datastrip has no cloud mask."""
    if not ctx.has_input("VECTOR"):
        ctx.log.warning("no coarse cloud mask: the cloud cover of granules stays unknown")
        return None
    from shapely import Polygon, unary_union

    rings = [
        ring
        for path in sorted(ctx.input_dir("VECTOR").rglob("clouds*.geojson"))
        for ring, _ in footprints.read_features(path)
    ]
    return unary_union([Polygon([point[:2] for point in ring]).buffer(0) for ring in rings])


def _covered(ring: footprints.Ring, clouds: Any) -> float:
    from shapely import Polygon

    granule = Polygon([point[:2] for point in ring])
    return round(100.0 * float(granule.intersection(clouds).area / granule.area), 4)
