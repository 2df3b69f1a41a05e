"""The atmosphere over a tile and its inversion. Formula: docs/auxiliary-data.md, coefficients: GIP_L2ACAC."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from s2ps.formats.gipp import AtmosphericCoefficients
from s2ps.model.bands import Band

FloatArray = NDArray[np.float64]
Image = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Air:
    """State of the air at the nodes of a tile, all of one shape."""

    mass: FloatArray
    """Slant path: 1/cos(sun zenith) + 1/cos(view zenith)."""
    ozone: FloatArray
    """cm-atm (1000 DU)."""
    water: FloatArray
    """g/cm2."""
    aerosol: FloatArray
    """Optical depth at 550 nm."""


@dataclass(frozen=True, slots=True)
class Terms:
    """rho_toa * slope - path = y and rho_s = y / (1 + spherical * y), at the nodes or at pixels."""

    slope: FloatArray | Image
    path: FloatArray | Image
    spherical: FloatArray | Image

    def surface(self, toa: Image) -> Image:
        """Return surface reflectance of top-of-atmosphere reflectance."""
        y = toa * self.slope
        y -= self.path
        return np.asarray(y / (1.0 + self.spherical * y), dtype=np.float32)


def gas_transmission(coefficients: AtmosphericCoefficients, band: Band, air: Air, *, water: bool = True) -> FloatArray:
    """Return the transmission of ozone and, unless left out, water vapour."""
    k = band.index
    depth = coefficients.ozone[k] * air.ozone * air.mass
    if water:
        depth = depth + coefficients.water[k] * (air.water * air.mass) ** coefficients.water_power[k]
    return np.asarray(np.exp(-depth))


def inverse_terms(coefficients: AtmosphericCoefficients, band: Band, air: Air) -> Terms:
    """Return the terms that turn top-of-atmosphere into surface reflectance."""
    k = band.index
    total = np.exp(-(coefficients.depth_0[k] + coefficients.depth_1[k] * air.aerosol) * air.mass)
    path = coefficients.path_0[k] + coefficients.path_1[k] * air.aerosol
    spherical = coefficients.spherical_0[k] + coefficients.spherical_1[k] * air.aerosol
    return Terms(1.0 / (gas_transmission(coefficients, band, air) * total), path / total, spherical)


def top_of_atmosphere(
    coefficients: AtmosphericCoefficients, band: Band, air: Air, surface: FloatArray | float, *, water: bool = True
) -> FloatArray:
    """Return top-of-atmosphere reflectance of a surface; without `water` as if the air were dry."""
    k = band.index
    total = np.exp(-(coefficients.depth_0[k] + coefficients.depth_1[k] * air.aerosol) * air.mass)
    path = coefficients.path_0[k] + coefficients.path_1[k] * air.aerosol
    spherical = coefficients.spherical_0[k] + coefficients.spherical_1[k] * air.aerosol
    gas = gas_transmission(coefficients, band, air, water=water)
    return np.asarray(gas * (path + total * surface / (1.0 - spherical * surface)))
