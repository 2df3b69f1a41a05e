"""UPDATE_LOC: location at L1 accuracy, outlines of datastrip and granules, frame file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ipf_adapters.reference.errors import InvalidInput
from ipf_adapters.reference.l1a import datastrip, footprints
from ipf_adapters.reference.l1a.granule_geometry import GranuleGeometry, write_geometry
from ipf_adapters.science import working
from ipf_adapters.science.geometry import SensorModel
from ipf_adapters.science.sensor_loading import keep_datation
from s2ps.formats.frame_file import FrameFile, write_frame_file
from s2ps.formats.gipp import DirectLocationParameters, read_gipp
from s2ps.model.bands import BANDS
from s2ps.model.mission import DETECTORS
from s2ps.model.timestamps import gps_seconds

if TYPE_CHECKING:
    from pathlib import Path

    from ipf_adapters.reference.context import JobContext
    from ipf_adapters.science.terrain import Terrain

_TASK = "UPDATE_LOC"


def run(ctx: JobContext) -> None:
    """Keep the datation with the datastrip, locate it on the terrain and write the frame file."""
    info = datastrip.read_info(ctx)
    _check_ancillary(ctx.input_dir("PDI_DS"), info)
    target = ctx.output_dir("PDI_DS")
    datastrip.pass_on(ctx.input_dir("PDI_DS"), target)
    keep_datation(target, info.start, ctx.input_file("GIP_DATATI"), ctx.input_file("IERS"))
    model = SensorModel.load(target, ctx.input_files("GIP_VIEDIR"))
    terrain = datastrip.terrain_of(ctx)
    location = read_gipp(ctx.input_file("GIP_PRDLOC"), DirectLocationParameters)
    datation = working.read_datation(target)
    rings: list[footprints.Ring] = []
    granules = ctx.output_dir("PDI_DS_GR_LIST")
    for detector in DETECTORS:
        every = range(1, info.granules + 1)
        rings.append(footprints.scene_ring(model, info, detector, datastrip.REFERENCE_BAND, every, terrain, location))
        for scene in every:
            write_geometry(granules, _TASK, _granule(model, info, datation, detector, scene, terrain, location))
        ctx.log.progress(detector, len(DETECTORS), "detectors located")
    outline = footprints.union_ring(rings)
    for folder in (target, ctx.output_dir("VECTOR_DS_FOOTPRINT")):
        footprints.write_features(folder / datastrip.FOOTPRINT, [(outline, {"datastrip": info.datastrip_id})])
        footprints.write_gml(folder / "GlobalFootprintAI.gml", outline)
    frame = FrameFile((info.granules,), tuple(band.ident for band in BANDS))
    write_frame_file(ctx.output_file("FRAME_FILE"), frame)
    ctx.log.info(f"datastrip of {info.granules} scenes located")


def _granule(
    model: SensorModel,
    info: working.DatastripInfo,
    datation: working.Datation,
    detector: int,
    scene: int,
    terrain: Terrain,
    location: DirectLocationParameters,
) -> GranuleGeometry:
    start, stop = datastrip.granule_period(info, datation, detector, scene)
    one = range(scene, scene + 1)
    ring = footprints.scene_ring(model, info, detector, datastrip.REFERENCE_BAND, one, terrain, location)
    position = (scene - 1) * info.lines_per_granule + 1
    return GranuleGeometry(
        detector=detector, scene=scene, position=position, start=start, stop=stop, footprint=tuple(ring)
    )


def _check_ancillary(folder: Path, info: working.DatastripInfo) -> None:
    """Refuse a datastrip whose orbit or attitude leaves more than a second at either end untold."""
    samples = working.read_ancillary(folder)
    start, stop = gps_seconds(info.start), gps_seconds(info.stop)
    for what, time in (("orbit", samples.orbit_time), ("attitude", samples.attitude_time)):
        if time[0] > start + 1.0 or time[-1] < stop - 1.0:
            raise InvalidInput(
                f"{what} samples of {info.datastrip_id} cover {time[0] - start:+.1f} to {time[-1] - stop:+.1f} s "
                "around it: expected the whole datastrip: check the ancillary packets of the session"
            )
