from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from lxml import etree

from s2ps.formats.eof_header import EofHeader, read_eof, write_eof
from s2ps.model.errors import InputError

DAY = datetime(2026, 6, 1, 12, 30, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    "header",
    [
        EofHeader("S2B", "GIP_VIEDIR", DAY, DAY, band="8A"),
        EofHeader("S2_", "GIP_EARMOD", DAY, datetime(2025, 1, 1, tzinfo=UTC)),
        EofHeader("S2_", "AUX_UT1UTC", DAY, DAY, datetime(2026, 9, 1, tzinfo=UTC), site="PDMC"),
    ],
)
def test_a_name_tells_the_header(header: EofHeader) -> None:
    assert EofHeader.from_name(header.name + ".xml") == header


def test_names_of_the_real_mission_are_understood() -> None:
    found = EofHeader.from_name("S2B_OPER_GIP_DATATI_MPC__20170428T123038_V20170322T000000_21000101T000000_B00.DBL")
    assert (found.unit, found.type, found.site, found.band) == ("S2B", "GIP_DATATI", "MPC_", "00")
    assert found.start == datetime(2017, 3, 22, tzinfo=UTC)
    open_end = EofHeader.from_name("S2__OPER_AUX_UT1UTC_PDMC_20220407T000000_V20220408T000000")
    assert open_end.stop.year == 9999


@pytest.mark.parametrize(
    "name", ["", "S2B_OPER_GIP_DATATI.xml", "X2B_OPER_GIP_DATATI_MPC__20170428T123038_V20170322T000000"]
)
def test_other_names_are_refused(name: str) -> None:
    with pytest.raises(InputError, match="not understood"):
        EofHeader.from_name(name)


def test_round_trip_and_namespaces(tmp_path: Path) -> None:
    header = replace(EofHeader("S2B", "GIP_HRTPAR", DAY, DAY), version=3, description="a test")
    path = tmp_path / "x.xml"
    content = etree.Element("GIP_HRTPAR")
    etree.SubElement(content, "VALUE").text = "7"
    write_eof(path, header, content)
    path.write_text(
        path.read_text().replace("<Earth_Explorer_File>", '<Earth_Explorer_File xmlns="http://example.org">')
    )
    read, block = read_eof(path)
    assert read == header
    assert block.findtext("GIP_HRTPAR/VALUE") == "7"


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nothing\.xml"):
        read_eof(tmp_path / "nothing.xml")
