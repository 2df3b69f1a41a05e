"""Names go both ways, whatever the satellite unit."""

from datetime import UTC, datetime

import pytest

from s2ps.model.errors import InputError
from s2ps.model.names import DatatakeName, PdiName, SessionFileName, UserProductName

pytestmark = pytest.mark.unit

PDIS = [
    "S2B_OPER_MSI_L0U_DS_REFS_20220614T090618_S20220413T114741_N00.00",
    "S2B_OPER_MSI_L0__GR_REFS_20221124T163650_S20221011T064025_D01_N02.08",
    "S2C_OPER_MSI_L1C_TL_S2PS_20221124T170956_A029232_T40MDV_N04.00",
    "S2D_OPER_MSI_L1C_TC_S2PS_20221124T170956_A029232_T40MDV_N04.00.jp2",
    "S2B_OPER_AUX_S09123_REFS_20220413T120000_V20220413T114741_20220413T115000_A000034_WF_LN.bin",
    "S2B_OPER_GIP_VIEDIR_MPC__20170428T123038_V20170322T000000_21000101T000000_B8A.xml",
    "S2__OPER_AUX_UT1UTC_PDMC_20220413T000000_V20220414T000000_20230413T000000.txt",
]


@pytest.mark.parametrize("text", PDIS)
def test_pdi_names_go_both_ways(text: str) -> None:
    assert str(PdiName.parse(text)) == text


def test_pdi_fields_and_metadata_name() -> None:
    name = PdiName.parse(PDIS[1])
    assert (name.unit, name.level, name.detector, name.baseline) == ("S2B", "L0", 1, "02.08")
    assert name.metadata_name == "S2B_OPER_MTD_L0__GR_REFS_20221124T163650_S20221011T064025_D01.xml"


@pytest.mark.parametrize("text", ["", "S2B", PDIS[0].replace("_S2022", "_X2022"), PDIS[0].replace("0413T", "9913T")])
def test_unreadable_pdi_names_are_refused(text: str) -> None:
    with pytest.raises(InputError, match="PDI name"):
        PdiName.parse(text)


def test_user_product_and_datatake_names() -> None:
    product = "S2A_MSIL1C_20210908T042701_N0301_R133_T46RER_20210908T070248.SAFE"
    parsed = UserProductName.parse(product)
    assert (parsed.baseline, parsed.tile, parsed.relative_orbit) == ("03.01", "46RER", 133)
    assert str(parsed) == product
    datatake = "GS2B_20250801T070619_043890_N05.11"
    assert DatatakeName.parse(datatake).start == datetime(2025, 8, 1, 7, 6, 19, tzinfo=UTC)
    assert str(DatatakeName.parse(datatake)) == datatake


def test_session_files() -> None:
    for text in ("DCS_05_S2B_20220413132241026648_ch1_DSIB.xml", "DCS_05_S2B_20220413132241026648_ch2_DSDB_00017.raw"):
        assert str(SessionFileName.parse(text)) == text
    with pytest.raises(InputError, match="session file"):
        SessionFileName.parse("DCS_05_S2B_ch1.raw")
