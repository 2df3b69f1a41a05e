"""Auxiliary files are taken in from all forms in which they come, or refused with the reason."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

from s2ps.formats.grib import eccodes
from s2ps.inventory.auxiliary import AuxiliaryIndex
from s2ps.inventory.auxiliary_files import AuxiliaryFiles
from s2ps.inventory.intake import Intake, Taken
from s2ps.inventory.store import Inventory
from s2ps.inventory.unpacking import MIB, Limits
from s2ps.model.errors import InputError

LONG = "V20150622T000000_21000101T000000"
GIPP = f"S2C_OPER_GIP_DATATI_MPC__20260101T000000_{LONG}_B00"
ECMWF = "S2__OPER_AUX_ECMWFD_ADG__20260701T000000_V20260701T000000_20260702T000000"
CAMS = "S2__OPER_AUX_CAMSFO_ADG__20260701T000000_V20260701T000000_20260702T000000"
IERS = "S2__OPER_AUX_UT1UTC_PDMC_20260625T000000_V20260625T000000_20260814T000000"


def document(name: str, body: str = "<Data_Block/>") -> bytes:
    header = (
        f"<Earth_Explorer_Header><Fixed_Header><File_Name>{name}</File_Name></Fixed_Header></Earth_Explorer_Header>"
    )
    return f"<Earth_Explorer_File>{header}{body}</Earth_Explorer_File>".encode()


def grib(*fields: str) -> bytes:
    data = b""
    for field in fields:
        message = eccodes.codes_grib_new_from_samples("regular_ll_sfc_grib2")
        eccodes.codes_set(message, "shortName", field)
        data += bytes(eccodes.codes_get_message(message))
        eccodes.codes_release(message)
    return data


def tar_of(path: Path, members: dict[str, bytes], mode: str = "w") -> Path:
    with tarfile.open(path, mode) as archive:  # type: ignore[call-overload]
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return path


def tar_bytes(members: dict[str, bytes], folder: Path) -> bytes:
    path = tar_of(folder / "inner.tar", members)
    content = path.read_bytes()
    path.unlink()
    return content


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "auxiliary"


@pytest.fixture
def given(tmp_path: Path) -> Path:
    place = tmp_path / "given"
    place.mkdir()
    return place


@pytest.fixture
def files(inventory: Inventory) -> AuxiliaryFiles:
    return AuxiliaryFiles(inventory)


def names(taken: Taken) -> list[str]:
    assert taken.refused == []
    return [record.name for record in taken.added]


def refusal(taken: Taken) -> str:
    assert (taken.added, taken.present) == ([], [])
    (_, error), = taken.refused  # fmt: skip
    return str(error)


@pytest.mark.parametrize("end", [".xml", ".EOF"])
def test_documents_get_the_extension_of_their_type(end: str, given: Path, folder: Path, files: AuxiliaryFiles) -> None:
    (given / f"{GIPP}{end}").write_bytes(document(GIPP))
    taken = Intake(files, folder).take(given / f"{GIPP}{end}")
    assert names(taken) == [f"{GIPP}.xml"]
    assert (folder / f"{GIPP}.xml").read_bytes() == document(GIPP)
    record = files.get(f"{GIPP}.xml")
    assert (record.unit, record.type, record.band, record.state) == ("S2C", "GIP_DATATI", None, "available")
    assert record.path == folder / f"{GIPP}.xml"
    again = Intake(files, folder).take(given / f"{GIPP}{end}")
    assert ([item.name for item in again.present], again.added) == ([f"{GIPP}.xml"], [])


def test_a_pair_in_a_package_is_taken(given: Path, folder: Path, files: AuxiliaryFiles) -> None:
    band = f"S2D_OPER_GIP_VIEDIR_MPC__20260101T000000_{LONG}_B8A"
    for name in (GIPP, band):
        tar_of(given / f"{name}.TGZ", {f"{name}.DBL": document(name), f"{name}.HDR": document(name)}, "w:gz")
    taken = Intake(files, folder).take(given)
    assert names(taken) == [f"{GIPP}.xml", f"{band}.xml"]
    assert files.get(f"{band}.xml").band == "8A"
    assert files.get(f"{band}.xml").package == f"{band}.TGZ"
    assert sorted(path.name for path in folder.iterdir()) == [f"{GIPP}.xml", f"{band}.xml"]


def test_pieces_of_the_weather_forecast_are_joined(given: Path, folder: Path, files: AuxiliaryFiles) -> None:
    block = tar_bytes({"S2D07010000b": grib("tcwv", "msl"), "S2D07010000a": grib("tco3"), "readme": b"x"}, given)
    tar_of(given / f"{ECMWF}.TGZ", {f"{ECMWF}.HDR": document(ECMWF), f"{ECMWF}.DBL": block}, "w:gz")
    assert names(Intake(files, folder).take(given)) == [ECMWF]
    assert (folder / ECMWF).read_bytes() == grib("tco3") + grib("tcwv", "msl")


def test_aerosols_are_unfolded_as_they_are(given: Path, folder: Path, files: AuxiliaryFiles) -> None:
    block = tar_bytes({"z_cams_aod550.grib": grib("aod550"), "z_cams_duaod550.grib": grib("duaod550")}, given)
    (given / f"{CAMS}.HDR").write_bytes(document(CAMS))
    (given / f"{CAMS}.DBL").write_bytes(block)
    assert names(Intake(files, folder).take(given / f"{CAMS}.DBL")) == [CAMS]
    assert sorted(path.name for path in (folder / CAMS).iterdir()) == ["z_cams_aod550.grib", "z_cams_duaod550.grib"]


def test_other_blocks_are_renamed(given: Path, folder: Path, files: AuxiliaryFiles) -> None:
    quality = f"S2B_OPER_GIP_OLQCPA_MPC__20260101T000000_{LONG}_B00"
    for name, content in (
        (IERS, b"bulletin"),
        (quality, b"PK\x05\x06" + bytes(18)),
        (ECMWF, grib("tco3", "tcwv", "msl")),
    ):
        (given / f"{name}.HDR").write_bytes(document(name))
        (given / f"{name}.DBL").write_bytes(content)
    assert sorted(names(Intake(files, folder).take(given))) == sorted([ECMWF, f"{IERS}.txt", f"{quality}.zip"])


def test_the_same_name_with_another_content_is_refused(given: Path, folder: Path, files: AuxiliaryFiles) -> None:
    path = given / f"{GIPP}.xml"
    path.write_bytes(document(GIPP))
    Intake(files, folder).take(path)
    path.write_bytes(document(GIPP, "<Data_Block>2</Data_Block>"))
    taken = Intake(files, folder).take(path)
    assert "another content" in str(taken.refused[0][1])
    assert (folder / path.name).read_bytes() == document(GIPP)


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        (f"{GIPP}.xml", b"<a>", "not XML"),
        (f"{GIPP}.xml", b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', "document type"),
        (f"{GIPP}.xml", document(GIPP.replace("S2C", "S2A")), "says it is S2A"),
        (f"{GIPP}.DBL", document(GIPP), "without its header"),
        (f"S2B_OPER_GIP_NONSEN_MPC__20260101T000000_{LONG}_B00.xml", b"<a/>", "type GIP_NONSEN is not known"),
        (f"S2B_OPER_GIP_VIEDIR_MPC__20260101T000000_{LONG}_B00.xml", b"<a/>", "names no band"),
        ("S2B_OPER_GIP_DATATI_MPC__20260101T000000.xml", b"<a/>", "name cannot be read"),
        (f"{GIPP}.TGZ", b"no archive", "no tar or zip archive"),
        (ECMWF, b"no meteorology", "does not begin with GRIB"),
        (ECMWF, grib("tco3", "tcwv"), "lacks msl"),
        (ECMWF, grib("tco3", "tcwv", "msl")[:-40], "damaged"),
        (ECMWF, grib("tco3", "tcwv", "msl") + b"GRIB", "damaged"),
        (ECMWF, b"", "does not begin with GRIB"),
        (CAMS, grib("tcwv"), "lacks aod550"),
    ],
)
def test_what_is_not_right_is_refused_and_leaves_nothing(
    name: str, content: bytes, reason: str, given: Path, folder: Path, files: AuxiliaryFiles
) -> None:
    (given / name).write_bytes(content)
    assert reason in refusal(Intake(files, folder).take(given))
    assert list(folder.iterdir()) == []
    assert files.all() == ()


def test_a_bomb_inside_a_block_is_refused(given: Path, folder: Path, files: AuxiliaryFiles) -> None:
    block = tar_bytes({"S2D1": bytes(4 * MIB)}, given)
    tar_of(given / f"{ECMWF}.TGZ", {f"{ECMWF}.HDR": document(ECMWF), f"{ECMWF}.DBL": block}, "w:gz")
    taken = Intake(files, folder, Limits(size=8 * MIB, ratio=100, free=MIB)).take(given)
    assert "is refused" in refusal(taken)
    assert list(folder.iterdir()) == []


def test_one_bad_file_does_not_keep_the_others_out(given: Path, folder: Path, files: AuxiliaryFiles) -> None:
    (given / f"{IERS}.txt").write_text("bulletin")
    (given / CAMS).write_bytes(b"nonsense")
    (given / "readme").write_text("x")
    taken = Intake(files, folder).take(given)
    assert [record.name for record in taken.added] == [f"{IERS}.txt"]
    assert [name for name, _ in taken.refused] == [CAMS]
    with pytest.raises(InputError, match="holds no auxiliary file"):
        Intake(files, folder).take(given / "nowhere")


def test_a_file_that_is_taken_in_during_a_look_into_the_folder_is_not_gone(
    folder: Path, files: AuxiliaryFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.mkdir()
    given = tmp_path / "given" / f"{IERS}.txt"
    given.parent.mkdir()
    given.write_text("bulletin")
    scan = AuxiliaryIndex.scan

    def slow(*folders: Path) -> AuxiliaryIndex:
        index = scan(*folders)
        Intake(files, folder).take(given)
        return index

    monkeypatch.setattr(AuxiliaryIndex, "scan", slow)
    assert files.feed(folder).gone == ()
    assert files.get(f"{IERS}.txt").state == "available"


def test_a_folder_feeds_the_inventory(folder: Path, files: AuxiliaryFiles) -> None:
    folder.mkdir()
    (folder / f"{IERS}.txt").write_text("bulletin")
    (folder / CAMS).write_bytes(grib("aod550"))
    (folder / ECMWF).write_bytes(b"cut")
    first = files.feed(folder)
    assert (sorted(first.added), first.refused) == ([CAMS, ECMWF, f"{IERS}.txt"], (ECMWF,))
    assert "GRIB" in files.get(ECMWF).reason
    assert files.feed(folder) == type(first)()
    files.withdraw(f"{IERS}.txt", "wrong bulletin")
    (folder / CAMS).unlink()
    (folder / ECMWF).write_bytes(grib("tco3", "tcwv", "msl"))
    then = files.feed(folder)
    assert (then.added, then.changed, then.gone) == ((), (ECMWF,), (CAMS,))
    assert {record.name: record.state for record in files.all()} == {
        CAMS: "gone", ECMWF: "available", f"{IERS}.txt": "withdrawn",
    }  # fmt: skip
    (folder / CAMS).write_bytes(grib("aod550"))
    assert files.feed(folder).changed == (CAMS,)
    assert files.get(CAMS).state == "available"
