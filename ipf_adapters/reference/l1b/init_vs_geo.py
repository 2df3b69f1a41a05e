"""INIT_VS_GEO: the grids on which observation and reference image are compared, and the segments."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ipf_adapters.reference.l1a import datastrip
from ipf_adapters.reference.l1b import virtual_sensor
from s2ps.formats.segmentation import Segment, write_segmentation
from s2ps.model.mission import DETECTORS

if TYPE_CHECKING:
    from ipf_adapters.reference.context import JobContext


def run(ctx: JobContext) -> None:
    """Locate the grid of every detector with the nominal model; one segment holds the whole datastrip."""
    info = datastrip.read_info(ctx)
    model, terrain = datastrip.sensor_model(ctx), datastrip.terrain_of(ctx)
    for detector in DETECTORS:
        sensor = virtual_sensor.build(model, info, detector, datastrip.REFERENCE_BAND, terrain)
        virtual_sensor.write(ctx.output_dir("VIRTUAL_SENSOR"), detector, sensor)
    write_segmentation(ctx.output_file("SEGMENTATION_FILE"), [Segment(1, info.granules)])
    ctx.log.progress(len(DETECTORS), len(DETECTORS), "grids located")
