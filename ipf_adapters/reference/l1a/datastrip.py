"""What every L1 processor does with its datastrip: read it, pass it on, build the viewing model, name its granules."""

from __future__ import annotations

import os
import shutil
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from ipf_adapters.reference.errors import InvalidInput
from ipf_adapters.science import working
from ipf_adapters.science.geometry import SensorModel
from s2ps.model.bands import Band
from s2ps.model.names import PdiName

if TYPE_CHECKING:
    from ipf_adapters.reference.context import JobContext
    from ipf_adapters.science.terrain import Terrain

REFERENCE_BAND = Band.B03
"""Band whose location stands for the granule, and which is compared with the reference image."""
FOOTPRINT = "datastrip_footprint.geojson"


def read_info(ctx: JobContext) -> working.DatastripInfo:
    """Return the description of the datastrip of this job."""
    return working.read_datastrip(ctx.input_dir("PDI_DS"))


def scenes_of(ctx: JobContext, info: working.DatastripInfo) -> range:
    """Return the scenes of this job, 1-based; raises InvalidInput when the datastrip does not have them all."""
    chosen = ctx.granules or range(1, info.granules + 1)
    if chosen[-1] > info.granules:
        raise InvalidInput(
            f"job order of {ctx.order.task}: granules {chosen[0]} to {chosen[-1]}: the datastrip "
            f"{info.datastrip_id} has {info.granules}: plan the job again"
        )
    return chosen


def pass_on(source: Path, target: Path) -> None:
    """Copy the description files of a datastrip directory into an output (folders, such as PDIs, stay behind)."""
    target.mkdir(parents=True, exist_ok=True)
    for path in sorted(source.iterdir()):
        if path.is_file():
            shutil.copyfile(path, target / path.name)


def sensor_model(ctx: JobContext) -> SensorModel:
    """Return the viewing model of the datastrip, refined if it has been."""
    return SensorModel.load(ctx.input_dir("PDI_DS"), ctx.input_files("GIP_VIEDIR"))


def terrain_of(ctx: JobContext) -> Terrain:
    """Return the ground heights."""
    from ipf_adapters.science.terrain import Terrain

    return Terrain(ctx.input_dir("DEM_SRTM"), ctx.input_dir("DEM_GEOID"))


def granule_period(
    info: working.DatastripInfo, datation: working.Datation, detector: int, scene: int
) -> tuple[datetime, datetime]:
    """Return when a detector sees the first and the last line of a scene (reference band), UTC."""
    seconds = info.lines_per_granule * info.line_period_ms / 1000.0
    delay = datation.delays[detector - 1][REFERENCE_BAND.index]
    start = info.start + timedelta(seconds=delay + (scene - 1) * seconds)
    return start, start + timedelta(seconds=seconds)


def datastrip_name(info: working.DatastripInfo, level: str, ctx: JobContext) -> PdiName:
    """Return the name of the datastrip item of "L1A" or "L1B"."""
    return PdiName(
        info.unit, f"MSI_{level}_DS", ctx.centre, ctx.creation, sensing_start=info.start, baseline=ctx.baseline
    )


def granule_name(info: working.DatastripInfo, level: str, ctx: JobContext, detector: int, start: datetime) -> PdiName:
    """Return the name of a granule item of "L1A" or "L1B" by its sensing start."""
    return PdiName(
        info.unit,
        f"MSI_{level}_GR",
        ctx.centre,
        ctx.creation,
        sensing_start=start,
        detector=detector,
        baseline=ctx.baseline,
    )


def place(source: Path, target: Path) -> None:
    """Make a file appear at another place without copying its bytes where the file system allows it."""
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(source.resolve(), target)
    except OSError:
        shutil.copyfile(source, target)
