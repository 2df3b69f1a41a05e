"""The atmosphere is taken off again, and the L2A tile agrees with the simulated truth."""

from __future__ import annotations

import json

import numpy as np
import pytest
from unit.reference_l1c.small_chain import LIST, TILE, Chain, copy_of

from ipf_adapters.reference.errors import InvalidInput, MissingInput
from ipf_adapters.reference.l1c.jpeg2000 import read_jp2
from ipf_adapters.reference.l2a import layout, scene
from ipf_adapters.reference.l2a.atmosphere import Air, inverse_terms, top_of_atmosphere
from ipf_adapters.reference.l2a.l1c_tile import read_l1c_tile, smooth_mass
from ipf_adapters.reference.l2a.resolution import coarser, finer, reflectance
from ipf_adapters.reference.l2a.retrieval import aerosol_from_dark_pixels, meteorological_air, water_from_image
from ipf_adapters.simulation.atmosphere import COEFFICIENTS
from s2ps.formats.gipp import SceneClassification, SnowThresholds
from s2ps.formats.pdi_metadata import read_pdi_metadata
from s2ps.model.bands import Band
from s2ps.model.names import PdiName

THRESHOLDS = SceneClassification(0.35, 0.25, 0.012, 0.40, 0.06, 0.15, 0.85, SnowThresholds(0.42, 0.25, 0.15))


def some_air(aerosol: float = 0.2, water: float = 1.5) -> Air:
    def constant(value: float) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
        return np.full((4, 4), value)

    return Air(constant(2.3), constant(0.33), constant(water), constant(aerosol))


@pytest.mark.parametrize("band", [Band.B01, Band.B04, Band.B09, Band.B12])
def test_inversion_undoes_the_forward_model(band: Band) -> None:
    air = some_air()
    for surface in (0.0, 0.05, 0.4, 0.9):
        toa = top_of_atmosphere(COEFFICIENTS, band, air, surface).astype(np.float32)
        assert inverse_terms(COEFFICIENTS, band, air).surface(toa) == pytest.approx(np.full((4, 4), surface), abs=1e-5)


@pytest.mark.parametrize("band", [Band.B02, Band.B04, Band.B8A, Band.B12])
def test_surface_reflectance_agrees_with_the_truth(chain: Chain, band: Band) -> None:
    images = chain.l2a_tile_item / "IMG_DATA" / f"R{band.resolution}m"
    image = read_jp2(next(images.glob(f"*_{band.name}_{band.resolution}m.jp2")))
    clear = (image > 0) & (image < 65535) & chain.truth.cloud_free(TILE, band.resolution)
    error = ((image - 1000.0) / 10000.0 - chain.truth.surface_reflectance(band, TILE))[clear]
    assert clear.mean() > 0.2
    assert abs(error.mean()) < 3e-4
    assert error.std() < 2e-3


def test_scene_classes_agree_with_the_truth(chain: Chain) -> None:
    scl = read_jp2(next((chain.l2a_tile_item / "IMG_DATA" / "R20m").glob("*_SCL_20m.jp2")))
    truth = chain.truth.classes(TILE, 20)
    inner = chain.truth.interior(TILE, 20) & (scl > 0)
    found = np.where(scl == scene.CLOUD_MEDIUM, scene.CLOUD_HIGH, scl)
    assert (found == truth)[inner].mean() > 0.97
    for known in (4, 5, 6):
        assert (found == known)[inner & (truth == known)].mean() > 0.9


def test_aerosol_and_water_maps_are_those_of_the_weather(chain: Chain) -> None:
    images = chain.l2a_tile_item / "IMG_DATA" / "R60m"
    weather = chain.truth.weather
    aot, wvp = (read_jp2(next(images.glob(f"*_{item}_60m.jp2"))) for item in ("AOT", "WVP"))
    assert aot[aot > 0].mean() / 1000.0 == pytest.approx(weather.aot[0], abs=0.01)
    assert wvp[wvp > 0].mean() / 1000.0 == pytest.approx(weather.water[0] / 10.0, abs=0.05)


def test_water_vapour_is_seen_in_the_image(chain: Chain) -> None:
    tile = read_l1c_tile(chain.tile_item, PdiName.parse(chain.tile_item.name))
    air, found = meteorological_air(tile)
    assert found == {"ozone", "water", "aerosol"}
    near, vapour = reflectance(coarser(tile.numbers(Band.B8A), 3)), reflectance(tile.numbers(Band.B09))
    clear = (tile.numbers(Band.B09) > 0) & (coarser(tile.numbers(Band.B8A), 3) > 0) & chain.truth.cloud_free(TILE, 60)
    guess = Air(air.mass, air.ozone, np.full(air.mass.shape, 1.0), air.aerosol)
    seen = water_from_image(COEFFICIENTS, tile, guess, near, vapour, clear)
    assert seen.water.mean() == pytest.approx(air.water.mean(), rel=0.08)


def test_aerosol_is_seen_in_dark_pixels() -> None:
    truth = some_air(aerosol=0.32)
    dark = float(top_of_atmosphere(COEFFICIENTS, Band.B02, truth, 0.02)[0, 0])
    blue = np.full((60, 60), dark + 0.1, dtype=np.float32)
    blue[:2] = dark
    found = aerosol_from_dark_pixels(COEFFICIENTS, some_air(aerosol=0.1), blue)
    assert found.aerosol.mean() == pytest.approx(0.32, abs=0.01)
    unchanged = aerosol_from_dark_pixels(COEFFICIENTS, some_air(aerosol=0.1), blue[:1, :5])
    assert unchanged.aerosol.mean() == pytest.approx(0.1)


