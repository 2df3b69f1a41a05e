"""Publication: quality gate, content, one rename, and what happens the second time."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from lxml import etree
from unit.publication.items import (
    ASPECTS,
    DATASTRIP,
    GRANULE,
    PRODUCT,
    TILE,
    datastrip_item,
    inventory,
    reports,
    tile_item,
)

from s2ps.formats.manifest import differences, read_manifest
from s2ps.formats.pdi_metadata import read_pdi_metadata
from s2ps.model.errors import InputError, PublicationError
from s2ps.model.mission import Level
from s2ps.model.names import PdiName
from s2ps.publication.items import publish_pdi
from s2ps.publication.placing import place
from s2ps.publication.provenance import ProcessorUsed, Provenance
from s2ps.publication.quality_gate import required_aspects
from s2ps.publication.user_product import publish_user_product

USED = ProcessorUsed(name="TILE_INIT", version="06.01.03")
PROVENANCE = Provenance(plan_hash="abc", processors=(USED,), inputs=("DS",))


def publish_tile(folder: Path, tile: Path, datastrip: Path, provenance: Provenance = PROVENANCE) -> Path:
    """Publish the user product of two items with reports and records in `folder`."""
    return publish_user_product(
        Level.L1C, tile, datastrip, [folder / "olqc"], [folder / "inventory"], provenance, folder / "products"
    )


@pytest.fixture
def parts(tmp_path: Path) -> tuple[Path, Path]:
    """A tile and a datastrip item with good reports and inventory records."""
    tile, datastrip = tile_item(tmp_path / "work"), datastrip_item(tmp_path / "work")
    reports(tmp_path / "olqc", tile, datastrip)
    inventory(tmp_path / "inventory", tile, datastrip)
    return tile, datastrip


def test_user_product_has_the_compact_layout(tmp_path: Path, parts: tuple[Path, Path]) -> None:
    product = publish_tile(tmp_path, *parts)
    assert product == tmp_path / "products" / PRODUCT
    assert list(differences(product)) == []
    files = {path.relative_to(product).as_posix() for path in product.rglob("*") if path.is_file()}
    granule = "GRANULE/L1C_T32TPQ_A048123_20260701T101559"
    datastrip = "DATASTRIP/DS_S2PS_20260701T120000_S20260701T101559"
    assert {
        "MTD_MSIL1C.xml", "manifest.safe", "INSPIRE.xml", "HTML/UserProduct_index.html", "provenance.json",
        f"{granule}/MTD_TL.xml", f"{granule}/IMG_DATA/T32TPQ_20260701T101559_B02.jp2", f"{datastrip}/MTD_DS.xml",
        f"{granule}/Inventory_Metadata.xml", f"{datastrip}/Inventory_Metadata.xml",
        f"{granule}/QI_DATA/{TILE}_FORMAT_CORRECTNESS_report.xml",
        f"{datastrip}/QI_DATA/{DATASTRIP}_RADIOMETRIC_QUALITY_report.xml",
    } <= files  # fmt: skip
    listed = {entry.path for entry in read_manifest(product / "manifest.safe")}
    assert listed >= files - {"manifest.safe", "provenance.json"} - {f for f in files if "Inventory" in f}
    assert Provenance.load(product) == PROVENANCE


def test_product_metadata_tell_what_the_items_tell(tmp_path: Path, parts: tuple[Path, Path]) -> None:
    metadata = read_pdi_metadata(publish_tile(tmp_path, *parts) / "MTD_MSIL1C.xml")
    assert metadata.root_name == "Level-1C_User_Product"
    assert metadata.text("PRODUCT_URI") == PRODUCT
    assert metadata.text("PRODUCT_FORMAT") == "SAFE_COMPACT"
    assert metadata.all("IMAGE_FILE") == [
        "GRANULE/L1C_T32TPQ_A048123_20260701T101559/IMG_DATA/T32TPQ_20260701T101559_B02"
    ]
    assert metadata.text("U") == "0.97"
    assert metadata.text("Cloud_Coverage_Assessment") == "4.5"
    assert metadata.footprint()[1] == (11.0, 45.0)
    assert metadata.attributes("quality_check", "checkType") == sorted(ASPECTS)
    assert set(metadata.all("quality_check")) == {"PASSED"}


def test_manifest_nests_its_units_and_tells_orbit_and_footprint(tmp_path: Path, parts: tuple[Path, Path]) -> None:
    root = etree.parse(publish_tile(tmp_path, *parts) / "manifest.safe").getroot()
    above = {unit.get("ID"): unit.getparent().get("ID") for unit in root.iter("{*}contentUnit")}
    assert above["S2_Level-1C_Product_Metadata_Unit"] is above["INSPIRE_Metadata_Unit"] is None
    for kind, content in (
        ("Tile", "IMG_DATA_Band_10m_1_Tile1_Unit"),
        ("Datastrip", "Format_OLQC_Report_Datastrip1_Unit"),
    ):
        container = above[content]
        assert container in (f"IMG_DATA_{kind}1", f"QI_DATA_{kind}1")
        assert above[container] == above[f"S2_Level-1C_{kind}1_Metadata_Unit"] == f"{kind}1"
        assert above[f"{kind}1"] == f"{kind}s"
    objects = [node.get("ID") for node in root.iter("dataObject")]
    assert len(objects) == len(set(objects))
    assert {node.get("dataObjectID") for node in root.iter("dataObjectPointer")} == set(objects)
    assert root.findtext(".//{*}orbitNumber") == "048123"
    assert root.findtext(".//{*}relativeOrbitNumber") == "022"
    assert root.find(".//{*}orbitNumber").get("groundTrackDirection") == "descending"
    assert (root.findtext(".//{*}footPrint/{*}coordinates") or "").startswith("45.000000000 10.000000000 45.0")
    assert b"partial" not in etree.tostring(root)


def test_publishing_again_is_recognised_even_from_another_plan(tmp_path: Path, parts: tuple[Path, Path]) -> None:
    first = publish_tile(tmp_path, *parts)
    before = first.stat().st_ino
    second = publish_tile(tmp_path, *parts, provenance=Provenance(plan_hash="other"))
    assert second == first
    assert first.stat().st_ino == before
    assert Provenance.load(first).plan_hash == "abc"
    assert [path.name for path in (tmp_path / "products").iterdir()] == [PRODUCT]


def test_a_product_whose_manifest_words_the_same_files_otherwise_is_recognised(
    tmp_path: Path, parts: tuple[Path, Path]
) -> None:
    manifest = publish_tile(tmp_path, *parts) / "manifest.safe"
    older = manifest.read_text().replace("Datastrips Container", "Datastrips")
    manifest.write_text(older)
    assert publish_tile(tmp_path, *parts) == manifest.parent
    assert manifest.read_text() == older
    manifest.write_text(older.replace("./INSPIRE.xml", "./INSPIRE.XML"))
    (manifest.parent / "INSPIRE.xml").rename(manifest.parent / "INSPIRE.XML")
    with pytest.raises(PublicationError, match=r"another content \(manifest.safe differs\)"):
        publish_tile(tmp_path, *parts)


def test_other_content_under_the_same_name_is_refused(tmp_path: Path, parts: tuple[Path, Path]) -> None:
    product = publish_tile(tmp_path, *parts)
    other = tile_item(tmp_path / "other", b"another image")
    with pytest.raises(PublicationError, match="another content"):
        publish_tile(tmp_path, other, parts[1])
    image = next(product.rglob("*.jp2"))
    assert image.read_bytes() == b"image"
    assert [path.name for path in (tmp_path / "products").iterdir()] == [PRODUCT]


def test_a_damaged_product_is_not_taken_for_published(tmp_path: Path, parts: tuple[Path, Path]) -> None:
    product = publish_tile(tmp_path, *parts)
    image = next(product.rglob("*.jp2"))
    image.unlink()
    image.write_bytes(b"imago")
    with pytest.raises(PublicationError, match=r"damaged.*B02"):
        publish_tile(tmp_path, *parts)


def test_a_failed_report_blocks_and_is_named(tmp_path: Path) -> None:
    tile, datastrip = tile_item(tmp_path / "work"), datastrip_item(tmp_path / "work")
    reports(tmp_path / "olqc", datastrip)
    reports(tmp_path / "olqc", tile, failed="SENSOR_QUALITY")
    with pytest.raises(PublicationError, match=r"SENSOR_QUALITY \(lost_packets\)"):
        publish_tile(tmp_path, tile, datastrip)
    assert not (tmp_path / "products").exists()


def test_a_missing_report_blocks(tmp_path: Path) -> None:
    datastrip = datastrip_item(tmp_path / "work")
    reports(tmp_path / "olqc", datastrip, without="RADIOMETRIC_QUALITY")
    with pytest.raises(PublicationError, match="no quality report of RADIOMETRIC_QUALITY"):
        publish_pdi(datastrip, tmp_path / "olqc", None, PROVENANCE, tmp_path / "products")
    with pytest.raises(PublicationError, match="FORMAT_CORRECTNESS"):
        publish_pdi(datastrip, None, None, PROVENANCE, tmp_path / "products")


def test_a_report_that_is_no_xml_is_named(tmp_path: Path) -> None:
    datastrip = datastrip_item(tmp_path / "work")
    reports(tmp_path / "olqc", datastrip)
    report = next((tmp_path / "olqc").rglob("*SENSOR*"))
    report.write_text("<cut")
    with pytest.raises(InputError, match="SENSOR_QUALITY"):
        publish_pdi(datastrip, tmp_path / "olqc", None, PROVENANCE, tmp_path / "products")


@pytest.mark.parametrize("direct", [True, False])
def test_item_is_published_with_its_parts(tmp_path: Path, parts: tuple[Path, Path], direct: bool) -> None:
    tile = parts[0]
    olqc, records = tmp_path / "olqc", tmp_path / "inventory"
    if direct:
        olqc, records = olqc / TILE, records / TILE
    product = publish_pdi(tile, olqc, records, PROVENANCE, tmp_path / "products")
    assert product.name == TILE
    assert (product / "Inventory_Metadata.xml").is_file()
    assert len(list((product / "QI_DATA").glob("*_report.xml"))) == 5
    assert list(differences(product)) == []
    assert {"QI_DATA/" + path.name for path in (product / "QI_DATA").iterdir()} <= {
        entry.path for entry in read_manifest(product / "manifest.safe")
    }
    assert publish_pdi(tile, olqc, records, PROVENANCE, tmp_path / "products") == product
    assert (product / "IMG_DATA" / "T32TPQ_20260701T101559_B02.jp2").stat().st_nlink > 1
    assert not (tile / "Inventory_Metadata.xml").exists()


def test_items_that_do_not_belong_together_are_refused(tmp_path: Path, parts: tuple[Path, Path]) -> None:
    tile, datastrip = parts
    stranger = datastrip.with_name(DATASTRIP.replace("T101559", "T111559"))
    datastrip.rename(stranger)
    reports(tmp_path / "olqc", stranger)
    with pytest.raises(PublicationError, match="belongs to datastrip"):
        publish_tile(tmp_path, tile, stranger)
    with pytest.raises(PublicationError, match="MSI_L1C_TL"):
        publish_tile(tmp_path, stranger, tile)
    with pytest.raises(PublicationError, match="no user products"):
        publish_user_product(Level.L1B, tile, stranger, [], [], PROVENANCE, tmp_path)


def test_nothing_stays_behind_when_building_fails(tmp_path: Path) -> None:
    def build(folder: Path) -> None:
        (folder / "half").write_text("half")
        raise InputError("the item cannot be read")

    with pytest.raises(InputError):
        place("product", tmp_path / "products", build)
    assert list((tmp_path / "products").iterdir()) == []
    with pytest.raises(PublicationError, match=r"manifest\.safe"):
        place("product", tmp_path / "products", lambda folder: None)


def test_the_product_is_invisible_until_it_is_whole(tmp_path: Path) -> None:
    def build(folder: Path) -> None:
        assert folder.name.startswith(".partial-")
        assert not (tmp_path / "product").exists()
        (folder / "manifest.safe").write_text("<XFDU/>")

    assert place("product", tmp_path, build) == tmp_path / "product"


def test_aspects_depend_on_level_and_kind() -> None:
    assert len(required_aspects(PdiName.parse(GRANULE))) == 3
    assert len(required_aspects(PdiName.parse(GRANULE.replace("L0__GR", "L0__DS")))) == 4
    assert len(required_aspects(PdiName.parse(TILE))) == 4
    assert len(required_aspects(PdiName.parse(DATASTRIP))) == 5
    assert required_aspects(PdiName.parse(TILE.replace("_TL_", "_TC_"))) == ()


def test_provenance_is_plain_json(tmp_path: Path) -> None:
    PROVENANCE.write(tmp_path)
    assert json.loads((tmp_path / "provenance.json").read_text())["processors"] == [
        {"name": "TILE_INIT", "version": "06.01.03"}
    ]
    (tmp_path / "provenance.json").write_text("{}")
    with pytest.raises(InputError, match="plan_hash"):
        Provenance.load(tmp_path)
