"""What is read from the items of L0u, and what later runs of the datatake are told."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from s2ps.inventory.records import DatatakeRecord, SessionRecord
from s2ps.processors.phases import PhaseGroup
from s2ps.production import Production, RunKey
from s2ps.production.datatakes import find_datatakes
from s2ps.settings import Settings

pytestmark = pytest.mark.unit
DATASTRIP = "S2B_OPER_MSI_L0U_DS_S2PS_20260701T120000_S20260701T101559_N05.00"
GRANULE = "S2B_OPER_MSI_L0U_GR_S2PS_20260701T120000_S20260701T101559_D01_N05.00"
DATATAKE = "GS2B_20260701T101559_048123_N05.00"
T0 = datetime(2026, 7, 1, 10, 30, tzinfo=UTC)
STATION = "<RECEPTION_STATION>SGS_</RECEPTION_STATION>"


def found_in(folder: Path, station: str) -> DatatakeRecord:
    """Write what L0u writes of one datatake, and read it."""
    item = folder / "DT01" / "DS" / DATASTRIP
    item.mkdir(parents=True)
    (folder / "DT01" / "GR" / "DB1" / GRANULE).mkdir(parents=True)
    (item / "S2B_OPER_MTD_L0U_DS.xml").write_text(
        f"""<a><Datatake_Info datatakeIdentifier="{DATATAKE}"><DATATAKE_TYPE>INS-NOBS</DATATAKE_TYPE>
        <SENSING_ORBIT_NUMBER>22</SENSING_ORBIT_NUMBER></Datatake_Info>{station}
        <DATASTRIP_SENSING_START>2026-07-01T10:15:59Z</DATASTRIP_SENSING_START>
        <DATASTRIP_SENSING_STOP>2026-07-01T10:16:14Z</DATASTRIP_SENSING_STOP></a>"""
    )
    (found,) = find_datatakes(folder, "S", T0)
    return found


@pytest.mark.parametrize(("text", "named", "told"), [(STATION, "SGS_", "SGS_"), ("", "", "05")])
def test_jobs_of_a_datatake_are_told_the_station_of_its_datastrip(
    tmp_path: Path, text: str, named: str, told: str
) -> None:
    record = found_in(tmp_path / "l0u", text)
    assert (record.id, record.granules, record.station) == (DATATAKE, 1, named)
    production = Production(Settings.load(tmp_path))
    production.inventory.register_session(SessionRecord("S", tmp_path, T0, "05", 12, "S2B"))
    production.inventory.register_datatake(record)
    subject, _, _ = production._known(RunKey("datatake", DATATAKE, "single_machine"), PhaseGroup.DATASTRIP)
    assert subject.station == told
