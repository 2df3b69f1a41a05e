"""Auxiliary files: names, units, bands, and what is said when some are missing."""

from __future__ import annotations

import json
import os
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from s2ps.inventory.auxiliary import AuxiliaryIndex
from s2ps.inventory.auxiliary_names import BAND_KEYS
from s2ps.inventory.auxiliary_types import auxiliary_types, canonical_name
from s2ps.inventory.rules import Rule
from s2ps.model.errors import CatalogueError, InputError

START = datetime(2026, 7, 1, 10, 15, 59, tzinfo=UTC)
STOP = START + timedelta(seconds=15)
SAMPLES = Path(os.environ.get("S2PS_SAMPLE_DATA", "no-samples")) / "auxiliary" / "s2_aux_types.json"
LONG = "V20150622T000000_21000101T000000"


def put(folder: Path, *names: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).write_text("")


def chosen(folder: Path, auxiliary_type: str, unit: str = "S2B") -> list[str]:
    selection = AuxiliaryIndex.scan(folder).select([auxiliary_type], unit, START, STOP)
    return [path.name for path in selection.paths(auxiliary_type)]


def test_what_is_being_taken_in_is_not_there_yet(tmp_path: Path) -> None:
    name = f"S2__OPER_AUX_UT1UTC_PDMC_20150622T000000_{LONG}.txt"
    put(tmp_path / ".intake-1", name)
    assert AuxiliaryIndex.scan(tmp_path).files == ()
    put(tmp_path / "delivered", name)
    assert [file.path.parent.name for file in AuxiliaryIndex.scan(tmp_path).files] == ["delivered"]


def test_latest_creation_that_covers_is_taken(tmp_path: Path) -> None:
    good = f"S2B_OPER_GIP_DATATI_MPC__20200102T000000_{LONG}_B00.xml"
    put(
        tmp_path,
        f"S2B_OPER_GIP_DATATI_MPC__20200101T000000_{LONG}_B00.xml",
        good,
        "S2B_OPER_GIP_DATATI_MPC__20260101T000000_V20260701T101600_21000101T000000_B00.xml",
        f"S2A_OPER_GIP_DATATI_MPC__20260101T000000_{LONG}_B00.xml",
    )
    assert chosen(tmp_path, "GIP_DATATI") == [good]
    (choice,) = AuxiliaryIndex.scan(tmp_path).select(["GIP_DATATI"], "S2B", START, STOP).choices
    assert (
        choice.reason
        == "LatestValCover (latest creation of those valid during the whole window) of 4 files of the type"
    )


def test_unit_comes_before_all_units_and_falls_back(tmp_path: Path) -> None:
    everywhere = f"S2__OPER_GIP_PRDLOC_MPC__20260101T000000_{LONG}_B00.xml"
    own = f"S2B_OPER_GIP_PRDLOC_MPC__20200101T000000_{LONG}_B00.xml"
    put(tmp_path, everywhere, own)
    assert chosen(tmp_path, "GIP_PRDLOC", "S2B") == [own]
    assert chosen(tmp_path, "GIP_PRDLOC", "S2C") == [everywhere]


def test_types_without_unit_prefer_files_for_all(tmp_path: Path) -> None:
    everywhere = f"S2__OPER_GIP_EARMOD_MPC__20200101T000000_{LONG}_B00.xml"
    put(tmp_path, everywhere, f"S2B_OPER_GIP_EARMOD_MPC__20260101T000000_{LONG}_B00.xml")
    assert chosen(tmp_path, "GIP_EARMOD") == [everywhere]


def viedir(band: str, created: int = 1) -> str:
    return f"S2B_OPER_GIP_VIEDIR_MPC__2020010{created}T000000_{LONG}_B{band}.xml"


def test_band_dependent_type_gives_13_files_in_spectral_order(tmp_path: Path) -> None:
    put(tmp_path, *(viedir(band) for band in BAND_KEYS), viedir("8A", 2))
    names = chosen(tmp_path, "GIP_VIEDIR")
    assert [name[-6:-4] for name in names] == list(BAND_KEYS)
    assert names[8] == viedir("8A", 2)


def test_one_missing_band_is_named_with_its_type(tmp_path: Path) -> None:
    put(tmp_path, *(viedir(band) for band in BAND_KEYS if band != "8A"))
    with pytest.raises(InputError, match=r"GIP_VIEDIR band B8A \(12 files for S2B, valid within 20150622T000000"):
        chosen(tmp_path, "GIP_VIEDIR")


