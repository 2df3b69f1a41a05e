"""L1A and L1B over a known ground: counts, geolocation, lists and items."""

from __future__ import annotations

import json
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
from unit.reference_l1 import small_session
from unit.reference_l1.chain import Chain, _run_l1b, format_granules
from unit.reference_l1.small_session import DEFECTIVE_COLUMN, GAIN, SCALE, Session

from ipf_adapters.reference.errors import NoData
from ipf_adapters.reference.l1a import footprints
from ipf_adapters.reference.quality.inventory import record_of
from ipf_adapters.reference.quality.item import Item
from ipf_adapters.science import working
from ipf_adapters.science.geometry import SensorModel
from s2ps.formats.frame_file import read_frame_file
from s2ps.formats.gri_list import read_gri_list
from s2ps.formats.pdi_metadata import metadata_file, read_pdi_metadata
from s2ps.formats.segmentation import Segment, read_segmentation
from s2ps.formats.tile_list import read_tile_list
from s2ps.model.bands import BANDS, Band
from s2ps.model.names import PdiName


def ground_error(chain: Chain, folder: Path) -> np.ndarray:
    """Metres between where a datastrip places pixels and where they really were."""
    viedir = sorted((chain.session.root / "auxiliary").glob("*VIEDIR*"))
    model, true = SensorModel.load(folder, viedir), chain.session.true_model
    errors = []
    for detector in (1, 5, 12):
        line, col = np.meshgrid(np.linspace(0, 95, 4), np.linspace(0, 63, 3))
        lon, lat = model.locate(detector, Band.B03, line, col, 400.0)
        true_lon, true_lat = true.locate(detector, Band.B03, line, col, 400.0)
        east, north = (lon - true_lon) * 111320 * np.cos(np.radians(lat)), (lat - true_lat) * 111132
        errors.append(np.hypot(east, north).ravel())
    return np.concatenate(errors)


def test_the_reference_image_removes_the_bias(chain: Chain) -> None:
    before = ground_error(chain, chain.out("RADIO_FINALIZE", "PDI_DS"))
    after = ground_error(chain, chain.out("SPATIO", "PDI_DS"))
    assert before.min() > 20.0
    assert after.max() < 2.0
    refining = working.read_refining(chain.out("SPATIO", "PDI_DS"))
    assert refining is not None
    assert refining.points > 60
    assert refining.rms_before == pytest.approx(before.mean(), rel=0.1)
    assert refining.rms_after < 2.0
    assert refining.roll == pytest.approx(small_session.BIAS[0], abs=2e-6)
    assert refining.pitch == pytest.approx(small_session.BIAS[1], abs=2e-6)


def test_equalised_counts_are_proportional_to_radiance(chain: Chain) -> None:
    counts = working.read_strip(chain.out("RADIO_AB", "PDI_ATF_LIST"), 3, Band.B02)
    assert counts.dtype == np.float32
    assert counts.shape == (96, 64)
    truth = expected_counts(chain, 3, Band.B02)
    difference = np.delete(counts - truth, [DEFECTIVE_COLUMN, 20], axis=1)
    assert np.abs(difference).max() < 0.6, "half a count of quantisation"
    neighbours = (truth[:, DEFECTIVE_COLUMN - 1] + truth[:, DEFECTIVE_COLUMN + 1]) / 2
    np.testing.assert_allclose(counts[:, DEFECTIVE_COLUMN], neighbours, atol=0.6)


def test_bands_of_60_m_are_binned(chain: Chain) -> None:
    counts = working.read_strip(chain.out("RADIO_AB", "PDI_ATF_LIST"), 8, Band.B09)
    assert counts.shape == (16, Band.B09.width(SCALE))
    granule = np.load(chain.out("RADIO_AB", "PDI_GR_LIST") / "D08_B09_G002.npy")
    assert granule.shape == (8, Band.B09.raw_width(SCALE))
    assert granule.dtype == np.uint16
    np.testing.assert_allclose(counts, expected_counts(chain, 8, Band.B09), atol=0.6)


def test_masks_tell_what_happened(chain: Chain) -> None:
    mask = working.read_strip(chain.out("RADIO_FINALIZE", "VECTOR"), 3, Band.B02, "quality")
    expected = np.zeros((96, 64), dtype=np.uint8)
    expected[:, DEFECTIVE_COLUMN] = working.DEFECTIVE
    expected[5, 20] = working.SATURATED
    np.testing.assert_array_equal(mask, expected)
    quality = json.loads((chain.out("RADIO_FINALIZE", "PDI_DS") / "radiometry_D03_B02.json").read_text())
    assert quality["defective"] == pytest.approx(100 / 64)
    assert quality["lost"] == 0


