"""Metadata, manifest and inventory record of an item: written, read back, and wrong ones told."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from s2ps.formats.inventory_metadata import InventoryMetadata, read_inventory_metadata, write_inventory_metadata
from s2ps.formats.manifest import read_manifest
from s2ps.formats.pdi_metadata import MetadataDocument, metadata_file, read_pdi_metadata, root_name
from s2ps.model.errors import InputError

SAMPLES = Path(os.environ.get("S2PS_SAMPLE_DATA", "no-samples"))
SAMPLE = SAMPLES / "pdi" / "S2A_OPER_MSI_L0__GR_SGS__20191001T101733_S20191001T083650_D01_N02.08"
TIME = datetime(2026, 7, 1, 10, 15, 59, 250000, tzinfo=UTC)


def sample() -> Path:
    if not SAMPLE.is_dir():
        pytest.skip("set S2PS_SAMPLE_DATA to a folder of real Sentinel-2 documents to compare with them")
    return SAMPLE


@pytest.mark.parametrize(
    ("file_type", "root"),
    [
        ("MSI_L0__GR", "Level-0_Granule_ID"),
        ("MSI_L0U_DS", "Level-0U_DataStrip_ID"),
        ("MSI_L1C_TL", "Level-1C_Tile_ID"),
        ("MSI_L2A_DS", "Level-2A_DataStrip_ID"),
    ],
)
def test_root_of_each_type(file_type: str, root: str) -> None:
    assert root_name(file_type) == root


def test_type_without_document_is_told() -> None:
    with pytest.raises(InputError, match="GIP_DATATI"):
        root_name("GIP_DATATI")


def test_document_reads_back(tmp_path: Path) -> None:
    document = MetadataDocument("MSI_L0__GR")
    general = document.section("General_Info")
    general.add("GRANULE_ID", "S2B_X", metadataLevel="Brief").add("SENSING_TIME", TIME).add("CLOUD", 12.5)
    general.child("Datatake_Info", datatakeIdentifier="GS2B_1").add("FLAG", True)
    path = tmp_path / "S2B_OPER_MTD_L0__GR_X.xml"
    path.write_bytes(document.to_bytes())
    read = read_pdi_metadata(metadata_file(tmp_path))
    assert read.root_name == "Level-0_Granule_ID"
    assert (read.item_id, read.datatake_id, read.text("FLAG")) == ("S2B_X", "GS2B_1", "true")
    assert read.time("SENSING_TIME") == TIME
    assert float(read.text("CLOUD")) == 12.5
    with pytest.raises(InputError, match=r"S2B_OPER_MTD.*POSITION is missing"):
        read.text("POSITION")


def test_real_granule_reads() -> None:
    metadata = read_pdi_metadata(metadata_file(sample()))
    ring = metadata.footprint()
    assert metadata.item_id == SAMPLE.name
    assert metadata.text("POSITION") == "2305"
    assert len(ring) == 5
    assert ring[0] == ring[-1] == pytest.approx((36.012719203864, 48.4255437011909))


@pytest.mark.parametrize("text", ["1 2 3 4 5 6 1 2", "1 2 9 3 4 9 5 6 9 1 2 9"])
def test_footprint_with_and_without_heights(text: str, tmp_path: Path) -> None:
    document = MetadataDocument("MSI_L1C_TL")
    document.section("Geometric_Info").child("Footprint").add("EXT_POS_LIST", text)
    path = tmp_path / "x.xml"
    path.write_bytes(document.to_bytes())
    assert read_pdi_metadata(path).footprint() == [(2, 1), (4, 3), (6, 5), (2, 1)]


def test_real_manifest_reads() -> None:
    entries = read_manifest(sample() / "manifest.safe")
    assert len(entries) == 14
    assert {entry.algorithm for entry in entries} == {"MD5"}


RECORD = InventoryMetadata(
    file_id="S2B_ITEM", parent_id="S2B_DS", group_id="GS2B_1", file_version="05.00", system="S2PS", source="L0",
    source_version="1", generation_time=TIME, validity_start=TIME, validity_stop=TIME, orbit=48123,
    footprint=((11.5, 45.25), (11.75, 45.25), (11.5, 45.25)), quality=100.0, data_size=1234, file_type="MSI_L0__GR",
    detector="01", acquisition_station="SGS_", processing_station="S2PS", satellite="S2B", cloud_percentage=3.25,
)  # fmt: skip


@pytest.mark.parametrize("record", [RECORD, replace(RECORD, parent_id="", detector="", footprint=(), ascending=True)])
def test_inventory_record_reads_back(tmp_path: Path, record: InventoryMetadata) -> None:
    path = tmp_path / "Inventory_Metadata.xml"
    path.write_bytes(write_inventory_metadata(record))
    assert read_inventory_metadata(path) == record
    assert (b"Parent_ID" in path.read_bytes()) == bool(record.parent_id)


def test_real_inventory_record_reads() -> None:
    record = read_inventory_metadata(sample() / "Inventory_Metadata.xml")
    assert (record.orbit, record.detector, record.satellite) == (22326, "01", "S2A")
    assert record.validity_start == datetime(2019, 10, 1, 8, 36, 50, tzinfo=UTC)


def test_damaged_record_names_the_file(tmp_path: Path) -> None:
    path = tmp_path / "Inventory_Metadata.xml"
    path.write_bytes(write_inventory_metadata(RECORD).replace(b"048123", b"orbit"))
    with pytest.raises(InputError, match=r"Inventory_Metadata\.xml cannot be read.*orbit"):
        read_inventory_metadata(path)