def test_everything_missing_is_named_at_once_with_the_folders(tmp_path: Path) -> None:
    put(tmp_path, f"S2A_OPER_GIP_DATATI_MPC__20200101T000000_{LONG}_B00.xml")
    index = AuxiliaryIndex.scan(tmp_path)
    with pytest.raises(InputError) as raised:
        index.select(["GIP_DATATI", "GIP_VIEDIR", "GIP_L2ACAC", "AUX_UT1UTC"], "S2B", START, STOP)
    message = str(raised.value)
    assert "GIP_DATATI (1 files, none for S2B or all satellites)" in message
    assert "GIP_VIEDIR (no file of the type)" in message
    assert "AUX_UT1UTC (no file of the type)" in message
    assert "GIP_L2ACAC" not in message
    assert str(tmp_path) in message


def test_optional_type_may_be_absent(tmp_path: Path) -> None:
    selection = AuxiliaryIndex.scan(tmp_path).select(["GIP_L2ACAC"], "S2B", START, STOP)
    assert selection.absent == ("GIP_L2ACAC",)
    assert selection.paths("GIP_L2ACAC") == ()
    with pytest.raises(InputError, match="GIP_DATATI"):
        selection.paths("GIP_DATATI")


def test_names_in_all_their_forms_are_read(tmp_path: Path) -> None:
    folder = "S2__OPER_AUX_ECMWFD_ADG__20260701T000000_V20260701T000000_20260702T000000"
    put(
        tmp_path / "S2IPF-IERS",
        "S2__OPER_AUX_UT1UTC_PDMC_20260101T000000_V20260101T000000_99999999T999999.txt",
        "S2__OPER_AUX_UT1UTC_PDMC_20260101T000000_V20260101T000000_99999999T999999.HDR",
        "S2B_OPER_GIP_ATMIMA_MPC__20200101T000000_S20200101T000000.DBL",
        "S2B_OPER_GIP_ATMSAD_nothing.xml",
        "readme.txt",
    )
    put(tmp_path / folder, f"S2__OPER_GIP_EARMOD_MPC__20200101T000000_{LONG}_B00.xml")
    index = AuxiliaryIndex.scan(tmp_path)
    assert sorted(file.type for file in index.files) == ["AUX_ECMWFD", "AUX_UT1UTC", "GIP_ATMIMA"]
    assert [path.name for path in index.ignored] == ["S2B_OPER_GIP_ATMSAD_nothing.xml"]
    assert {file.type: file.stop.year for file in index.files}["GIP_ATMIMA"] == 9999
    assert [name[:18] for name in chosen(tmp_path, "AUX_UT1UTC")] == ["S2__OPER_AUX_UT1UT"]
    assert chosen(tmp_path, "AUX_ECMWFD") == [folder]


def test_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="nowhere"):
        AuxiliaryIndex.scan(tmp_path / "nowhere")


def test_unknown_type_is_a_fault_of_the_catalogue(tmp_path: Path) -> None:
    with pytest.raises(CatalogueError, match="GIP_NONSEN"):
        AuxiliaryIndex.scan(tmp_path).select(["GIP_NONSEN"], "S2B", START, STOP)


def test_table_has_48_types_and_the_known_counts() -> None:
    known = auxiliary_types()
    assert len(known) == 48
    assert sum(described.band_dependent for described in known.values()) == 9
    assert sum(not described.unit_dependent for described in known.values()) == 8
    by_stage = Counter(stage for described in known.values() for stage in described.levels)
    assert by_stage == {"L0U": 4, "L0": 14, "L1": 42, "L2": 6}
    always = {name for name, described in known.items() if "L2" in described.levels and not described.optional}
    assert always == {"GIP_JP2KPA", "GIP_OLQCPA", "GIP_PROBA2"}
    assert canonical_name("GIP_R2EQOB") == "GIP_R2EOB2"


def test_table_agrees_with_the_real_one() -> None:
    if not SAMPLES.exists():
        pytest.skip("S2PS_SAMPLE_DATA names no folder with the sample table of auxiliary types")
    known = auxiliary_types()
    real = {entry["Name"]: entry for entry in json.loads(SAMPLES.read_text())}
    assert set(real) == set(known)
    for name, entry in real.items():
        described = known[name]
        assert described.rule is Rule(entry["Rule"]), name
        assert described.unit_dependent == entry["UnitDependent"], name
        assert described.band_dependent == entry["BandDependent"], name
        assert described.folder == entry.get("TargetFolder", "S2IPF-GIPP"), name
        assert described.extension == entry.get("TargetExtension", ".xml"), name
        assert described.optional == entry.get("Optional", False), name