def expected_counts(chain: Chain, detector: int, band: Band) -> np.ndarray:
    """Gain times radiance, from raw granules and the calibration that made them; binned by averaging."""
    raw = np.concatenate(
        [np.load(chain.out("RADIO_AB", "PDI_GR_LIST") / f"D{detector:02d}_{band.name}_G{i:03d}.npy") for i in (1, 2)]
    ).astype(float)
    equal = (raw - small_session.dark(band, detector)) / small_session.response(band, detector)
    assert 0.04 * 1000 * GAIN < np.median(equal) < 0.6 * 1000 * GAIN
    factor = equal.shape[1] // band.width(SCALE)
    return equal.reshape(len(equal), -1, factor).mean(axis=2)


def test_lists_between_processors(chain: Chain) -> None:
    frame = read_frame_file(chain.out("UPDATE_LOC", "FRAME_FILE") / "frame_file.xml")
    assert frame.granules == (2,)
    assert len(frame.bands) == 13
    found = read_gri_list(chain.out("GET_GRI", "GRI_LIST_FILE") / "gri_list_file.xml")
    assert [granule.ident for granule in found] == ["GRI_A.tif", "GRI_B.tif"], "the far granule is left out"
    segments = read_segmentation(chain.out("INIT_VS_GEO", "SEGMENTATION_FILE") / "segmentation_file.xml")
    assert segments == (Segment(1, 2),)


def test_tiles_are_those_under_the_detectors(chain: Chain) -> None:
    entries = read_tile_list(chain.out("GET_TILE_LIST", "TILE_LIST_FILE") / "tile_list_file.xml")
    assert [entry.number for entry in entries] == list(range(1, len(entries) + 1))
    grid = small_session.gipp.read_gipp(
        next((chain.session.root / "auxiliary").glob("*TILPAR*")), small_session.gipp.TileGridParameters
    )
    from pyproj import Transformer

    from s2ps.model.tiles import TileGrid

    tiles = TileGrid(grid.epsg, grid.anchor_easting, grid.anchor_northing, grid.scale)
    to_map = Transformer.from_crs(4326, grid.epsg, always_xy=True)
    seen: dict[str, set[int]] = {}
    for detector in small_session.SEEN:
        line, col = np.meshgrid(np.arange(0.0, 96.0, 4.0), np.arange(0.0, 64.0, 3.0))
        x, y = to_map.transform(*chain.session.true_model.locate(detector, Band.B03, line, col, 400.0))
        for tile in tiles.tiles_near(x.min(), y.min(), x.max(), y.max()):
            west, south, east, north = tile.bounds
            if np.any((x > west + 20) & (x < east - 20) & (y > south + 20) & (y < north - 20)):
                seen.setdefault(tile.name, set()).add(detector)
    assert {entry.tile: set(entry.detectors) for entry in entries}.items() >= seen.items()
    assert len(entries) <= len(seen) + 2


def test_no_tile_is_a_warning(chain: Chain, folder: Path) -> None:
    s = chain.session
    far = small_session.gipp.TileGridParameters(32601, 600000.0, 5000000.0, SCALE)
    small_session._write(folder, far)
    inputs: dict[str, Path | list[Path]] = {
        "PDI_DS": chain.out("FORMAT_METADATA_DS_L1B", "PDI_DS"),
        "VECTOR": chain.out("GEO1B_FINALIZE", "VECTOR"),
        "VECTOR_DS_FOOTPRINT": chain.out("FORMAT_METADATA_DS_L1B", "VECTOR"),
    }
    ctx = s.context("GET_TILE_LIST", inputs, ("PDI_DS", "TILE_LIST_FILE"), task="far")
    items = tuple(item for item in ctx.order.inputs if item.type != "GIP_TILPAR")
    order = small_session.JobOrder(
        "L1",
        "GET_TILE_LIST",
        "1",
        ctx.order.parameters,
        (*items, small_session.JobOrderInput("GIP_TILPAR", "Physical", tuple(folder.iterdir()))),
        ctx.order.outputs,
    )
    with pytest.raises(NoData, match="no tile"):
        small_session.load("GET_TILE_LIST")(small_session.JobContext.of(order))


def test_outlines_with_the_final_model_lie_on_the_ground(chain: Chain) -> None:
    path = chain.out("GEO1B_FINALIZE", "VECTOR") / "D05_B8A_footprint.geojson"
    ((ring, properties),) = footprints.read_features(path)
    assert properties == {"detector": "05", "band": "B8A", "refined": True}
    assert ring[0] == ring[-1]
    lon, lat, height = np.array(ring).T
    np.testing.assert_allclose(height, small_session.height_plane(lon, lat), atol=0.5)
    line, col = chain.session.true_model.inverse(5, Band.B8A, lon, lat, height)
    on_edge = np.minimum.reduce([np.abs(line + 0.5), np.abs(line - 47.5), np.abs(col + 0.5), np.abs(col - 31.5)])
    assert on_edge.max() < 0.1


