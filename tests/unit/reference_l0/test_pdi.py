"""Items made by the FORMAT_* processors: named, filled, listed and found again."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from ipf_adapters.reference.context import JobContext
from ipf_adapters.reference.errors import InvalidInput
from ipf_adapters.reference.pdi import add_datastrip_info, add_footprint, new_document, new_pdi, one_pdi, pdis_in
from ipf_adapters.science.ancillary_packets import Ancillary
from ipf_adapters.science.working import DatastripInfo
from s2ps.formats.job_order import JobOrder
from s2ps.formats.manifest import differences, read_manifest
from s2ps.formats.pdi_metadata import metadata_file, read_pdi_metadata
from s2ps.model.names import PdiName

START = datetime(2026, 7, 1, 10, 15, 59, 500000, tzinfo=UTC)
NAME = PdiName(
    unit="S2B", file_type="MSI_L0__GR", site="S2PS", creation=START, sensing_start=START, detector=3, baseline="05.00"
)
INFO = DatastripInfo(
    unit="S2B",
    datatake_id="GS2B_20260701T101559_048123_N05.00",
    datatake_type="INS-NOBS",
    datastrip_id="S2B_OPER_MSI_L0U_DS_S2PS_20260701T120000_S20260701T101559_N00.00",
    start=START,
    stop=START.replace(minute=16),
    absolute_orbit=48123,
    relative_orbit=22,
    line_period_ms=15.65873622,
    lines_per_granule=240,
    granules=4,
    reception_station="SGS_",
)
NORTHWARD = Ancillary(
    np.arange(3.0),
    np.full((3, 3), 4e6),
    np.tile([-1e3, 2e3, 7e3], (3, 1)),
    np.arange(2.0),
    np.tile([0, 0, 0, 1.0], (2, 1)),
)


def test_item_is_complete_and_found(tmp_path: Path) -> None:
    ctx = JobContext.of(JobOrder("L0", "FORMAT_METADATA_GR_L0C", "1", {"PROCESSING_BASELINE": "05.11"}))
    source = tmp_path / "b.isp"
    source.write_bytes(b"packets")
    pdi = new_pdi(tmp_path / "out", NAME)
    pdi.take(source, f"IMG_DATA/{pdi.file_name('_B02.bin')}")
    document = new_document(NAME)
    add_datastrip_info(document.section("General_Info"), INFO, NORTHWARD, ctx)
    add_footprint(document.section("Geometric_Info"), [(11.0, 45.0), (11.5, 45.0), (11.5, 44.5), (11.0, 45.0)])
    pdi.write_metadata(document)
    pdi.finish()

    found, name = one_pdi(tmp_path / "out", "MSI_L0__GR")
    assert str(name) == str(NAME)
    listed = {entry.path for entry in read_manifest(found / "manifest.safe")}
    assert "IMG_DATA/S2B_OPER_MSI_L0__GR_S2PS_20260701T101559_S20260701T101559_D03_B02.bin" in listed
    assert "S2B_OPER_MTD_L0__GR_S2PS_20260701T101559_S20260701T101559_D03.xml" in listed
    assert list(differences(found)) == []
    metadata = read_pdi_metadata(metadata_file(found))
    assert (metadata.datatake_id, metadata.text("DATATAKE_TYPE")) == (INFO.datatake_id, "INS-NOBS")
    assert metadata.time("DATASTRIP_SENSING_START") == START
    assert metadata.text("PROCESSING_BASELINE") == "05.11"
    assert metadata.text("SENSING_ORBIT_DIRECTION") == "ASCENDING"
    southward = replace(NORTHWARD, velocity=-NORTHWARD.velocity)
    assert southward.orbit_direction == "DESCENDING"
    assert metadata.footprint()[1] == (11.5, 45.0)


def test_items_behind_links_and_other_types(tmp_path: Path) -> None:
    for detector in (2, 1):
        pdi = new_pdi(tmp_path / f"job{detector}", PdiName(**{**_fields(NAME), "detector": detector}))
        pdi.write_metadata(new_document(NAME))
        (tmp_path / "fused").mkdir(exist_ok=True)
        (tmp_path / "fused" / pdi.path.name).symlink_to(pdi.path)
    assert [name.detector for _, name in pdis_in(tmp_path / "fused")] == [1, 2]
    assert pdis_in(tmp_path / "fused", "MSI_L0__DS") == []
    with pytest.raises(InvalidInput, match="found 2"):
        one_pdi(tmp_path / "fused", "MSI_L0__GR")


def _fields(name: PdiName) -> dict[str, object]:
    return {field: getattr(name, field) for field in PdiName.__dataclass_fields__}
