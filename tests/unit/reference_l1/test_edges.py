"""What L1 processors do with clouds, with parts that do not exist and with inputs that are not whole."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from unit.reference_l1.chain import Chain
from unit.reference_l1.small_session import Session

from ipf_adapters.reference.errors import InvalidInput, MissingInput
from ipf_adapters.reference.l1a import footprints
from ipf_adapters.reference.l1a.granule_geometry import read_geometry
from ipf_adapters.science import working
from s2ps.model.bands import Band
from s2ps.model.errors import InputError


def test_coarse_clouds_are_laid_over_the_granules(chain: Chain, folder: Path) -> None:
    strip = chain.out("UPDATE_LOC", "PDI_DS")
    first = read_geometry(chain.out("INIT_LOC_L1", "PDI_DS_GR_LIST"), 5, 1, "INIT_LOC_L1")
    assert first.cloud_cover is None, "no cloud mask was given"
    lon, lat, _ = np.array(first.footprint).T
    middle = (lon.min() + lon.max()) / 2
    west = [
        (lon.min() - 1, lat.min() - 1),
        (middle, lat.min() - 1),
        (middle, lat.max() + 1),
        (lon.min() - 1, lat.max() + 1),
    ]
    footprints.write_features(folder / "clouds.geojson", [([(*p, 0.0) for p in (*west, west[0])], {})])
    part = {"PARALLEL_DETECTOR_IDENT": "05"}
    inputs: dict[str, Path | list[Path]] = {"PDI_DS": strip, "VECTOR": folder}
    chain.session.run("INIT_LOC_L1", inputs, ("PDI_DS_GR_LIST", "VECTOR"), part, "cloudy")
    cloudy = read_geometry(chain.session.folder("cloudy", "PDI_DS_GR_LIST"), 5, 1, "INIT_LOC_L1")
    assert cloudy.cloud_cover == pytest.approx(50.0, abs=3.0)
    assert cloudy.sun is not None
    assert 20 < cloudy.sun[0] < 30, "a summer noon in the Alps"
    assert cloudy.view["B02"][0] < 4.0


def test_views_open_towards_the_edge_of_the_swath(chain: Chain) -> None:
    folder = chain.out("INIT_LOC_L1", "PDI_DS_GR_LIST")
    zenith = [read_geometry(folder, detector, 1, "INIT_LOC_L1").view["B03"][0] for detector in (5, 3, 1)]
    assert zenith == sorted(zenith)


def test_granules_meet_without_gap(chain: Chain) -> None:
    folder = chain.out("INIT_LOC_L1", "PDI_DS_GR_LIST")
    first, second = (read_geometry(folder, 5, scene, "INIT_LOC_L1") for scene in (1, 2))
    assert first.stop == second.start
    assert (first.position, second.position) == (1, 49)
    south_of_first = min(point[1] for point in first.footprint)
    assert max(point[1] for point in second.footprint) == pytest.approx(south_of_first, abs=1e-4)


def test_part_outside_the_datastrip_is_refused(chain: Chain) -> None:
    part = {"PARALLEL_ATF_BEGIN_GRANULE": "002", "PARALLEL_ATF_END_GRANULE": "003"}
    inputs: dict[str, Path | list[Path]] = {
        "PDI_DS": chain.out("UPDATE_LOC", "PDI_DS"),
        "PDI_GR_LIST": chain.session.root / "granules",
    }
    with pytest.raises(InvalidInput, match=r"granules 2 to 3: the datastrip .* has 2"):
        chain.session.run("DECOMP", inputs, ("PDI_ATF_LIST", "PDI_DS_GR_LIST", "VECTOR"), part, "beyond")


def test_orbit_that_ends_too_early_is_refused(session: Session, folder: Path) -> None:
    strip = folder / "strip"
    shutil.copytree(session.root / "datastrip", strip)
    whole = working.read_ancillary(strip)
    few = replace(whole, orbit_time=whole.orbit_time[:5], position=whole.position[:5], velocity=whole.velocity[:5])
    working.write_ancillary(strip, few)
    inputs: dict[str, Path | list[Path]] = {"PDI_DS": strip, "PDI_DS_GR_LIST": session.root / "granules"}
    outputs = ("PDI_DS", "PDI_DS_GR_LIST", "FRAME_FILE", "VECTOR_DS_FOOTPRINT")
    with pytest.raises(InvalidInput, match=r"orbit samples of .* expected the whole datastrip"):
        session.run("UPDATE_LOC", inputs, outputs, task="short")


def test_too_few_points_leave_the_datastrip_unrefined(chain: Chain, folder: Path) -> None:
    source = json.loads((chain.out("TP_FILTER", "HOMOLOG_POINTS_LIST") / "D05_gcp_filtered.json").read_text())
    few = {key: value if key == "detector" else value[:5] for key, value in source.items()}
    (folder / "D05_gcp_filtered.json").write_text(json.dumps(few))
    inputs: dict[str, Path | list[Path]] = {"PDI_DS": chain.out("RADIO_FINALIZE", "PDI_DS"), "GCP_POINTS": folder}
    chain.session.run("SPATIO", inputs, ("PDI_DS",), task="few")
    target = chain.session.folder("few", "PDI_DS")
    assert (target / "datastrip.json").is_file()
    assert working.read_refining(target) is None


def test_unknown_product_is_refused(chain: Chain) -> None:
    with pytest.raises(InvalidInput, match="expected IMAGE or GRI"):
        chain.session.run("RESAMPLE_TO_VS", {}, ("VIRTUAL_SENSOR", "VECTOR"), {"PRODUCT_TYPE": "DEM"}, "unknown")


def test_granule_without_images_is_named(chain: Chain) -> None:
    inputs: dict[str, Path | list[Path]] = {
        "PDI_DS": chain.out("RADIO_FINALIZE", "PDI_DS"),
        "PDI_DS_GR_LIST": chain.out("INIT_LOC_L1", "PDI_DS_GR_LIST"),
        "VECTOR": chain.out("RADIO_FINALIZE", "VECTOR"),
    }
    part = {"PARALLEL_DETECTOR_IDENT": "12"}
    with pytest.raises(MissingInput, match=r"_D12_N05\.00: .*B01\.jp2 is missing: run FORMAT_IMG_L1A"):
        chain.session.run("FORMAT_METADATA_GR_L1A", inputs, ("PDI_DS_GR_LIST", "VECTOR"), part, "bare")


def test_scenes_are_cut_from_pieces(folder: Path) -> None:
    image = np.arange(60.0).reshape(30, 2)
    working.write_piece(folder, 1, Band.B05, range(1, 3), image[:20])
    working.write_piece(folder, 1, Band.B05, range(3, 4), image[20:])
    np.testing.assert_array_equal(working.read_scenes(folder, 1, Band.B05, range(2, 4), 10), image[10:])
    np.testing.assert_array_equal(working.read_scenes(folder, 1, Band.B05, range(2, 3), 10), image[10:20])
    with pytest.raises(InputError, match="no image of D01 B05 scene 4"):
        working.read_scenes(folder, 1, Band.B05, range(2, 5), 10)
    with pytest.raises(InputError, match="has 20 lines"):
        working.read_scenes(folder, 1, Band.B05, range(1, 2), 12)


def test_damaged_outline_is_named(folder: Path) -> None:
    with pytest.raises(MissingInput, match=r"a\.geojson is missing"):
        footprints.read_features(folder / "a.geojson")
    (folder / "a.geojson").write_text('{"features": [{"geometry": null}]}')
    with pytest.raises(InvalidInput, match=r"a\.geojson is no GeoJSON"):
        footprints.read_features(folder / "a.geojson")