def test_without_a_reference_the_bias_stays(chain: Chain) -> None:
    _run_l1b(chain.session, chain.out("RADIO_FINALIZE", "PDI_DS"), "-plain")
    assert ground_error(chain, chain.out("GET_TILE_LIST-plain", "PDI_DS")).min() > 20.0
    with_reference = read_tile_list(chain.out("GET_TILE_LIST", "TILE_LIST_FILE") / "tile_list_file.xml")
    without = read_tile_list(chain.out("GET_TILE_LIST-plain", "TILE_LIST_FILE") / "tile_list_file.xml")
    assert {entry.tile for entry in with_reference} & {entry.tile for entry in without}


@pytest.mark.parametrize("level", ["L1A", "L1B"])
def test_granule_items(chain: Chain, level: str) -> None:
    folder = format_granules(chain.session, level, "03-08", "002")
    items = {PdiName.parse(path.name).detector: path for path in folder.iterdir() if path.is_dir()}
    assert {3, 8} <= set(items)
    item = items[3]
    assert len(list((item / "IMG_DATA").glob("*.jp2"))) == len(BANDS)
    assert (item / "manifest.safe").is_file()
    image = imagecodecs.jpeg2k_decode(next((item / "IMG_DATA").glob("*_B02.jp2")).read_bytes())
    if level == "L1A":
        expected = np.load(chain.out("RADIO_AB", "PDI_GR_LIST") / "D03_B02_G002.npy")
    else:
        expected = np.rint(working.read_strip(chain.out("RADIO_AB", "PDI_ATF_LIST"), 3, Band.B02)[48:])
    np.testing.assert_array_equal(image, expected)
    mask = imagecodecs.jpeg2k_decode(next((item / "QI_DATA").glob("*QUALIT_B02.jp2")).read_bytes())
    assert (mask[:, DEFECTIVE_COLUMN] == working.DEFECTIVE).all()
    metadata = read_pdi_metadata(metadata_file(item))
    assert metadata.item_id == item.name
    assert metadata.text("DETECTOR_ID") == "03"
    assert metadata.text("POSITION") == "49"
    assert len(metadata.footprint()) > 4
    inventory = chain.session.context("INV_MTD_L1", {}, ())
    record = record_of(Item(item, PdiName.parse(item.name)), metadata, 100.0, inventory)
    assert (record.group_id, record.orbit) == ("GS2B_20260701T101559_048123_N05.00", 48123)


def test_datastrip_items_list_their_granules(chain: Chain) -> None:
    s = chain.session
    s.run("FORMAT_METADATA_DS_L1A", {"PDI_DS": chain.out("RADIO_FINALIZE", "PDI_DS")}, ("PDI_DS",))
    for task, level in (("FORMAT_METADATA_DS_L1A", "L1A"), ("FORMAT_METADATA_DS_L1B", "L1B")):
        (item,) = (path for path in chain.out(task, "PDI_DS").iterdir() if path.is_dir())
        metadata = read_pdi_metadata(metadata_file(item))
        assert metadata.item_id == item.name
        assert metadata.root_name == f"Level-{level[1:]}_DataStrip_ID"
        granules = metadata.granule_ids
        assert len(granules) == 24
        items = format_granules(s, level, "05", "001")
        assert {path.name for path in items.iterdir()} & set(granules)
        assert metadata.datatake_id == "GS2B_20260701T101559_048123_N05.00"
        flag = "REFINED" if level == "L1B" else "NOT_REFINED"
        assert metadata.attributes("Geometric_Refining_Quality", "flag") == [flag]
        assert (item / "manifest.safe").is_file()


def test_no_reference_of_this_orbit_is_a_normal_state(session: Session, chain: Chain, folder: Path) -> None:
    inputs: dict[str, Path | list[Path]] = {
        kind: chain.out("RADIO_FINALIZE", kind) for kind in ("PDI_DS", "VECTOR_DS_FOOTPRINT")
    }
    (folder / "S2__OPER_AUX_GRI023").mkdir()
    for number, reference in enumerate([{}, {"GRI_ORBIT": folder}, {"GRI_ORBIT": folder / "S2__OPER_AUX_GRI023"}]):
        task = f"GET_GRI-{number}"
        session.run("GET_GRI", inputs | reference, ("GRI_LIST_FILE", "GRI_ORBIT"), task=task)
        assert read_gri_list(session.folder(task, "GRI_LIST_FILE") / "gri_list_file.xml") == ()
