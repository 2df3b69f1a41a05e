"""What is published: layout, names, manifests, quality reports, inventory records and provenance."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from integration.missions import Mission

from s2ps.formats.inventory_metadata import FILE_NAME, read_inventory_metadata
from s2ps.formats.manifest import MANIFEST, checksum_of, read_manifest
from s2ps.formats.pdi_metadata import metadata_file, read_pdi_metadata
from s2ps.model.mission import DETECTORS
from s2ps.model.names import PdiName, UserProductName
from s2ps.processors.phases import PhaseGroup
from s2ps.production.definitions import catalogue_of
from s2ps.publication.provenance import FILE_NAME as PROVENANCE
from s2ps.publication.provenance import Provenance
from s2ps.publication.quality_gate import read_reports, required_aspects

pytestmark = pytest.mark.integration

SCENES, TILES = 4, 8
OUTSIDE_MANIFEST = {MANIFEST, FILE_NAME, PROVENANCE}
"""The manifest itself, and what is put beside it for archive and operators."""
EXPECTED = {
    "L0": {"MSI_L0__DS": 1, "MSI_L0__GR": SCENES * len(DETECTORS)},
    "L1B": {"MSI_L1B_DS": 1, "MSI_L1B_GR": SCENES * len(DETECTORS)},
    "L1C": {"MSI_L1C_DS": 1, "MSI_L1C_TL": TILES, "MSI_L1C_TC": TILES},
    "L2A": {"MSI_L2A_DS": 1, "MSI_L2A_TL": TILES},
}
DOWNLINK = ("HKTM", "SAD")
GROUP_OF = {"L0": PhaseGroup.DATASTRIP, "L1B": PhaseGroup.L1B, "L1C": PhaseGroup.TILES, "L2A": PhaseGroup.TILES}


def _files(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_items_of_every_level(refined: Mission) -> None:
    found = {
        level: dict(Counter(PdiName.parse(path.name).file_type for path in refined.items(level))) for level in EXPECTED
    }
    assert found == EXPECTED
    assert {path.name for path in (refined.products_folder / "PDI").iterdir()} == {*EXPECTED, *DOWNLINK}


@pytest.mark.parametrize("level", ["L0", "L1B"])
def test_granules_cover_every_detector_in_every_scene(refined: Mission, level: str) -> None:
    names = [PdiName.parse(path.name) for path in refined.items(level)]
    starts: dict[int, set[str]] = {detector: set() for detector in DETECTORS}
    for name in names:
        if name.file_type.endswith("_GR"):
            assert name.detector is not None
            starts[name.detector].add(str(name.sensing_start))
    assert {detector: len(times) for detector, times in starts.items()} == dict.fromkeys(DETECTORS, SCENES)


@pytest.mark.parametrize("level", ["L1C", "L2A"])
def test_user_products_have_the_compact_safe_layout(refined: Mission, level: str) -> None:
    mission = refined.truth.mission
    products = refined.products(level)
    assert len(products) == TILES
    for tile, product in products.items():
        name = UserProductName.parse(product.name)
        assert str(name) == product.name
        assert (name.level, name.tile, name.unit, name.relative_orbit) == (level, tile, mission.unit, 22)
        assert name.datatake_start == mission.start
        assert {path.name for path in product.iterdir()} == {
            f"MTD_MSI{level}.xml", MANIFEST, "INSPIRE.xml", "HTML", PROVENANCE, "DATASTRIP", "GRANULE",
        }  # fmt: skip
        (granule,) = (product / "GRANULE").iterdir()
        (datastrip,) = (product / "DATASTRIP").iterdir()
        assert granule.name.startswith(f"{level}_T{tile}_A048123_")
        assert {"MTD_TL.xml", "IMG_DATA", "QI_DATA", "AUX_DATA", FILE_NAME} <= {p.name for p in granule.iterdir()}
        assert {"MTD_DS.xml", "QI_DATA", FILE_NAME} <= {path.name for path in datastrip.iterdir()}
        metadata = read_pdi_metadata(product / f"MTD_MSI{level}.xml")
        assert metadata.text("PRODUCT_URI") == product.name
        images = metadata.all("IMAGE_FILE")
        assert {f"{image}.jp2" for image in images} == {
            path.relative_to(product).as_posix() for path in (granule / "IMG_DATA").rglob("*.jp2")
        }


@pytest.mark.parametrize("level", list(EXPECTED))
def test_manifests_of_items_list_every_file_with_its_size_and_checksum(refined: Mission, level: str) -> None:
    for item in refined.items(level):
        assert str(PdiName.parse(item.name)) == item.name
        _check_manifest(item)


@pytest.mark.parametrize("level", ["L1C", "L2A"])
def test_manifests_of_user_products_list_every_file_with_its_size_and_checksum(refined: Mission, level: str) -> None:
    for product in refined.products(level).values():
        _check_manifest(product)


def _check_manifest(folder: Path) -> None:
    entries = read_manifest(folder / MANIFEST)
    assert len({entry.path for entry in entries}) == len(entries)
    files = {path for path in _files(folder) if Path(path).name not in OUTSIDE_MANIFEST}
    assert {entry.path for entry in entries if Path(entry.path).name not in OUTSIDE_MANIFEST} == files, folder
    for entry in entries:
        path = folder / entry.path
        assert path.stat().st_size == entry.size
        assert checksum_of(path, entry.algorithm) == entry.checksum, path


@pytest.mark.parametrize("level", list(EXPECTED))
def test_items_have_their_quality_reports_and_inventory_record(refined: Mission, level: str) -> None:
    for item in refined.items(level):
        name = PdiName.parse(item.name)
        record = read_inventory_metadata(item / FILE_NAME)
        assert record.file_id == item.name
        assert record.satellite.endswith("2B") or record.satellite == "S2B", record.satellite
        reports = read_reports(item / "QI_DATA" if (item / "QI_DATA").is_dir() else None)
        assert {report.aspect for report in reports} >= set(required_aspects(name)), item.name
        assert {report.status for report in reports} <= {"PASSED"}, [r for r in reports if r.status != "PASSED"]
        kind = name.file_type[-2:]
        if kind != "TC":
            short = f"MTD_{kind}.xml" if level in ("L1C", "L2A") else name.metadata_name
            assert read_pdi_metadata(metadata_file(item)).source.name == short


@pytest.mark.parametrize("level", ["L1C", "L2A"])
def test_user_products_carry_passed_reports_of_tile_and_datastrip(refined: Mission, level: str) -> None:
    for product in refined.products(level).values():
        (granule,) = (product / "GRANULE").iterdir()
        (datastrip,) = (product / "DATASTRIP").iterdir()
        for folder, least in ((granule, 3), (datastrip, 5)):
            reports = [report for path in [folder / "QI_DATA"] for report in read_reports(path)]
            assert len(reports) >= least, folder
            assert {report.status for report in reports} == {"PASSED"}


@pytest.mark.parametrize("level", list(EXPECTED))
def test_provenance_tells_plan_processors_and_inputs(refined: Mission, level: str) -> None:
    production, datatake = refined.production, refined.datatake
    catalogue = {
        (processor.name, processor.version) for processor in catalogue_of(refined.settings).processors.values()
    }
    assert len(catalogue) == 49
    plan = production.stored_plan(datatake, GROUP_OF[level])
    folders = [*refined.items(level), *(refined.products(level).values() if level in ("L1C", "L2A") else ())]
    for folder in folders:
        provenance = Provenance.load(folder)
        assert provenance.plan_hash == plan.plan_hash
        used = {(processor.name, processor.version) for processor in provenance.processors}
        assert used <= catalogue
        assert {"EISP_ING_TYP", "GSE", *({"SPATIO", "GEN_ORTHO_TOA"} if level in ("L1C", "L2A") else ())} <= {
            name for name, _ in used
        }
        assert production.inventory.datatake(datatake).session_id in provenance.inputs
        kinds = {PdiName.parse(name.replace("99999999T999999", "99991231T235959")).file_type for name in
                 provenance.inputs if "_GIP_" in name}  # fmt: skip
        assert {"GIP_VIEDIR", "GIP_DATATI"} <= kinds


def test_the_inventory_knows_every_user_product(refined: Mission) -> None:
    known = refined.production.inventory.products_of(refined.datatake)
    folders = {path for level in (*EXPECTED, *DOWNLINK) for path in refined.items(level)}
    folders |= {path for level in ("L1C", "L2A") for path in refined.products(level).values()}
    assert {record.name for record in known} == {path.name for path in folders}
    assert {record.level for record in known} == {*EXPECTED, *DOWNLINK}
