"""TP_COLLECT: points that observation and reference image show, by correlation on the virtual sensor."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from ipf_adapters.reference.l1b import matching, virtual_sensor
from ipf_adapters.reference.l1b.points import GroundPoints, write_points
from s2ps.formats.gipp import MatchingParameters, read_gipp

if TYPE_CHECKING:
    from pathlib import Path

    from ipf_adapters.reference.context import JobContext


def run(ctx: JobContext) -> None:
    """Collect the points of every detector of this part."""
    parameters = read_gipp(ctx.input_file("GIP_G2PARA"), MatchingParameters)
    source = ctx.input_dir("VIRTUAL_SENSOR")
    for done, detector in enumerate(ctx.detectors, start=1):
        points = collect(source, detector, parameters)
        write_points(ctx.output_dir("GCP_POINTS"), points)
        told = json.dumps({"detector": detector, "points": len(points)}) + "\n"
        (ctx.output_dir("VIRTUAL_SENSOR") / f"D{detector:02d}_collection.json").write_text(told)
        nothing = json.dumps({"detector": detector, "points": []}) + "\n"
        (ctx.output_dir("TIE_POINTS") / f"D{detector:02d}_tie.json").write_text(nothing)
        ctx.log.progress(done, len(ctx.detectors), f"detectors compared, {len(points)} points in D{detector:02d}")


def collect(folder: Path, detector: int, parameters: MatchingParameters) -> GroundPoints:
    """Compare observation and reference of a detector and locate what they share.

    The ground of an image point is where the virtual sensor has the matching point of the reference.
    """
    image = virtual_sensor.read_image(folder, detector, "image")
    reference = virtual_sensor.read_image(folder, detector, "gri")
    found = matching.match(
        image,
        reference,
        parameters.window,
        parameters.search_radius,
        parameters.grid_step,
        parameters.minimum_score,
    )
    sensor = virtual_sensor.read(folder, detector)
    lon, lat, height = sensor.ground(found.line + found.line_shift, found.col + found.col_shift)
    shifts = (found.line_shift, found.col_shift, found.score)
    return GroundPoints(detector, found.line, found.col, lon, lat, height, *shifts)
