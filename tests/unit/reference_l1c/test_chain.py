"""The L1C tile agrees with the simulated truth, and its items are complete."""

from __future__ import annotations

import json
import re
import shutil

import numpy as np
import pytest
import rasterio
from unit.reference_l1c.small_chain import LIST, TILE, Chain, copy_of

from ipf_adapters.reference.errors import MissingInput
from ipf_adapters.reference.l1c.jpeg2000 import read_jp2
from ipf_adapters.science import working
from s2ps.formats.manifest import differences
from s2ps.formats.pdi_metadata import read_pdi_metadata
from s2ps.model.bands import BANDS, Band


@pytest.mark.parametrize("band", [Band.B02, Band.B8A, Band.B01, Band.B12])
def test_reflectance_and_location_agree_with_the_truth(chain: Chain, band: Band) -> None:
    image = np.load(chain.folder("GEN_ORTHO_TOA") / f"{band.name}.npy")
    truth = chain.truth.toa_reflectance(band, TILE).astype(float)
    clear = (image > 0) & (image < 65535) & chain.truth.cloud_free(TILE, band.resolution)
    assert clear.mean() > 0.2
    error = ((image - 1000.0) / 10000.0 - truth)[clear]
    assert abs(error.mean()) < 2e-4
    assert error.std() < 2e-3
    down, across = (slope[clear] for slope in np.gradient(truth))
    shift, *_ = np.linalg.lstsq(np.stack([across, down, np.ones_like(down)], axis=1), error, rcond=None)
    assert np.abs(shift[:2]).max() < 0.03


def test_a_shift_of_the_model_would_be_noticed(chain: Chain) -> None:
    image = np.roll(np.load(chain.folder("GEN_ORTHO_TOA") / "B02.npy"), 1, axis=1)
    clear = (image > 0) & chain.truth.cloud_free(TILE, 10)
    error = ((image - 1000.0) / 10000.0 - chain.truth.toa_reflectance(Band.B02, TILE))[clear]
    assert error.std() > 2e-3


def test_every_pixel_comes_from_one_detector_and_the_mosaic_has_no_holes(chain: Chain) -> None:
    folder = chain.folder("GEN_ORTHO_TOA")
    detector, image = np.load(folder / "B03_detector.npy"), np.load(folder / "B03.npy")
    assert ((detector > 0) == (image > 0)).all()
    assert len(np.unique(detector[detector > 0])) >= 2
    for row in (image > 0)[::40]:
        covered = np.flatnonzero(row)
        assert not len(covered) or row[covered[0] : covered[-1] + 1].all()


def test_lost_lines_have_no_data_and_saturation_stays(chain: Chain, tmp_path_factory: pytest.TempPathFactory) -> None:
    root = tmp_path_factory.mktemp("damaged")
    vectors = copy_of(chain.root / "VECTOR", root / "VECTOR")
    detector = int(np.bincount(np.load(chain.folder("GEN_ORTHO_TOA") / "B01_detector.npy").ravel())[1:].argmax()) + 1
    for piece, path in working.pieces(vectors, detector, Band.B01, "quality"):
        mask = np.load(path)
        mask[:] = working.LOST if piece.first == 2 else working.SATURATED
        np.save(path, mask)
    damaged = Chain(root, chain.truth)
    (root / "auxiliary").symlink_to(chain.root / "auxiliary")
    order = damaged.order(
        "GEN_ORTHO_TOA",
        {"PDI_DS": chain.root / "PDI_DS", LIST: chain.root / "TILE_INIT" / LIST,
         "PDI_ATF_LIST": chain.root / "PDI_ATF_LIST", "VECTOR": vectors},
        (LIST,), "IERS", "GIP_VIEDIR", "GIP_R2ABCA", "GIP_R2PARA", "GIP_RESPAR", "GIP_DATATI",
    )  # fmt: skip
    _run_band(order, "B00")
    before = np.load(chain.folder("GEN_ORTHO_TOA") / "B01.npy")
    after = np.load(damaged.folder("GEN_ORTHO_TOA") / "B01.npy")
    assert ((after == 65535) & (before > 0)).sum() > 50
    assert ((after == 0) & (before > 0)).sum() > 50


