"""Sessions, datastrips and products as the inventory keeps them: where they are, what they were made of, and gone."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from shapely import box
from sqlalchemy import func, select

from s2ps.inventory.geometry import footprint_of
from s2ps.inventory.lineage import Kind, lineage, register_production
from s2ps.inventory.observations import (
    datastrip,
    datastrips_meeting,
    datastrips_of,
    files_of,
    products_meeting,
    register_datastrip,
    register_files,
)
from s2ps.inventory.publications import Checksum, Publication, PublicationStore
from s2ps.inventory.records import (
    Claim,
    DatastripRecord,
    DatatakeRecord,
    ProductRecord,
    RunRecord,
    SessionFileRecord,
    SessionRecord,
)
from s2ps.inventory.removal import remove
from s2ps.inventory.schema import METADATA
from s2ps.inventory.store import Inventory
from s2ps.model.errors import InputError

T0 = datetime(2026, 7, 1, 10, 30, tzinfo=UTC)
START = datetime(2026, 7, 1, 10, 15, 59, tzinfo=UTC)
STRIP = DatastripRecord("DS1", "D1", "S1", "S2C", "00.00", START, START + timedelta(seconds=15), 48, T0, "SGS_")
PACIFIC = footprint_of([(178, -17), (-179, -17.5), (-179.5, -20), (177.5, -19.5)])
POLAR = footprint_of([(lon, -83.0) for lon in range(-180, 180, 30)])


def files(session: str = "S1") -> list[SessionFileRecord]:
    names = [(f"DCS_05_{session}_ch{channel}", channel, block) for channel in (2, 1) for block in (None, 2, 1)]
    return [
        SessionFileRecord(session, f"{stem}_{block or 'DSIB'}", Path("/s") / stem, channel, block, 1 << 33, T0)
        for stem, channel, block in names
    ]


def fill(inventory: Inventory, number: int = 1) -> None:
    """Register a session with a datatake, its datastrip and two products, as a run leaves them."""
    session, datatake, strip = f"S{number}", f"D{number}", f"DS{number}"
    inventory.register_session(SessionRecord(session, Path("/s"), T0, "SGS_", 4))
    register_files(inventory, session, files(session))
    record = DatatakeRecord(datatake, "S2C", "INS-NOBS", START, START, 1, 22, T0, session, 48, (strip,), ("L1C",))
    inventory.register_datatake(record)
    register_datastrip(inventory, replace(STRIP, id=strip, datatake=datatake, session_id=session))
    inventory.take(datatake, Claim("datatake", "run"), None)
    for tile in ("32TPQ", "32TQQ"):
        product = ProductRecord(f"P{number}_{tile}", "L1C", "TL", Path("/p") / tile, datatake, "r", T0, 1 << 33, tile)
        inventory.register_product(product)
    given: dict[str, Kind] = {session: "session", "AUX": "auxiliary"}
    given |= {file.name: "file" for file in files(session)}
    more: dict[str, Kind] = {strip: "datastrip", "AUX": "auxiliary", f"GIP{number}": "auxiliary"}
    with inventory.transaction() as connection:
        first = RunRecord(f"{session}/L0U", "session", session, "s", "L0U", "success", T0, T0)
        register_production(connection, first, given, {strip: "datastrip"})
        second = RunRecord(f"{datatake}/L1C", "datatake", datatake, "s", "L1C", "success", T0, T0)
        for tile in ("32TPQ", "32TQQ"):
            register_production(connection, second, more, {f"P{number}_{tile}": "product"})


def test_files_of_a_session_come_back_in_order_and_are_replaced(inventory: Inventory) -> None:
    register_files(inventory, "S1", files())
    found = files_of(inventory, "S1")
    assert [(file.channel, file.block) for file in found] == [(1, None), (1, 1), (1, 2), (2, None), (2, 1), (2, 2)]
    assert found[0].size == 1 << 33
    register_files(inventory, "S1", files()[:2])
    assert len(files_of(inventory, "S1")) == 2


def test_datastrips_are_found_over_the_antimeridian_and_at_the_pole(inventory: Inventory) -> None:
    register_datastrip(inventory, replace(STRIP, footprint=PACIFIC))
    register_datastrip(inventory, replace(STRIP, id="DS2", datatake="D2", footprint=POLAR))
    register_datastrip(inventory, replace(STRIP, id="DS3", datatake="D3"))
    assert datastrip(inventory, "DS1") == replace(STRIP, footprint=PACIFIC)
    assert [strip.id for strip in datastrips_meeting(inventory, box(-180, -19, -179.7, -18))] == ["DS1"]
    assert [strip.id for strip in datastrips_meeting(inventory, box(179, -19, 180, -18))] == ["DS1"]
    assert [strip.id for strip in datastrips_meeting(inventory, box(40, -90, 50, -88))] == ["DS2"]
    assert datastrips_meeting(inventory, box(0, -19, 170, 80)) == ()
    assert [strip.id for strip in datastrips_of(inventory, "D3")] == ["DS3"]
    with pytest.raises(InputError, match="DS9"):
        datastrip(inventory, "DS9")


def test_tiles_are_found_over_the_antimeridian(inventory: Inventory) -> None:
    product = ProductRecord(
        "P", "L1C", "MSI_L1C_TL", Path("/p"), "D", "r", T0, 1, "01KAB", "S2D", "05.00", START, START, T0, True, PACIFIC
    )
    inventory.register_product(product)
    inventory.register_product(replace(product, name="Q", footprint=None))
    assert products_meeting(inventory, box(-179.8, -19, -179.7, -18)) == (product,)
    assert inventory.product("P") == product


def test_lineage_is_followed_both_ways(inventory: Inventory) -> None:
    fill(inventory)
    fill(inventory, 2)
    product = lineage(inventory, "P1_32TPQ")
    assert product.results == ()
    names = {link.name: (link.kind, link.steps) for link in product.origins}
    assert names["DS1"] == ("datastrip", 1)
    assert names["GIP1"] == ("auxiliary", 1)
    assert names["S1"] == ("session", 2)
    assert names["DCS_05_S1_ch2_2"] == ("file", 2)
    assert not {"S2", "GIP2", "P1_32TQQ"} & set(names)
    assert {link.name for link in lineage(inventory, "AUX").results} == {
        "DS1", "DS2", "P1_32TPQ", "P1_32TQQ", "P2_32TPQ", "P2_32TQQ",
    }  # fmt: skip
    assert [link.name for link in lineage(inventory, "DCS_05_S2_ch1_DSIB").results] == ["DS2", "P2_32TPQ", "P2_32TQQ"]
    with pytest.raises(InputError, match="nothing"):
        lineage(inventory, "nothing")


def publish(inventory: Inventory, folder: Path, name: str) -> Publication:
    path = folder / f"{name}.zip"
    path.write_bytes(b"zip")
    return PublicationStore(inventory).publish(
        Publication(
            name=path.name, content_type="application/zip", content_length=3,
            checksums=(Checksum("MD5", "0" * 32, T0),),
            origin_date=T0, published_at=T0, eviction_date=None, content_start=T0, content_end=T0, footprint=None,
            attributes=(), location=path.as_uri(), quicklook=None, stac_item=None, datatake="D1", level="L1C",
        )
    )  # fmt: skip


def test_a_product_goes_with_its_lineage_and_its_publication(inventory: Inventory, tmp_path: Path) -> None:
    fill(inventory)
    published, other = publish(inventory, tmp_path, "P1_32TPQ"), publish(inventory, tmp_path, "P1_32TQQ")
    removed = remove(inventory, "P1_32TPQ")
    assert (removed.products, removed.paths, [each.location for each in removed.published]) == (
        ["P1_32TPQ"], [Path("/p/32TPQ")], [published.location],
    )  # fmt: skip
    assert [product.name for product in inventory.products_of("D1")] == ["P1_32TQQ"]
    assert PublicationStore(inventory).get(published.id) is None
    assert PublicationStore(inventory).get(other.id) == other
    with pytest.raises(InputError, match="P1_32TPQ"):
        lineage(inventory, "P1_32TPQ")
    assert "P1_32TPQ" not in {link.name for link in lineage(inventory, "S1").results}


def test_a_session_goes_with_all_that_came_of_it_and_nothing_else(inventory: Inventory) -> None:
    fill(inventory, 2)
    before = rows(inventory)
    fill(inventory, 1)
    removed = remove(inventory, "S1")
    assert (removed.sessions, removed.datatakes, removed.datastrips) == (["S1"], ["D1"], ["DS1"])
    assert sorted(removed.products) == ["P1_32TPQ", "P1_32TQQ"]
    assert rows(inventory) == before
    with pytest.raises(InputError, match="S1 is not in the inventory"):
        remove(inventory, "S1")


def rows(inventory: Inventory) -> dict[str, int]:
    with inventory.engine.connect() as connection:
        return {
            table.name: connection.execute(select(func.count()).select_from(table)).scalar_one()
            for table in METADATA.sorted_tables
        }
