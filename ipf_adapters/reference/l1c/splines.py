"""Cubic splines on regular grids, as plain matrices: smooth functions are computed coarsely and spread to pixels."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
Floats = NDArray[np.floating[Any]]


def _second_derivatives(nodes: int) -> FloatArray:
    """Return the (nodes, nodes) matrix from values to second derivatives, not-a-knot at both ends."""
    system = np.zeros((nodes, nodes))
    right = np.zeros((nodes, nodes))
    inner = np.arange(1, nodes - 1)
    system[inner, inner - 1] = 1.0
    system[inner, inner] = 4.0
    system[inner, inner + 1] = 1.0
    right[inner, inner - 1] = 6.0
    right[inner, inner] = -12.0
    right[inner, inner + 1] = 6.0
    system[0, :3] = (1.0, -2.0, 1.0)
    system[-1, -3:] = (1.0, -2.0, 1.0)
    return np.asarray(np.linalg.solve(system, right), dtype=np.float64)


def spline_matrix(nodes: int, targets: FloatArray) -> FloatArray:
    """Return the weights (targets, nodes) of the cubic spline through values at 0, 1 .. nodes - 1.

    `targets` are positions in node units; outside 0..nodes - 1 the end pieces are continued. Needs 4 nodes or more.
    """
    if nodes < 4:
        raise ValueError(f"cubic spline over {nodes} nodes: expected 4 or more")
    left = np.clip(np.floor(targets).astype(np.intp), 0, nodes - 2)
    u = targets - left
    rows = np.arange(len(targets))
    values = np.zeros((len(targets), nodes))
    values[rows, left] = 1.0 - u
    values[rows, left + 1] = u
    curvature = np.zeros((len(targets), nodes))
    curvature[rows, left] = ((1.0 - u) ** 3 - (1.0 - u)) / 6.0
    curvature[rows, left + 1] = (u**3 - u) / 6.0
    return np.asarray(values + curvature @ _second_derivatives(nodes))


def node_positions(first: float, last: float, step: float, *, least: int = 4, most: int = 256) -> FloatArray:
    """Return evenly spaced node positions from `first` to `last`, about `step` apart."""
    count = int(np.clip(np.ceil((last - first) / step) + 1, least, most))
    return np.linspace(first, last, count)


def spread(nodes: Floats, targets: Floats) -> FloatArray:
    """Return the spline weights from evenly spaced `nodes` to `targets`, both in the same unit."""
    step = (nodes[-1] - nodes[0]) / (len(nodes) - 1)
    return spline_matrix(len(nodes), np.asarray((targets - nodes[0]) / step, dtype=np.float64))