def test_view_mass_is_fitted_where_detectors_see_nothing() -> None:
    row, col = np.indices((23, 23))
    zenith = np.where(col < 9, 3.0 + 0.2 * col + 0.01 * row, np.nan)
    other = np.where(col >= 9, 3.0 + 0.2 * col + 0.01 * row, np.nan)
    mass = smooth_mass([zenith, np.full((23, 23), np.nan)], (23, 23))
    assert mass[:, 9:12] == pytest.approx(1.0 / np.cos(np.radians(other[:, 9:12])), abs=5e-4)
    assert (smooth_mass([], (4, 4)) == 1.0).all()


def test_numbers_are_averaged_and_no_data_spreads() -> None:
    numbers = np.array([[1000, 1002, 0, 5], [1001, 1001, 5, 5], [65535, 9, 7, 7], [9, 9, 7, 8]], dtype=np.uint16)
    assert coarser(numbers, 2).tolist() == [[1001, 0], [65535, 7]]
    assert finer(np.array([[1, 2]], dtype=np.uint16), 2).tolist() == [[1, 1, 2, 2], [1, 1, 2, 2]]


def test_each_class_has_its_rule() -> None:
    def row(*values: float) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
        return np.array([values], dtype=np.float32)

    values = scene.Reflectances(
        toa_blue=row(0.1, 0.1, 0.1, 0.5, 0.1, 0.6, 0.1), toa_cirrus=row(0, 0, 0, 0, 0.03, 0, 0),
        toa_swir=row(0.2, 0.2, 0.0, 0.4, 0.2, 0.05, 0.2), green=row(0.06, 0.13, 0.045, 0.5, 0.06, 0.7, 0.06),
        red=row(0.03, 0.18, 0.03, 0.5, 0.03, 0.7, 0.03), near=row(0.39, 0.27, 0.01, 0.5, 0.39, 0.6, 0.39),
        swir=row(0.19, 0.33, 0.006, 0.4, 0.19, 0.05, 0.19),
    )  # fmt: skip
    known = np.array([[True] * 6 + [False]])
    found = scene.classify(values, known, np.zeros((1, 7), dtype=bool), THRESHOLDS)
    assert found.tolist() == [[4, 5, 6, 9, 10, 11, 0]]
    assert scene.percentages(found)["WATER"] == pytest.approx(100 / 6)


def test_l2a_metadata_tell_source_quality_and_values(chain: Chain) -> None:
    metadata = read_pdi_metadata(chain.l2a_tile_item / "MTD_TL.xml")
    assert metadata.root_name == "Level-2A_Tile_ID"
    assert metadata.text("L1C_TILE_ID") == chain.tile_item.name
    assert metadata.text("DATASTRIP_ID") == chain.l2a_datastrip_item.name
    assert metadata.text("AOT_RETRIEVAL_METHOD") == "CAMS"
    assert not [text for text in metadata.all("MASK_FILENAME") if "L1C_" in text]
    datastrip = read_pdi_metadata(chain.l2a_datastrip_item / "MTD_DS.xml")
    assert datastrip.root_name == "Level-2A_DataStrip_ID"
    assert datastrip.text("BOA_QUANTIFICATION_VALUE") == "10000"
    assert datastrip.all("BOA_ADD_OFFSET") == ["-1000"] * 13
    assert all("_MSI_L2A_TL_" in name for name in datastrip.tile_ids)
    assert "RADIO_ADD_OFFSET" not in {element.tag for element in datastrip.root.iter()}


def test_every_layer_has_its_image(chain: Chain) -> None:
    for resolution, bands in layout.BANDS_AT.items():
        names = {path.name for path in (chain.l2a_tile_item / "IMG_DATA" / f"R{resolution}m").iterdir()}
        items = {band.name for band in bands} | {"AOT", "WVP", "TCI"} | ({"SCL"} if resolution > 10 else set())
        assert names == {f"T{TILE}_20260701T101559_{item}_{resolution}m.jp2" for item in items}


def test_an_image_that_was_not_compressed_is_noticed(chain: Chain, tmp_path_factory: pytest.TempPathFactory) -> None:
    broken = Chain(tmp_path_factory.mktemp("raw"), chain.truth)
    raw = chain.root / "SEN2COR_TL" / LIST
    inputs = {
        LIST: raw, "MSI_L1C_TL": chain.tile_item.parent, "MSI_L2A_DS": chain.l2a_datastrip_item.parent
    }  # fmt: skip
    with pytest.raises(MissingInput, match="COMPRESS_TILE_IMAGE"):
        broken.run("FORMAT_METADATA_TILE_L2A", inputs, (LIST,))
    summary = json.loads((raw / f"T{TILE}" / layout.WORKING).read_text())
    assert summary["grid"]["epsg"] == 32632


def test_l1c_numbers_of_another_meaning_are_refused(chain: Chain, tmp_path_factory: pytest.TempPathFactory) -> None:
    root = tmp_path_factory.mktemp("offset")
    other = Chain(root, chain.truth)
    (root / "auxiliary").symlink_to(chain.root / "auxiliary")
    items = copy_of(chain.datastrip_item.parent, root / "items")
    document = next(items.glob("*_MSI_L1C_DS_*/MTD_DS.xml"))
    document.write_text(document.read_text().replace(">-1000<", ">0<"))
    inputs = {"MSI_L1C_TL": chain.tile_item.parent, "MSI_L1C_DS": items}
    with pytest.raises(InvalidInput, match="quantification and offset are 10000 and 0: Level-2A takes 10000 and -1000"):
        other.run("SEN2COR_TL", inputs, (LIST,), "GIP_L2ACSC", "GIP_L2ACAC", "GIP_L2ACFG")
