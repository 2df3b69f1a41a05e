"""Least-squares fit of the body-frame correction to ground points of all detectors."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ipf_adapters.reference.l1b.points import GroundPoints
from ipf_adapters.science.geometry import SensorModel
from ipf_adapters.science.working import Refining
from s2ps.formats.gipp import GeometricParameters
from s2ps.model.bands import Band

Array = NDArray[np.float64]
Bias = tuple[float, float, float]

_STEP = 1e-6


def refine(
    model: SensorModel, band: Band, points: Sequence[GroundPoints], iterations: int, parameters: GeometricParameters
) -> Refining:
    """Fit roll, pitch and yaw with robust weights (Huber) and report residuals before and after, in metres.

    The a-priori sigma keeps yaw near zero where a narrow swath hardly shows it.
    """
    start = np.array(model.bias)
    correction = start.copy()
    for _ in range(iterations):
        residual = _residuals(model, band, points, correction)
        jacobian = np.stack(
            [(_residuals(model, band, points, correction + step) - residual) / _STEP for step in np.eye(3) * _STEP],
            axis=1,
        )
        weight = _huber(residual, parameters.robust_sigma)
        normal = (jacobian * weight[:, None]).T @ jacobian
        sigma = max(_spread(residual), 0.02)
        normal += np.eye(3) * (sigma / parameters.apriori_sigma) ** 2
        pull = (jacobian * weight[:, None]).T @ residual + (correction - start) * (
            sigma / parameters.apriori_sigma
        ) ** 2
        move = np.linalg.solve(normal, pull)
        correction = correction - move
        if np.max(np.abs(move)) < 1e-10:
            break
    return _report(model, band, points, start, correction)


def _residuals(model: SensorModel, band: Band, points: Sequence[GroundPoints], bias: Array) -> Array:
    """Return predicted minus measured line and column of all points, pixels: (lines of all, columns of all)."""
    corrected = model.with_bias(*map(float, bias))
    lines, cols = [], []
    for some in points:
        line, col = corrected.inverse(some.detector, band, some.lon, some.lat, some.height)
        lines.append(line - some.line)
        cols.append(col - some.col)
    return np.concatenate(lines + cols)


def _spread(residual: Array) -> float:
    return 1.4826 * float(np.median(np.abs(residual - np.median(residual))))


def _huber(residual: Array, deviations: float) -> Array:
    """Return weights 1 near the middle of the residuals of each direction, falling beyond some deviations."""
    weights = []
    for part in np.split(residual, 2):
        distance = np.abs(part - np.median(part))
        limit = deviations * max(_spread(part), 0.02)
        weights.append(np.minimum(1.0, limit / np.maximum(distance, 1e-12)))
    return np.concatenate(weights)


def _report(model: SensorModel, band: Band, points: Sequence[GroundPoints], before: Array, after: Array) -> Refining:
    metres = float(band.resolution)
    rms = [
        metres * float(np.sqrt(2.0 * np.mean(_residuals(model, band, points, bias) ** 2))) for bias in (before, after)
    ]
    mean_before, mean_after = (_mean_shift(model, band, points, bias) for bias in (before, after))
    roll, pitch, yaw = map(float, after)
    return Refining(
        roll=roll,
        pitch=pitch,
        yaw=yaw,
        rms_before=rms[0],
        rms_after=rms[1],
        points=sum(map(len, points)),
        mean_before=mean_before,
        mean_after=mean_after,
    )


def _mean_shift(model: SensorModel, band: Band, points: Sequence[GroundPoints], bias: Array) -> tuple[float, float]:
    """Return the mean of located minus reference position, metres east and north."""
    corrected = model.with_bias(*map(float, bias))
    east, north = [], []
    for some in points:
        lon, lat = corrected.locate(some.detector, band, some.line, some.col, some.height)
        east.append((lon - some.lon) * 111_320.0 * np.cos(np.radians(some.lat)))
        north.append((lat - some.lat) * 111_132.0)
    return float(np.mean(np.concatenate(east))), float(np.mean(np.concatenate(north)))
