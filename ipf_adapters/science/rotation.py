"""Quaternions (scalar last) and small body-frame rotations, on arrays of shape (..., 4) and (..., 3)."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]


def cross(a: Array, b: Array) -> Array:
    """Return the vector product over the last axis (faster than np.cross for small arrays)."""
    ax, ay, az = a[..., 0], a[..., 1], a[..., 2]
    bx, by, bz = b[..., 0], b[..., 1], b[..., 2]
    return np.stack([ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx], axis=-1)


def apply(quaternion: Array, vector: Array) -> Array:
    """Turn vectors by unit quaternions: q v q*, both broadcast over their leading axes."""
    axis, scalar = quaternion[..., :3], quaternion[..., 3:]
    twice = 2.0 * cross(axis, vector)
    turned: Array = vector + scalar * twice + cross(axis, twice)
    return turned


def conjugate(quaternion: Array) -> Array:
    """Return the inverse of unit quaternions."""
    inverse: Array = quaternion * np.array([-1.0, -1.0, -1.0, 1.0])
    return inverse


def multiply(second: Array, first: Array) -> Array:
    """Compose two rotations: the result turns by `first`, then by `second`."""
    sv, sw = second[..., :3], second[..., 3:]
    fv, fw = first[..., :3], first[..., 3:]
    vector = sw * fv + fw * sv + cross(sv, fv)
    scalar = sw * fw - np.sum(sv * fv, axis=-1, keepdims=True)
    return np.concatenate([vector, scalar], axis=-1)


def from_matrix(matrix: ArrayLike) -> Array:
    """Convert rotation matrices (..., 3, 3), v' = M v, into unit quaternions with a positive scalar part."""
    m = np.asarray(matrix, dtype=np.float64)
    diagonal = np.stack([m[..., 0, 0], m[..., 1, 1], m[..., 2, 2]], axis=-1)
    signs = np.array([[1, -1, -1], [-1, 1, -1], [-1, -1, 1], [1, 1, 1]], dtype=np.float64)
    magnitude = np.sqrt(np.maximum(1.0 + diagonal @ signs.T, 0.0)) / 2.0
    x = np.copysign(magnitude[..., 0], m[..., 2, 1] - m[..., 1, 2])
    y = np.copysign(magnitude[..., 1], m[..., 0, 2] - m[..., 2, 0])
    z = np.copysign(magnitude[..., 2], m[..., 1, 0] - m[..., 0, 1])
    quaternion = np.stack([x, y, z, magnitude[..., 3]], axis=-1)
    unit: Array = quaternion / np.linalg.norm(quaternion, axis=-1, keepdims=True)
    return unit


def from_body_angles(roll: float, pitch: float, yaw: float) -> Array:
    """Return the quaternion of a turn by roll about x, then pitch about y, then yaw about z (rad)."""
    halves = np.array([roll, pitch, yaw]) / 2.0
    about = [np.append(np.eye(3)[axis] * np.sin(half), np.cos(half)) for axis, half in enumerate(halves)]
    return multiply(about[2], multiply(about[1], about[0]))


def aligned(quaternions: Array) -> Array:
    """Choose the signs of a series of quaternions (n, 4) so that neighbours lie on the same hemisphere."""
    products = np.sum(quaternions[1:] * quaternions[:-1], axis=-1)
    signs = np.concatenate([[1.0], np.cumprod(np.where(products < 0.0, -1.0, 1.0))])
    result: Array = quaternions * signs[:, None]
    return result