def _run_band(order: object, ident: str) -> None:
    from dataclasses import replace

    from ipf_adapters.reference.context import JobContext
    from ipf_adapters.reference.l1c.gen_ortho_toa import run
    from s2ps.formats.job_order import JobOrder

    if not isinstance(order, JobOrder):
        raise TypeError(f"{order!r} is no job order")
    run(JobContext.of(replace(order, parameters={**order.parameters, "PARALLEL_BAND_IDENT": ident})))


def test_clouds_and_cirrus_are_found(chain: Chain) -> None:
    planes = np.load(chain.folder("MASK_S2") / "classification.npy")
    classes = chain.truth.classes(TILE, 60)
    known = np.load(chain.folder("GEN_ORTHO_TOA") / "B01.npy") > 0
    clear = known & (classes < 9)
    for plane, number in zip(planes[:2], (9, 10), strict=True):
        present = known & (classes == number)
        assert plane[present].sum() >= 0.9 * present.sum()
    assert (known & (classes >= 9)).any()
    assert planes[:, clear].mean() < 0.05


def test_items_are_complete_and_agree_with_their_manifests(chain: Chain) -> None:
    for item in (chain.tile_item, chain.datastrip_item, chain.l2a_tile_item, chain.l2a_datastrip_item):
        assert list(differences(item)) == []
    names = {path.name for path in (chain.tile_item / "IMG_DATA").iterdir()}
    assert {f"T{TILE}_20260701T101559_{band.name}.jp2" for band in BANDS} < names
    masks = {path.name for path in (chain.tile_item / "QI_DATA").iterdir()}
    assert {"MSK_DETFOO_B8A.jp2", "MSK_QUALIT_B01.jp2", "MSK_CLASSI_B00.jp2"} < masks
    assert read_jp2(chain.tile_item / "QI_DATA" / "MSK_QUALIT_B02.jp2").shape[0] == 8
    assert {path.name for path in (chain.tile_item / "AUX_DATA").iterdir()} == {"AUX_CAMSFO", "AUX_ECMWFT"}


def test_images_are_lossless(chain: Chain) -> None:
    image = read_jp2(chain.tile_item / "IMG_DATA" / f"T{TILE}_20260701T101559_B04.jp2")
    assert (image == np.load(chain.folder("GEN_ORTHO_TOA") / "B04.npy")).all()


def test_tile_metadata_tell_grid_angles_and_time(chain: Chain) -> None:
    metadata = read_pdi_metadata(chain.tile_item / "MTD_TL.xml")
    assert metadata.root_name == "Level-1C_Tile_ID"
    assert metadata.item_id == chain.tile_item.name
    assert metadata.all("NROWS") == [str(chain.truth.tile(TILE).size(resolution)) for resolution in (10, 20, 60)]
    assert 15 < float(metadata.all("ZENITH_ANGLE")[0]) < 50
    assert len(metadata.attributes("Mean_Viewing_Incidence_Angle", "bandId")) == 13
    assert len(metadata.footprint()) >= 4
    start = chain.truth.mission.start
    assert 0 <= (metadata.time("SENSING_TIME") - start).total_seconds() < 20


def test_view_angles_follow_the_swath(chain: Chain) -> None:
    info = json.loads((chain.folder("TILE_FINALIZE") / "tile_info.json").read_text())
    grids = info["bands"]["B02"]["detectors"]
    assert len(grids) >= 2
    for grid in grids.values():
        known = [value for row in grid["zenith"] for value in row if value is not None]
        assert 0 <= min(known) <= max(known) < 13


