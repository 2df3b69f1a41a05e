"""Physical viewing model of the instrument: image coordinates to ground and back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ipf_adapters.science import earth_rotation, ellipsoid, rotation
from ipf_adapters.science.trajectory import Attitude, Orbit, relative
from s2ps.model.bands import Band

Array = NDArray[np.float64]
Key = tuple[int, Band]

_NEWTON_STEPS = 12
_NEWTON_STOP = 1e-6
_SLOPES_RENEWED = 3
"""Steps after which the slopes of the Newton iteration are close enough to be kept."""
_LARGEST_STEP = 20000.0


class Surface(Protocol):
    """Anything that tells heights above the ellipsoid, as `terrain.Terrain` does."""

    def height(self, lon: ArrayLike, lat: ArrayLike) -> Array:
        """Return metres above the ellipsoid at degrees."""


@dataclass(frozen=True, slots=True)
class LookAngles:
    """Polynomials of psi_x (along track) and psi_y (across track) in radians, ascending powers of the column 0..1."""

    psi_x: tuple[float, ...]
    psi_y: tuple[float, ...]

    def tangents(self, column: Array) -> tuple[Array, Array]:
        """Return tan psi_x and tan psi_y; continued as a straight line beyond half a width outside the detector."""
        inside = np.clip(column, -0.5, 1.5)
        return tuple(_continued(np.asarray(series), column, inside) for series in (self.psi_x, self.psi_y))  # type: ignore[return-value]


def _continued(series: Array, column: Array, inside: Array) -> Array:
    angle = np.polynomial.polynomial.polyval(inside, series)
    if np.any(inside != column):
        slope = np.polynomial.polynomial.polyval(inside, np.polynomial.polynomial.polyder(series))
        angle = angle + slope * (column - inside)
    tangent: Array = np.tan(np.clip(angle, -1.2, 1.2))
    return tangent


@dataclass(frozen=True, slots=True)
class LineTiming:
    """When a detector and band sees its lines."""

    start: float
    """Datastrip start, GPS seconds."""
    period: float
    """Seconds per line of 10 m."""
    delays: Mapping[Key, float]
    """Seconds after the start at which line 0 begins."""

    def after_start(self, detector: int, band: Band, line: Array) -> Array:
        """Return seconds after the datastrip start at the centre of lines."""
        return self.delays[detector, band] + (line + 0.5) * self.line_period(band)

    def line_period(self, band: Band) -> float:
        """Return seconds per line of a band."""
        return self.period * band.resolution / 10


@dataclass(frozen=True, slots=True)
class Rays:
    """Lines of sight in the Earth-fixed frame: origins (m) and unit directions, both (..., 3)."""

    origin: Array
    direction: Array


class SensorModel:
    """Locate image points on the ground and ground points in the image, for every detector and band."""

    def __init__(
        self,
        orbit: Orbit,
        attitude: Attitude,
        looks: Mapping[Key, LookAngles],
        timing: LineTiming,
        *,
        scale: int = 1,
        ut1_minus_utc: float = 0.0,
        bias: tuple[float, float, float] = (0.0, 0.0, 0.0),
    ) -> None:
        self.orbit, self.attitude, self.looks, self.timing = orbit, attitude, looks, timing
        self.scale, self.ut1_minus_utc, self.bias = scale, ut1_minus_utc, bias
        self._orbit, self._attitude = relative(orbit, attitude, timing.start)
        self._angle0 = float(earth_rotation.rotation_angle(timing.start, ut1_minus_utc))
        self._correction = rotation.from_body_angles(*bias)

    @classmethod
    def load(
        cls,
        pdi_ds_dir: Path,
        viedir_files: Iterable[Path],
        datati_file: Path | None = None,
        iers_file: Path | None = None,
    ) -> SensorModel:
        """Build the model of a datastrip directory, refined if it has a refining.

        Without GIP_DATATI or bulletin, the datation kept in the directory (by INIT_LOC_L0, UPDATE_LOC) is used.
        """
        from ipf_adapters.science.sensor_loading import load_model

        return load_model(pdi_ds_dir, viedir_files, datati_file, iers_file)

    def with_bias(self, roll: float, pitch: float, yaw: float) -> SensorModel:
        """Return the model with another body-frame correction (rad), applied after the quaternion."""
        return SensorModel(
            self.orbit,
            self.attitude,
            self.looks,
            self.timing,
            scale=self.scale,
            ut1_minus_utc=self.ut1_minus_utc,
            bias=(roll, pitch, yaw),
        )

    def with_start(self, start: float) -> SensorModel:
        """Return the model with line 0 at another time (GPS seconds)."""
        timing = replace(self.timing, start=start)
        return SensorModel(
            self.orbit,
            self.attitude,
            self.looks,
            timing,
            scale=self.scale,
            ut1_minus_utc=self.ut1_minus_utc,
            bias=self.bias,
        )

    def rays(self, detector: int, band: Band, line: ArrayLike, col: ArrayLike) -> Rays:
        """Return the lines of sight of image points; line and col broadcast."""
        lines, cols = np.broadcast_arrays(np.asarray(line, dtype=np.float64), np.asarray(col, dtype=np.float64))
        time = self.timing.after_start(detector, band, lines)
        x, y = self.looks[detector, band].tangents((cols + 0.5) / band.width(self.scale))
        body = np.stack([x, y, np.ones_like(x)], axis=-1)
        body = body / np.linalg.norm(body, axis=-1, keepdims=True)
        inertial = rotation.apply(rotation.conjugate(self._to_body(time)), body)
        direction = earth_rotation.to_earth_fixed(inertial, self._angle(time))
        return Rays(self._orbit.at(time), direction)

    def locate(
        self, detector: int, band: Band, line: ArrayLike, col: ArrayLike, height: ArrayLike = 0.0
    ) -> tuple[Array, Array]:
        """Return (lon, lat) in degrees of image points at a height above the ellipsoid (m); all broadcast."""
        lines, cols, heights = np.broadcast_arrays(line, col, np.asarray(height, dtype=np.float64))
        rays = self.rays(detector, band, lines, cols)
        _, lon, lat = ellipsoid.intersect(rays.origin, rays.direction, heights)
        return lon, lat

    def locate_on(
        self,
        detector: int,
        band: Band,
        line: ArrayLike,
        col: ArrayLike,
        terrain: Surface,
        tolerance: float = 0.01,
        iterations: int = 12,
    ) -> tuple[Array, Array, Array]:
        """Return (lon, lat, height) where image points meet the terrain, to `tolerance` metres where it is smooth."""
        rays = self.rays(detector, band, line, col)
        height: Array = np.zeros(rays.origin.shape[:-1])
        for _ in range(iterations):
            _, lon, lat = ellipsoid.intersect(rays.origin, rays.direction, height)
            reached = np.asarray(terrain.height(lon, lat), dtype=np.float64)
            change = float(np.max(np.abs(reached - height), initial=0.0))
            height = reached
            if change < tolerance:
                break
        return lon, lat, height

    def inverse(
        self, detector: int, band: Band, lon: ArrayLike, lat: ArrayLike, height: ArrayLike = 0.0
    ) -> tuple[Array, Array]:
        """Return (line, col) that see ground points (degrees, m); always finite, may lie outside the image."""
        ground = ellipsoid.to_earth_fixed(lon, lat, height)
        shape = ground.shape[:-1]
        width = band.width(self.scale)
        line, col = np.zeros(shape), np.full(shape, width / 2.0)
        for step in range(_NEWTON_STEPS):
            along, across = self._misses(detector, band, ground, line, col)
            if step < _SLOPES_RENEWED:
                along_l, across_l = self._misses(detector, band, ground, line + 1.0, col)
                along_c, across_c = self._misses(detector, band, ground, line, col + 1.0)
                a, b, c, d = along_l - along, along_c - along, across_l - across, across_c - across
                determinant = a * d - b * c
                determinant = np.where(np.abs(determinant) < 1e-30, 1e-30, determinant)
            move_line = np.clip((b * across - d * along) / determinant, -_LARGEST_STEP, _LARGEST_STEP)
            move_col = np.clip((c * along - a * across) / determinant, -_LARGEST_STEP, _LARGEST_STEP)
            line, col = line + move_line, col + move_col
            if max(np.max(np.abs(move_line), initial=0.0), np.max(np.abs(move_col), initial=0.0)) < _NEWTON_STOP:
                break
        return line, col

    def view_angles(
        self, detector: int, band: Band, line: ArrayLike, col: ArrayLike, height: ArrayLike = 0.0
    ) -> tuple[Array, Array]:
        """Return zenith and azimuth (degrees, clockwise from north) of the satellite seen from the ground."""
        rays = self.rays(detector, band, line, col)
        _, lon, lat = ellipsoid.intersect(rays.origin, rays.direction, height)
        return ellipsoid.zenith_azimuth(-rays.direction, lon, lat)

    def _to_body(self, time: Array) -> Array:
        return rotation.multiply(self._correction, self._attitude.at(time))

    def _angle(self, time: Array) -> Array:
        return self._angle0 + earth_rotation.ROTATION_RATE * time

    def _misses(self, detector: int, band: Band, ground: Array, line: Array, col: Array) -> tuple[Array, Array]:
        """Return how far, as tangents, ground points are from the lines of sight of (line, col)."""
        time = self.timing.after_start(detector, band, line)
        sight = earth_rotation.to_inertial(ground - self._orbit.at(time), self._angle(time))
        body = rotation.apply(self._to_body(time), sight)
        x, y = self.looks[detector, band].tangents((col + 0.5) / band.width(self.scale))
        depth = np.maximum(body[..., 2], 1.0)
        return body[..., 0] / depth - x, body[..., 1] / depth - y
