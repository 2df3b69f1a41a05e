"""Quality control and inventory of finished items: good ones pass, each damage is found by the check meant for it."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from lxml import etree
from unit.reference_l0.downlinks import Run

from ipf_adapters.reference.errors import InvalidInput, MissingInput
from ipf_adapters.reference.pdi import new_document, new_pdi, one_pdi, pdis_in
from ipf_adapters.reference.quality.checks import inspect
from ipf_adapters.reference.quality.item import Item
from s2ps.formats.inventory_metadata import read_inventory_metadata
from s2ps.formats.manifest import write_manifest
from s2ps.model.names import PdiName

Chain = Any


def controlled(chain: Chain, run_job: Run, items: Path, folder: Path, **parameters: str) -> Path:
    inputs = {"PDI_SAFE": items} | chain.aux("GIP_OLQCPA")
    return run_job("OLQC", folder, inputs, ("OLQC_REPORT",), **parameters) / "OLQC_REPORT"


def statuses(reports: Path) -> dict[str, tuple[str, list[str]]]:
    """Return by aspect the global status and the failed checks."""
    found = {}
    for path in reports.rglob("*_report.xml"):
        root = etree.parse(path).getroot()
        name = next(root.iter("{*}checkList")).findtext("{*}name") or ""
        failed = [node.get("name", "") for node in root.iter("{*}inspection") if node.get("status") != "PASSED"]
        found[name] = (next(root.iter("{*}report")).get("globalStatus", ""), failed)
    return found


def test_good_items_pass_with_the_required_reports(chain: Chain, run_job: Run, tmp_path: Path) -> None:
    datastrip = controlled(chain, run_job, chain.job("datastrip") / "PDI_DS", tmp_path / "ds")
    granules = controlled(chain, run_job, chain.job("granules") / "PDI_DS_GR_LIST", tmp_path / "gr")
    assert statuses(datastrip) == {
        name: ("PASSED", [])
        for name in ("FORMAT_CORRECTNESS", "GENERAL_QUALITY", "SENSOR_QUALITY", "GEOMETRIC_QUALITY")
    }
    per_item = [statuses(folder) for folder in granules.iterdir()]
    assert len(per_item) == 24
    assert all(
        found == {n: ("PASSED", []) for n in ("FORMAT_CORRECTNESS", "GENERAL_QUALITY", "SENSOR_QUALITY")}
        for found in per_item
    )


def test_parts_cover_every_item_once(chain: Chain, run_job: Run, tmp_path: Path) -> None:
    items = chain.job("granules") / "PDI_DS_GR_LIST"
    seen: list[str] = []
    for remainder in range(5):
        part = {"PARALLEL_PRODUCT_MODULO": "5", "PARALLEL_PRODUCT_REMAINDER": str(remainder)}
        reports = controlled(chain, run_job, items, tmp_path / str(remainder), **part)
        seen += [folder.name for folder in reports.iterdir()]
    assert sorted(seen) == [path.name for path, _ in pdis_in(items)]


def damaged(chain: Chain, tmp_path: Path) -> Path:
    source = pdis_in(chain.job("granules") / "PDI_DS_GR_LIST")[0][0]
    return Path(shutil.copytree(source, tmp_path / "items" / source.name))


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0xFF
    path.write_bytes(bytes(data))


@pytest.mark.parametrize(
    ("damage", "aspect", "checks"),
    [
        (lambda item: flip(next(item.rglob("*_B04.bin"))), "GENERAL_QUALITY", ["checksums"]),
        (lambda item: next(item.rglob("*_B04.bin")).unlink(), "FORMAT_CORRECTNESS", ["all_files_present"]),
        (lambda item: next(item.glob("*MTD*.xml")).write_text("<x"), "FORMAT_CORRECTNESS", None),
        (lambda item: (item / "manifest.safe").write_text("<x"), "FORMAT_CORRECTNESS", ["all_files_present"]),
        (lambda item: lost_band(item), "SENSOR_QUALITY", ["lost_packets"]),
    ],
)
def test_damage_fails_its_check(
    chain: Chain, run_job: Run, tmp_path: Path, damage: Any, aspect: str, checks: list[str] | None
) -> None:
    item = damaged(chain, tmp_path)
    damage(item)
    status, failed = statuses(controlled(chain, run_job, item.parent, tmp_path / "job"))[aspect]
    assert status == "FAILED"
    assert failed == (checks or ["metadata_readable", "names_consistent", "all_files_present"])


def lost_band(item: Path) -> None:
    document = next(item.glob("*MTD*.xml"))
    pattern = r'(bandId="3">.*?<NB_OF_SOURCE_PACKETS>)3'
    document.write_text(re.sub(pattern, r"\g<1>0", document.read_text(), flags=re.S))
    write_manifest(item, "MSI_L0__GR")


def test_item_that_bears_another_name(chain: Chain, tmp_path: Path) -> None:
    item = damaged(chain, tmp_path)
    other = item.rename(item.with_name(item.name.replace("_D01_", "_D02_")))
    finding = inspect(Item(other, PdiName.parse(other.name)), "names_consistent", 5.0)
    assert not finding.passed
    assert item.name in finding.message


def test_degraded_data_and_bad_footprint(tmp_path: Path) -> None:
    name = PdiName.parse("S2B_OPER_MSI_L1B_GR_S2PS_20260701T120000_S20260701T101559_D01_N05.00")
    pdi = new_pdi(tmp_path, name)
    document = new_document(name)
    content = document.section("Quality_Indicators_Info").add("DEGRADED_MSI_DATA_PERCENTAGE", 7.5)
    content.child("Footprint").add("EXT_POS_LIST", "45 11 45.5 11 45.5 11.5 46 12")
    pdi.write_metadata(document)
    pdi.finish()
    item = Item(pdi.path, name)
    assert inspect(item, "degraded_data_percentage", 5.0).message.startswith("DEGRADED_MSI_DATA_PERCENTAGE 7.5")
    assert not inspect(item, "degraded_data_percentage", 5.0).passed
    assert inspect(item, "degraded_data_percentage", 8.0).passed
    assert "not closed" in inspect(item, "footprint_valid", 5.0).message
    assert not inspect(item, "all_files_present", 5.0).passed


def test_inventory_tells_what_the_item_is(chain: Chain, run_job: Run, tmp_path: Path) -> None:
    items = chain.job("granules") / "PDI_DS_GR_LIST"
    reports = controlled(chain, run_job, items, tmp_path / "olqc")
    folder = run_job("INV_MTD_L0", tmp_path / "inv", {"L0_GR": items, "OLQC_REPORT": reports}, ("INVENTORY",))
    path, name = pdis_in(items)[3]
    record = read_inventory_metadata(folder / "INVENTORY" / path.name / "Inventory_Metadata.xml")
    datastrip = one_pdi(chain.job("datastrip") / "PDI_DS", "MSI_L0__DS")[0]
    assert record.file_id == path.name
    assert record.parent_id == datastrip.name
    assert record.group_id == "GS2B_20260701T101559_048123_N05.00"
    assert (record.orbit, record.satellite, record.detector) == (48123, "S2B", f"{name.detector:02d}")
    assert record.data_size == sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
    assert len(record.footprint) == 5
    assert record.quality == 100.0
    assert record.validity_start.replace(microsecond=0) == name.sensing_start


def test_true_colour_item_is_recorded_with_its_tile(run_job: Run, tmp_path: Path) -> None:
    tile = PdiName.parse("S2B_OPER_MSI_L1C_TL_S2PS_20260701T120000_A048123_T32TPQ_N05.00")
    pdi = new_pdi(tmp_path / "items", tile)
    document = new_document(tile)
    general = document.section("General_Info").add("TILE_ID", str(tile)).add("SENSING_TIME", "2026-07-01T10:16:01.5Z")
    general.add("DATASTRIP_ID", "S2B_OPER_MSI_L1C_DS_S2PS_20260701T120000_S20260701T101559_N05.00")
    (pdi.path / "MTD_TL.xml").write_bytes(document.to_bytes())
    pdi.finish()
    colour = new_pdi(tmp_path / "items", PdiName.parse(str(tile).replace("_TL_", "_TC_")))
    (colour.path / "T32TPQ_20260701T101559_TCI.jp2").write_bytes(b"image")
    colour.finish()
    folder = run_job("INV_MTD_L1", tmp_path / "inv", {"TL": tmp_path / "items"}, ("INVENTORY",)) / "INVENTORY"
    records = [read_inventory_metadata(path) for path in sorted(folder.rglob("Inventory_Metadata.xml"))]
    assert [record.file_type for record in records] == ["MSI_L1C_TC", "MSI_L1C_TL"]
    assert {record.group_id for record in records} == {"GS2B_20260701T101559_048123_N05.00"}
    assert {record.validity_start.second for record in records} == {1}


def test_failed_quality_shows_in_the_inventory(chain: Chain, run_job: Run, tmp_path: Path) -> None:
    item = damaged(chain, tmp_path)
    flip(next(item.rglob("*_B04.bin")))
    reports = controlled(chain, run_job, item.parent, tmp_path / "olqc")
    folder = run_job("INV_MTD_L0", tmp_path / "inv", {"L0_GR": item.parent, "OLQC_REPORT": reports}, ("INVENTORY",))
    assert read_inventory_metadata(next(folder.rglob("Inventory_Metadata.xml"))).quality == 0.0


def test_item_without_report_gets_no_record(chain: Chain, run_job: Run, tmp_path: Path) -> None:
    (tmp_path / "reports").mkdir()
    inputs = {"L0_DS": chain.job("datastrip") / "PDI_DS", "OLQC_REPORT": tmp_path / "reports"}
    with pytest.raises(MissingInput, match="has no quality report: run OLQC again"):
        run_job("INV_MTD_L0", tmp_path / "inv", inputs, ("INVENTORY",))


def test_nothing_to_inspect_and_unknown_checks(chain: Chain, run_job: Run, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(MissingInput, match="no product item in"):
        controlled(chain, run_job, tmp_path / "empty", tmp_path / "a")
    with pytest.raises(InvalidInput, match="no check list for L0U_DS"):
        controlled(chain, run_job, chain.raw / "DT01" / "DS", tmp_path / "b")