def test_a_missing_band_stops_the_metadata_by_name(chain: Chain, tmp_path_factory: pytest.TempPathFactory) -> None:
    root = tmp_path_factory.mktemp("incomplete")
    joined = copy_of(chain.root / "fused" / "metadata", root / "joined")
    next(joined.rglob("T*_B07.jp2")).unlink()
    broken = Chain(root, chain.truth)
    with pytest.raises(MissingInput, match="B07"):
        broken.run("FORMAT_METADATA_TILE_L1C", {"PDI_DS": chain.root / "PDI_DS", LIST: joined}, (LIST,))


def test_the_same_jobs_write_the_same_bytes(chain: Chain, tmp_path_factory: pytest.TempPathFactory) -> None:
    again = Chain(tmp_path_factory.mktemp("again"), chain.truth)
    joined = chain.root / "fused" / "metadata"
    again.run("FORMAT_METADATA_TILE_L1C", {"PDI_DS": chain.root / "PDI_DS", LIST: joined}, (LIST,))
    assert (again.tile_item / "MTD_TL.xml").read_bytes() == (chain.tile_item / "MTD_TL.xml").read_bytes()
    assert (again.tile_item / "manifest.safe").read_bytes() == (chain.tile_item / "manifest.safe").read_bytes()


def test_a_tile_that_no_detector_sees_is_empty_but_whole(
    chain: Chain, tmp_path_factory: pytest.TempPathFactory
) -> None:
    root = tmp_path_factory.mktemp("empty")
    empty = Chain(root, chain.truth)
    (root / "auxiliary").symlink_to(chain.root / "auxiliary")
    first = copy_of(chain.root / "TILE_INIT" / LIST, root / "first")
    sheet = json.loads((first / f"T{TILE}" / "tile.json").read_text())
    (first / f"T{TILE}" / "tile.json").write_text(json.dumps({**sheet, "detectors": []}))
    base = {"PDI_DS": chain.root / "PDI_DS"}
    strips = {"PDI_ATF_LIST": chain.root / "PDI_ATF_LIST"}
    auxiliary = ("IERS", "GIP_VIEDIR", "GIP_R2ABCA", "GIP_R2PARA", "GIP_RESPAR", "GIP_DATATI")
    empty.run("GEN_ORTHO_TOA", {**base, LIST: first, **strips}, (LIST,), *auxiliary)
    joined = empty.fused("finalize", first, root / "GEN_ORTHO_TOA" / LIST)
    empty.run("TILE_FINALIZE", {**base, LIST: joined}, (LIST,))
    info = json.loads((empty.folder("TILE_FINALIZE") / "tile_info.json").read_text())
    assert info["no_data"] == 100.0
    assert info["footprint"] == []


def test_preview_is_as_coarse_as_the_parameter_file_says(
    chain: Chain, tmp_path_factory: pytest.TempPathFactory
) -> None:
    root = tmp_path_factory.mktemp("preview")
    shutil.copytree(chain.root / "auxiliary", root / "auxiliary")
    (path,) = (root / "auxiliary").glob("*_GIP_HRTPAR_*")
    (factor,) = re.findall(r"<preview_pixels>(\d+)<", path.read_text())
    path.write_text(path.read_text().replace(f">{factor}<", f">{2 * int(factor)}<"))
    other = Chain(root, chain.truth)
    images = other.fused("images", chain.root / "GEN_ORTHO_TOA" / LIST, chain.root / "MASK_S2" / LIST)
    inputs = {"PDI_DS": chain.root / "PDI_DS", "TILE_LIST_FILE": chain.root / "tile_list_file.xml", LIST: images}
    outputs = ("PDI_DS_PVI_LIST", "PDI_DS_TCI_LIST")
    other.run("FORMAT_IMG_PVI_TCI", inputs, outputs, "GIP_R2PARA", "GIP_JP2KPA", "GIP_HRTPAR")
    widths = []
    for some in (chain, other):
        with rasterio.open(next((some.root / "FORMAT_IMG_PVI_TCI").rglob("*_PVI.jp2"))) as image:
            widths.append(image.width)
    assert widths[1] == widths[0] // 2
