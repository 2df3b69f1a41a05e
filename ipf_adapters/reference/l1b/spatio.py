"""SPATIO: refine the viewing model of the datastrip with the points of all detectors."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ipf_adapters.reference.l1a import datastrip
from ipf_adapters.reference.l1b.adjustment import refine
from ipf_adapters.reference.l1b.points import read_points
from ipf_adapters.science import working
from s2ps.formats.gipp import GeometricParameters, RefiningParameters, read_gipp

if TYPE_CHECKING:
    from ipf_adapters.reference.context import JobContext


def run(ctx: JobContext) -> None:
    """Write the datastrip with `refining.json`; without enough good points it goes on unrefined."""
    target = ctx.output_dir("PDI_DS")
    datastrip.pass_on(ctx.input_dir("PDI_DS"), target)
    parameters = read_gipp(ctx.input_file("GIP_G2PARE"), RefiningParameters)
    geometric = read_gipp(ctx.input_file("GIP_GEOPAR"), GeometricParameters)
    points = [some for some in read_points(ctx.input_dir("GCP_POINTS")) if len(some)]
    total = sum(map(len, points))
    if total < geometric.minimum_points:
        ctx.log.warning(f"{total} points, {geometric.minimum_points} are needed: the datastrip is not refined")
        return
    band = datastrip.REFERENCE_BAND
    outcome = refine(datastrip.sensor_model(ctx), band, points, parameters.maximum_iterations, geometric)
    limit = parameters.largest_rms * band.resolution
    told = f"rms {outcome.rms_before:.2f} m before and {outcome.rms_after:.2f} m after, {total} points"
    if outcome.rms_after > limit:
        ctx.log.warning(f"{told}: at most {limit:.2f} m is accepted: the datastrip is not refined")
        return
    working.write_refining(target, outcome)
    ctx.log.info(f"refined: {told}")
