"""TP_FILTER: leave out points whose shift does not agree with the others of their detector."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ipf_adapters.reference.l1b.points import GroundPoints, read_points, write_points
from s2ps.formats.gipp import GeometricParameters, read_gipp

if TYPE_CHECKING:
    from ipf_adapters.reference.context import JobContext

Array = NDArray[np.float64]

_LEAST_SPREAD = 0.05
"""Pixels: below this agreement nothing is an outlier."""
_SAMPLES = 64


def run(ctx: JobContext) -> None:
    """Filter the points of every detector of this part."""
    iterations = int(ctx.parameter("MAX_NUM_ITERATIONS", "10"))
    sigmas = read_gipp(ctx.input_file("GIP_GEOPAR"), GeometricParameters).outlier_sigma
    for points in read_points(ctx.input_dir("HOMOLOG_POINTS_LIST"), detectors=ctx.detectors):
        kept = points.chosen(agreeing(points, iterations, sigmas))
        write_points(ctx.output_dir("HOMOLOG_POINTS_LIST"), kept, filtered=True)
        told = f'{{"detector": {points.detector}, "points": {len(points)}, "kept": {len(kept)}}}\n'
        (ctx.output_dir("VIRTUAL_SENSOR") / f"D{points.detector:02d}_filter.json").write_text(told)
        ctx.log.info(f"D{points.detector:02d}: {len(kept)} of {len(points)} points agree")


def agreeing(points: GroundPoints, iterations: int, sigmas: float) -> NDArray[np.bool_]:
    """Tell which points agree with one plane of shifts per direction.

    The plane is found by samples of three points (least median of absolute residuals, fixed seed), then fitted to the
    points within `sigmas` robust standard deviations until these do not change.
    """
    shifts = np.stack([points.line_shift, points.col_shift], axis=1)
    if len(points) < 6:
        return np.ones(len(points), dtype=bool)
    design = _design(points)
    keep = _within(_residual(design, shifts, _sampled_plane(design, shifts)), sigmas)
    for _ in range(iterations):
        plane = np.asarray(np.linalg.lstsq(design[keep], shifts[keep], rcond=None)[0], dtype=np.float64)
        now = _within(_residual(design, shifts, plane), sigmas)
        if now.sum() < 3 or np.array_equal(now, keep):
            break
        keep = now
    return keep


def _design(points: GroundPoints) -> Array:
    line, col = ((axis - axis.mean()) / max(float(np.ptp(axis)), 1.0) for axis in (points.line, points.col))
    return np.stack([np.ones_like(line), line, col], axis=1)


def _sampled_plane(design: Array, shifts: Array) -> Array:
    rng = np.random.default_rng(20260701)
    best, least = np.zeros((3, 2)), np.inf
    for _ in range(_SAMPLES):
        rows = rng.choice(len(design), 3, replace=False)
        if np.linalg.cond(design[rows]) > 1e3:
            continue
        plane = np.asarray(np.linalg.solve(design[rows], shifts[rows]), dtype=np.float64)
        spread = float(np.median(_residual(design, shifts, plane)))
        if spread < least:
            best, least = plane, spread
    return best if np.isfinite(least) else np.vstack([np.median(shifts, axis=0), np.zeros((2, 2))])


def _residual(design: Array, shifts: Array, plane: Array) -> Array:
    return np.asarray(np.hypot(*(shifts - design @ plane).T))


def _within(residual: Array, sigmas: float) -> NDArray[np.bool_]:
    spread = max(1.4826 * float(np.median(residual)), _LEAST_SPREAD)
    kept: NDArray[np.bool_] = residual <= sigmas * spread
    return kept
