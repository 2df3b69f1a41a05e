"""What products are said to be: attributes, times and footprints from their own metadata, nothing guessed."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from shapely import Polygon
from unit.publication.small_products import (
    DATATAKE,
    L0_DS,
    L1C_DS,
    ORIGIN,
    RING,
    START,
    STOP,
    level_0,
    record,
    tile_items,
    user_product,
)

from s2ps.model.errors import InputError, PublicationError
from s2ps.publication.attributes import attributes_of
from s2ps.publication.product_facts import read_facts

pytestmark = pytest.mark.unit

COMMON = {
    "beginningDateTime", "endingDateTime", "productType", "processorVersion", "processingCenter", "processingDate",
    "platformShortName", "platformSerialIdentifier", "instrumentShortName", "operationalMode", "orbitNumber",
    "relativeOrbitNumber", "productGroupId", "qualityStatus", "qualityInfo", "coordinates",
}  # fmt: skip


def attributes(path: Path) -> dict[str, Any]:
    """Return the attributes of a product by name."""
    return {each.name: each.value for each in attributes_of(read_facts(path, ORIGIN))}


def test_every_kind_has_its_attributes(tmp_path: Path) -> None:
    datastrip, granule = level_0(tmp_path)
    tile, colour = tile_items(tmp_path)
    clouds = {"cloudCover", "datastripId"}
    assert set(attributes(datastrip)) == COMMON
    assert set(attributes(granule)) == COMMON | clouds
    assert set(attributes(tile)) == COMMON | clouds | {"tileId", "illuminationZenithAngle"}
    assert set(attributes(colour)) == COMMON | {"tileId"}
    assert set(attributes(user_product(tmp_path))) == COMMON | clouds | {"tileId", "illuminationZenithAngle"}


def test_values_are_those_of_the_metadata(tmp_path: Path) -> None:
    assert attributes(user_product(tmp_path)) == {
        "beginningDateTime": START, "endingDateTime": START, "productType": "S2MSI1C", "processorVersion": "06.01.04",
        "processingCenter": "S2PS", "processingDate": datetime(2026, 7, 1, 12, tzinfo=UTC),
        "platformShortName": "SENTINEL-2", "platformSerialIdentifier": "B", "instrumentShortName": "MSI",
        "operationalMode": "INS-NOBS", "orbitNumber": 48123, "relativeOrbitNumber": 22, "productGroupId": DATATAKE,
        "qualityStatus": "NOMINAL", "qualityInfo": 100.0, "tileId": "32TPQ", "cloudCover": 4.5,
        "datastripId": L1C_DS, "illuminationZenithAngle": 25.5,
        "coordinates": " ".join(f"{latitude:.6f},{longitude:.6f}" for longitude, latitude in RING),
    }  # fmt: skip
    datastrip, granule = level_0(tmp_path)
    assert attributes(datastrip)["endingDateTime"] == STOP
    assert attributes(granule)["cloudCover"] == 12.5
    assert attributes(granule)["datastripId"] == L0_DS
    assert type(attributes(granule)["orbitNumber"]) is int
    assert type(attributes(granule)["cloudCover"]) is float


def test_degraded_auxiliary_data_make_a_degraded_product(tmp_path: Path) -> None:
    facts = read_facts(user_product(tmp_path), replace(ORIGIN, degraded=True))
    assert {"qualityStatus": "DEGRADED"}.items() <= {each.name: each.value for each in attributes_of(facts)}.items()


def test_footprint_is_valid_also_over_the_antimeridian(tmp_path: Path) -> None:
    plain = read_facts(user_product(tmp_path), ORIGIN).footprint
    assert plain is not None
    assert plain.bounds == pytest.approx((10.0, 45.0, 10.2, 45.1))
    over = ((179.9, 1.0), (-179.9, 1.0), (-179.9, 0.0), (179.9, 0.0), (179.9, 1.0))
    folder = tmp_path / "PDI" / "L1C" / L1C_DS
    record(L1C_DS, folder, over)
    (folder / "MTD_DS.xml").write_text(f"<a><DATASTRIP_ID>{L1C_DS}</DATASTRIP_ID></a>")
    found = read_facts(folder, ORIGIN).footprint
    assert found is not None
    assert found.is_valid
    assert found.geom_type == "MultiPolygon"
    assert found.area == pytest.approx(0.2)


def test_datastrip_without_an_outline_has_that_of_its_datatake(tmp_path: Path) -> None:
    folder = tmp_path / "PDI" / "L1C" / L1C_DS
    record(L1C_DS, folder, ())
    (folder / "MTD_DS.xml").write_text(f"<a><DATASTRIP_ID>{L1C_DS}</DATASTRIP_ID></a>")
    assert read_facts(folder, ORIGIN).footprint is None
    area = Polygon(RING)
    assert read_facts(folder, replace(ORIGIN, footprint=area)).footprint == area


@pytest.mark.parametrize(
    ("told", "seconds"),
    [("SCALE=10 LINES_PER_GRANULE=240 LINE_PERIOD_MS=15.65873622", 3.758097), ("LINES_PER_GRANULE=x", 0), ("", 0)],
)
def test_a_granule_ends_with_its_last_line(tmp_path: Path, told: str, seconds: float) -> None:
    _, granule = level_0(tmp_path)
    (document,) = granule.glob("*_MTD_*.xml")
    text = document.read_text().replace(
        "</a>", f"<PROCESSING_SPECIFIC_PARAMETERS>{told}</PROCESSING_SPECIFIC_PARAMETERS></a>"
    )
    document.write_text(text)
    facts = read_facts(granule, ORIGIN)
    assert (facts.stop - facts.start).total_seconds() == pytest.approx(seconds, abs=1e-6)
    found = {each.name: each.value for each in attributes_of(facts)}
    assert (found["beginningDateTime"], found["endingDateTime"]) == (facts.start, facts.stop)


def test_telemetry_and_ancillary_data_tell_their_period(tmp_path: Path) -> None:
    hktm = read_facts(tmp_path / "S2B_OPER_PRD_HKTM___20260701T101559_20260701T101614_0001", ORIGIN)
    name = "S2B_OPER_AUX_SADATA_S2PS_20260701T110000_V20260701T101559_20260701T101614_A048123_WF_LN"
    sad = read_facts(tmp_path / name, ORIGIN)
    for facts in (hktm, sad):
        found = {each.name: each.value for each in attributes_of(facts)}
        assert (found["beginningDateTime"], found["endingDateTime"]) == (START, STOP)
        assert found["orbitNumber"] == 48123
        assert facts.footprint is None
    assert {each.name for each in attributes_of(hktm)} >= {"lastOrbitNumber"}
    assert {each.name for each in attributes_of(sad)} >= {"processingDate", "processingCenter"}


def test_what_is_no_product_is_refused(tmp_path: Path) -> None:
    product = user_product(tmp_path)
    (product / "GRANULE" / "second").mkdir()
    with pytest.raises(PublicationError, match="has 2 tiles"):
        read_facts(product, ORIGIN)
    _, granule = level_0(tmp_path)
    (granule / "Inventory_Metadata.xml").unlink()
    with pytest.raises(InputError, match=r"Inventory_Metadata\.xml cannot be read"):
        read_facts(granule, ORIGIN)
    with pytest.raises(PublicationError, match="no kind that is published"):
        read_facts(tmp_path / "S2B_OPER_GIP_VIEDIR_MPC__20260601T120000_V20260101T000000_21000101T000000_B01", ORIGIN)
