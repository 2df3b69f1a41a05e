"""State of the air over a tile: from meteorology where it is there, else from the image itself."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ipf_adapters.reference.l1c.inverse_grid import projections
from ipf_adapters.reference.l1c.meteorology import AUX_CAMSFO, AUX_ECMWFT, Field, read_fields
from ipf_adapters.reference.l2a.atmosphere import Air, inverse_terms, top_of_atmosphere
from ipf_adapters.reference.l2a.l1c_tile import L1cTile
from s2ps.formats.gipp import AtmosphericCoefficients
from s2ps.model.bands import Band

FloatArray = NDArray[np.float64]
Image = NDArray[np.float32]
DOBSON = 2.1415e-5
"""kg/m2 of ozone per Dobson unit."""
DEFAULT_OZONE, DEFAULT_WATER, DEFAULT_AEROSOL = 0.33, 2.0, 0.12
"""Used where neither meteorology nor image tells."""
DARK_SURFACE = 0.02
"""Blue surface reflectance of the darkest pixels."""
BRIGHT_SURFACE = 0.1
"""Near-infrared surface reflectance from which water vapour can be seen."""


def meteorological_air(tile: L1cTile) -> tuple[Air, frozenset[str]]:
    """Return the air from AUX_DATA of the tile item, and which of ozone, water, aerosol were found there."""
    x, y = tile.node_coordinates()
    lon, lat = projections(tile.tile.epsg)[1](x, y)
    fields = {field.name: field for field in _fields(tile)}
    found: dict[str, FloatArray] = {}
    for key, name, unit in (("ozone", "tco3", DOBSON * 1000.0), ("water", "tcwv", 10.0), ("aerosol", "aod550", 1.0)):
        if name in fields:
            found[key] = fields[name].at(lon, lat) / unit
    mass = 1.0 / np.cos(np.radians(tile.sun_zenith)) + tile.view_mass
    air = Air(
        mass,
        found.get("ozone", np.full(mass.shape, DEFAULT_OZONE)),
        found.get("water", np.full(mass.shape, DEFAULT_WATER)),
        found.get("aerosol", np.full(mass.shape, DEFAULT_AEROSOL)),
    )
    return air, frozenset(found)


def _fields(tile: L1cTile) -> list[Field]:
    folder = tile.path / "AUX_DATA"
    files = [folder / name for name in (AUX_ECMWFT, AUX_CAMSFO) if (folder / name).is_file()]
    return [field for path in files for field in read_fields(path)]


def aerosol_from_dark_pixels(coefficients: AtmosphericCoefficients, air: Air, blue: Image) -> Air:
    """Return the air with the optical depth at which the darkest blue pixels have a surface reflectance of 0.02.

    `blue` is top-of-atmosphere reflectance of clear pixels, NaN elsewhere; one value holds for the tile.
    """
    known = blue[np.isfinite(blue)]
    if len(known) < 100:
        return air
    seen = float(np.quantile(known, 0.005))
    candidates = np.linspace(0.0, 1.0, 101)
    mass, ozone, water = (np.full(candidates.shape, float(part.mean())) for part in (air.mass, air.ozone, air.water))
    centre = Air(mass, ozone, water, candidates)
    expected = top_of_atmosphere(coefficients, Band.B02, centre, DARK_SURFACE)
    best = float(np.interp(seen, expected, candidates))
    return replace(air, aerosol=np.full(air.mass.shape, best))


def water_from_image(
    coefficients: AtmosphericCoefficients, tile: L1cTile, air: Air, near: Image, vapour: Image, clear: NDArray[np.bool_]
) -> Air:
    """Return the air with the water vapour that the depth of B09 against B8A tells.

    `near` and `vapour` are top-of-atmosphere reflectances of B8A and B09 at 60 m; `clear` tells which pixels to use.
    Nodes without bright clear pixels around take the mean of the others.
    """
    size = vapour.shape[0]
    terms = inverse_terms(coefficients, Band.B8A, air)
    pixels = type(terms)(*(tile.to_pixels(np.asarray(part), 60) for part in (terms.slope, terms.path, terms.spherical)))
    surface = pixels.surface(near)
    dry = Air(*(tile.to_pixels(part, 60).astype(np.float64) for part in (air.mass, air.ozone, air.water, air.aerosol)))
    expected = top_of_atmosphere(coefficients, Band.B09, dry, surface.astype(np.float64), water=False)
    k = Band.B09.index
    with np.errstate(invalid="ignore", divide="ignore"):
        depth = -np.log(vapour / expected)
        column = (depth / coefficients.water[k]) ** (1.0 / coefficients.water_power[k]) / dry.mass
    usable = clear & (surface > BRIGHT_SURFACE) & np.isfinite(column)
    if not usable.any():
        return air
    return replace(air, water=_at_nodes(column, usable, air.mass.shape, tile.step / 60.0, size))


def _at_nodes(
    values: FloatArray, usable: NDArray[np.bool_], shape: tuple[int, ...], spacing: float, size: int
) -> FloatArray:
    """Average usable pixels around each node, within one and a half node distances."""
    result = np.full(shape, float(values[usable].mean()))
    reach = max(2.0, 1.5 * spacing)
    for row, col in np.ndindex(*shape):
        rows = slice(int(np.clip(row * spacing - reach, 0, size)), int(np.clip(row * spacing + reach, 0, size)))
        cols = slice(int(np.clip(col * spacing - reach, 0, size)), int(np.clip(col * spacing + reach, 0, size)))
        mask = usable[rows, cols]
        if mask.sum() >= 10:
            result[row, col] = values[rows, cols][mask].mean()
    return result
