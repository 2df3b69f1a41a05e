"""SEN2COR_TL: atmospheric correction and scene classification of a tile, as raw images."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ipf_adapters.reference.context import JobContext
from ipf_adapters.reference.errors import InvalidInput, MissingInput
from ipf_adapters.reference.l1c.format_img_pvi_tci import true_colour
from ipf_adapters.reference.l2a import layout, scene
from ipf_adapters.reference.l2a.atmosphere import Air, Terms, inverse_terms
from ipf_adapters.reference.l2a.l1c_tile import L1cTile, read_l1c_tile
from ipf_adapters.reference.l2a.resolution import coarser, finer, reflectance
from ipf_adapters.reference.l2a.retrieval import aerosol_from_dark_pixels, meteorological_air, water_from_image
from ipf_adapters.reference.pdi import one_pdi, pdis_in
from s2ps.formats.gipp import AtmosphericCoefficients, SceneClassification, read_gipp, read_settings
from s2ps.formats.pdi_metadata import metadata_file, read_pdi_metadata
from s2ps.model.bands import BANDS, Band

Image = NDArray[np.float32]
Numbers = NDArray[np.uint16]


@dataclass(frozen=True, slots=True)
class Parameters:
    """Processing parameters of Level-2A."""

    coefficients: AtmosphericCoefficients
    thresholds: SceneClassification
    settings: dict[str, str]


def run(ctx: JobContext) -> None:
    """Write `T32TPQ/IMG_DATA/R10m/*.npy` ..., `QI_DATA/*.npy` and `tile_l2a.json` per tile."""
    parameters = _parameters(ctx)
    _check_coding(ctx)
    root = ctx.output_dir("PDI_DS_TILE_LIST")
    items = pdis_in(ctx.input_dir("MSI_L1C_TL"), "MSI_L1C_TL")
    if not items:
        raise MissingInput(f"{ctx.input_dir('MSI_L1C_TL')}: no item MSI_L1C_TL: produce the L1C tile first")
    for path, name in items:
        tile = read_l1c_tile(path, name)
        summary = correct_tile(tile, parameters, root / f"T{name.tile}")
        ctx.log.info(
            f"tile {name.tile}: AOT {summary['mean_aot']:.3f} ({summary['aot_method']}), water vapour "
            f"{summary['mean_wv']:.2f} cm ({summary['wv_method']})"
        )


def _parameters(ctx: JobContext) -> Parameters:
    settings = read_settings(ctx.input_file("GIP_L2ACFG")) if ctx.has_input("GIP_L2ACFG") else {}
    return Parameters(
        read_gipp(ctx.input_file("GIP_L2ACAC"), AtmosphericCoefficients),
        read_gipp(ctx.input_file("GIP_L2ACSC"), SceneClassification),
        settings,
    )


def _check_coding(ctx: JobContext) -> None:
    """Refuse L1C images whose numbers mean something else than those of Level-2A."""
    path, name = one_pdi(ctx.input_dir("MSI_L1C_DS"), "MSI_L1C_DS")
    metadata = read_pdi_metadata(metadata_file(path))
    found = float(metadata.text("QUANTIFICATION_VALUE")), float(metadata.text("RADIO_ADD_OFFSET"))
    expected = layout.QUANTIFICATION, -layout.ADD_OFFSET
    if found != expected:
        raise InvalidInput(
            f"datastrip {name}: quantification and offset are {found[0]:g} and {found[1]:g}: Level-2A takes "
            f"{expected[0]:g} and {expected[1]:g}: make L1C again with another GIP_R2PARA"
        )


def correct_tile(tile: L1cTile, parameters: Parameters, target: Path) -> dict[str, Any]:
    """Correct one tile, write its raw images below `target` and return the summary of `tile_l2a.json`."""
    numbers = {band: tile.numbers(band) for band in BANDS}
    air, methods = _air(tile, parameters, numbers)
    surface: dict[Band, Numbers] = {}
    for band in BANDS:
        if band is not Band.B10:
            terms = _pixel_terms(tile, inverse_terms(parameters.coefficients, band, air), band.resolution)
            surface[band] = to_numbers(terms.surface(reflectance(numbers[band])), numbers[band])
    classes = _classify(numbers, surface, parameters.thresholds)
    _write_images(tile, surface, classes, air, target)
    _write_probabilities(numbers, classes, parameters.thresholds, target)
    summary: dict[str, Any] = {
        "grid": asdict(tile.tile),
        "image_prefix": tile.image_prefix,
        "mean_aot": float(air.aerosol.mean()),
        "mean_wv": float(air.water.mean()),
        "ozone": float(air.ozone.mean() * 1000.0),
        **methods,
        **{f"scene_{name}": share for name, share in scene.percentages(classes).items()},
    }
    (target / layout.WORKING).write_text(json.dumps(summary, indent=1) + "\n")
    return summary


def _air(tile: L1cTile, parameters: Parameters, numbers: dict[Band, Numbers]) -> tuple[Air, dict[str, str]]:
    """Return the air, from meteorology where the settings and the item allow, else from the image."""
    air, found = meteorological_air(tile)
    methods = {"aot_method": "CAMS", "wv_method": "ECMWF", "ozone_source": "AUX_ECMWFT"}
    from_image = "aerosol" not in found or parameters.settings.get("aot", "CAMS") != "CAMS"
    water_from_bands = "water" not in found or parameters.settings.get("water_vapour", "ECMWF") != "ECMWF"
    if "ozone" not in found:
        methods["ozone_source"] = "DEFAULT"
    if not (from_image or water_from_bands):
        return air, methods
    blue, near, swir = (
        reflectance(coarser(numbers[band], 60 // band.resolution)) for band in (Band.B02, Band.B8A, Band.B11)
    )
    vapour, cirrus = reflectance(numbers[Band.B09]), reflectance(numbers[Band.B10])
    limits = parameters.thresholds
    covered = (np.minimum(blue / limits.cloud_blue, swir / limits.cloud_swir) > 0.6) | (cirrus > limits.cirrus / 2)
    clear = (numbers[Band.B09] != 0) & (coarser(numbers[Band.B8A], 3) != 0) & ~covered
    if from_image:
        air = aerosol_from_dark_pixels(parameters.coefficients, air, np.where(clear, blue, np.float32(np.nan)))
        methods["aot_method"] = "DARK_PIXELS"
    if water_from_bands:
        air = water_from_image(parameters.coefficients, tile, air, near, vapour, clear)
        methods["wv_method"] = "B8A_B09"
    return air, methods


def _pixel_terms(tile: L1cTile, terms: Terms, resolution: int) -> Terms:
    return Terms(*(tile.to_pixels(np.asarray(part), resolution) for part in (terms.slope, terms.path, terms.spherical)))


def to_numbers(surface: Image, source: Numbers) -> Numbers:
    """Return digital numbers: reflectance * 10000 + 1000; no data and saturation are those of the L1C numbers."""
    scaled = surface * np.float32(layout.QUANTIFICATION) + np.float32(layout.ADD_OFFSET + 0.5)
    result: Numbers = np.clip(scaled, 1.0, layout.SATURATED - 1.0).astype(np.uint16)
    result[source == layout.SATURATED] = layout.SATURATED
    result[source == layout.NO_DATA] = layout.NO_DATA
    return result


def _classify(
    numbers: dict[Band, Numbers], surface: dict[Band, Numbers], thresholds: SceneClassification
) -> NDArray[np.uint8]:
    toa = {band: _at_20m(numbers[band], band) for band in (Band.B02, Band.B10, Band.B11)}
    boa = {band: _at_20m(surface[band], band) for band in (Band.B03, Band.B04, Band.B8A, Band.B11)}
    values = scene.Reflectances(
        toa_blue=reflectance(toa[Band.B02]),
        toa_cirrus=reflectance(toa[Band.B10]),
        toa_swir=reflectance(toa[Band.B11]),
        green=reflectance(boa[Band.B03]),
        red=reflectance(boa[Band.B04]),
        near=reflectance(boa[Band.B8A]),
        swir=reflectance(boa[Band.B11]),
    )
    everything = [*toa.values(), *boa.values()]
    known = np.logical_and.reduce([image != layout.NO_DATA for image in everything])
    saturated = np.logical_or.reduce([image == layout.SATURATED for image in everything])
    return scene.classify(values, known, saturated, thresholds)


def _at_20m(numbers: Numbers, band: Band) -> Numbers:
    if band.resolution == 60:
        return finer(numbers, 3)
    return coarser(numbers, 20 // band.resolution)


def _write_images(
    tile: L1cTile, surface: dict[Band, Numbers], classes: NDArray[np.uint8], air: Air, target: Path
) -> None:
    prefix = tile.image_prefix
    for resolution, bands in layout.BANDS_AT.items():
        images: dict[str, NDArray[np.uint16] | NDArray[np.uint8]] = {}
        for band in bands:
            source = surface[band]
            if band.resolution > resolution:
                images[band.name] = finer(source, band.resolution // resolution)
            else:
                images[band.name] = coarser(source, resolution // band.resolution)
        known = images["B02"] != layout.NO_DATA
        for item, nodes, unit in (
            ("AOT", air.aerosol, layout.AOT_QUANTIFICATION), ("WVP", air.water, layout.WVP_QUANTIFICATION)
        ):  # fmt: skip
            scaled = np.clip(tile.to_pixels(nodes, resolution) * np.float32(unit) + np.float32(0.5), 1, 65534)
            images[item] = np.where(known, scaled, 0).astype(np.uint16)
        colours = [np.asarray(images[name], dtype=np.uint16) for name in ("B04", "B03", "B02")]
        images["TCI"] = true_colour(colours, -layout.ADD_OFFSET)
        if resolution > 10:
            images["SCL"] = classes if resolution == 20 else classes[1::3, 1::3]
        for item, image in images.items():
            path = target / (layout.image_path(prefix, item, resolution) + layout.RAW_SUFFIX)
            path.parent.mkdir(parents=True, exist_ok=True)
            np.save(path, image)


def _write_probabilities(
    numbers: dict[Band, Numbers], classes: NDArray[np.uint8], thresholds: SceneClassification, target: Path
) -> None:
    """Write cloud and snow probabilities in percent at 20 and 60 m."""
    folder = target / "QI_DATA"
    folder.mkdir(parents=True, exist_ok=True)
    blue = reflectance(coarser(numbers[Band.B02], 2))
    cloud = scene.cloud_probability(blue, reflectance(numbers[Band.B11]), thresholds)
    cloud[classes == scene.NO_DATA] = 0.0
    percent = {
        "CLDPRB": np.rint(cloud * 100.0).astype(np.uint8),
        "SNWPRB": np.where(classes == scene.SNOW, 100, 0).astype(np.uint8),
    }
    for kind, image in percent.items():
        np.save(folder / f"MSK_{kind}_20m{layout.RAW_SUFFIX}", image)
        np.save(folder / f"MSK_{kind}_60m{layout.RAW_SUFFIX}", image[1::3, 1::3])
