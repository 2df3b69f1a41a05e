"""Manifests of items: what they list and describe, and what they find changed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from lxml import etree

from s2ps.formats.manifest import differences, read_manifest, write_manifest
from s2ps.formats.manifest_ids import file_id
from s2ps.model.errors import InputError

pytestmark = pytest.mark.unit
NAME = "S2B_OPER_MSI_L0__GR_S2PS_20260701T120000_S20260701T101559_D01_N05.00"
METADATA = "S2B_OPER_MTD_L0__GR_S2PS_20260701T120000_S20260701T101559_D01.xml"
WORDS = "SCALE=10 RELATIVE_ORBIT=022 DATATAKE=GS2B_20260701T101559_048123_N05.00"
BANDS = ("B01", "B02", "B8A", "B12")
SAMPLE = "S2A_OPER_MSI_L0__GR_SGS__20191001T101733_S20191001T083650_D01_N02.08"


def item(tmp_path: Path, *, described: bool = True) -> Path:
    """Write a granule item with four bands."""
    folder = tmp_path / NAME
    (folder / "IMG_DATA").mkdir(parents=True)
    for band in BANDS:
        (folder / "IMG_DATA" / f"{METADATA[:-4].replace('MTD', 'MSI')}_{band}.bin").write_bytes(b"packets")
    if described:
        (folder / METADATA).write_text(
            f"<a><SENSING_TIME>2026-07-01T10:15:59Z</SENSING_TIME><EXT_POS_LIST>45 10 0 45 11 0 44 11 0 45 10 0"
            f"</EXT_POS_LIST><PROCESSING_SPECIFIC_PARAMETERS>{WORDS}</PROCESSING_SPECIFIC_PARAMETERS></a>"
        )
    write_manifest(folder, "MSI_L0__GR")
    return folder


def units(root: etree._Element) -> dict[str, str]:
    """Return the identifier of every content unit with that of its parent."""
    return {
        unit.get("ID", ""): unit.getparent().get("ID", "") for unit in root.iter("{*}contentUnit") if unit.get("ID")
    }


def texts(root: etree._Element, tag: str) -> list[str]:
    return [node.text or "" for node in root.iter(f"{{*}}{tag}")]


def test_every_file_is_listed_with_size_and_checksum(tmp_path: Path) -> None:
    folder = item(tmp_path)
    entries = read_manifest(folder / "manifest.safe")
    assert {entry.path for entry in entries} == {
        path.relative_to(folder).as_posix() for path in folder.rglob("*.*") if path.name != "manifest.safe"
    }
    assert [(entry.size, entry.checksum) for entry in entries if entry.path.endswith("B02.bin")] == [
        (7, "c9c17db3d29de9a4d3525da0f2bdfe20")
    ]
    assert list(differences(folder)) == []


@pytest.mark.parametrize(
    ("content", "told"),
    [(None, "absent"), (b"packet", "has 6 bytes, the manifest says 7"), (b"Packets", "MD5 checksum")],
)
def test_what_changed_is_found(tmp_path: Path, content: bytes | None, told: str) -> None:
    folder = item(tmp_path)
    file = next(folder.rglob("*_B02.bin"))
    file.unlink() if content is None else file.write_bytes(content)
    found = list(differences(folder))
    assert len(found) == 1
    assert told in found[0]
    assert file.name in found[0]


def test_a_manifest_may_not_point_outside(tmp_path: Path) -> None:
    folder = item(tmp_path)
    manifest = folder / "manifest.safe"
    manifest.write_bytes(manifest.read_bytes().replace(f"./{METADATA}".encode(), f"../{METADATA}".encode()))
    assert "outside" in next(found for found in differences(folder) if METADATA in found)


def test_units_are_nested_and_named_by_what_files_are(tmp_path: Path) -> None:
    root = etree.parse(item(tmp_path) / "manifest.safe").getroot()
    assert units(root) == {
        "S2_Level-0_Granule_Metadata_Unit": "",
        "IMG_DATA": "",
        "IMG_DATA_Band_60m_1_Unit": "IMG_DATA",
        "IMG_DATA_Band_10m_1_Unit": "IMG_DATA",
        "IMG_DATA_Band_20m_4_Unit": "IMG_DATA",
        "IMG_DATA_Band_20m_6_Unit": "IMG_DATA",
        "QI_DATA": "",
        "ANC_DATA": "",
        "AUX_DATA": "",
    }
    named = {node.get("dataObjectID") for node in root.iter("{*}dataObjectPointer")}
    assert named == {node.get("ID") for node in root.iter("{*}dataObject")}


def test_metadata_tell_period_orbit_platform_and_footprint(tmp_path: Path) -> None:
    root = etree.parse(item(tmp_path) / "manifest.safe").getroot()
    assert texts(root, "startTime") == ["2026-07-01T10:15:59.000000Z"]
    assert (texts(root, "orbitNumber"), texts(root, "relativeOrbitNumber")) == (["048123"], ["022"])
    assert texts(root, "number") == ["2B"]
    assert texts(root, "coordinates")[0].split()[:4] == ["45.000000000", "10.000000000", "45.000000000", "11.000000000"]
    assert [node.get("start") for node in root.iter("{*}processing")] == ["2026-07-01T12:00:00.000000Z"]


def test_the_same_item_gives_the_same_manifest_in_another_folder(tmp_path: Path) -> None:
    first = item(tmp_path)
    other = first.rename(tmp_path / ".partial-x")
    before = (other / "manifest.safe").read_bytes()
    write_manifest(other, "MSI_L0__GR", NAME)
    assert (other / "manifest.safe").read_bytes() == before
    with pytest.raises(InputError, match=r"partial-x"):
        write_manifest(other, "MSI_L0__GR")


def test_an_item_without_metadata_leaves_out_what_only_they_tell(tmp_path: Path) -> None:
    root = etree.parse(item(tmp_path, described=False) / "manifest.safe").getroot()
    assert texts(root, "startTime") == texts(root, "orbitNumber") == texts(root, "coordinates") == []
    assert texts(root, "number") == ["2B"]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("IMG_DATA/T32TPQ_20260701T101559_B8A.jp2", "IMG_DATA_Band_20m_4"),
        ("IMG_DATA/R20m/T32TPQ_20260701T101559_B02_20m.jp2", "IMG_DATA_20m_B02"),
        ("IMG_DATA/R10m/T32TPQ_20260701T101559_AOT_10m.jp2", "AOT_DATA_10m"),
        ("T32TPQ_20260701T101559_TCI.jp2", "IMG_DATA_Band_TCI"),
        ("QI_DATA/MSK_DETFOO_B04.jp2", "DetectorFootprintMask_Band_10m_3"),
        ("QI_DATA/MSK_CLASSI_B00.jp2", "ClassificationMask"),
        ("QI_DATA/MSK_CLDPRB_60m.jp2", "CloudConfidenceMask_60m"),
        (f"QI_DATA/{NAME}_RADIOMETRIC_QUALITY_report.xml", "Radiometric_OLQC_Report"),
        ("QI_DATA/T32TPQ_20260701T101559_PVI.jp2", "Preview"),
        ("AUX_DATA/AUX_CAMSFO", "CAMS"),
        ("HTML/UserProduct_index.html", "HTML_Presentation"),
        (f"QI_DATA/{NAME}_B04_quicklook.json", "QI_DATA_MSI_L0__GR_B04_quicklook_json"),
        ("QI_DATA/GlobalFootprint.gml", "QI_DATA_GlobalFootprint_gml"),
        ("7.x", "File_7_x"),
    ],
)
def test_identifiers_say_what_a_file_is(path: str, expected: str) -> None:
    assert file_id(path) == expected


def test_structure_is_that_of_a_real_granule(tmp_path: Path) -> None:
    samples = os.environ.get("S2PS_SAMPLE_DATA")
    if not samples:
        pytest.skip("set S2PS_SAMPLE_DATA to a folder of real Sentinel-2 documents to compare with them")
    real = etree.parse(Path(samples) / "pdi" / SAMPLE / "manifest.safe").getroot()
    made = etree.parse(item(tmp_path) / "manifest.safe").getroot()
    assert [node.tag for node in made] == [node.tag for node in real if isinstance(node.tag, str)]
    assert set(units(made)) <= set(units(real))
    assert all(units(real)[name] == parent for name, parent in units(made).items())
    objects = {node.get("ID") for node in real.iter("metadataObject") if node.get("category") != "REP"}
    assert {node.get("ID") for node in made.iter("metadataObject")} == objects
    assert {node.get("ID") for node in made.iter("dataObject")} <= {node.get("ID") for node in real.iter("dataObject")}
