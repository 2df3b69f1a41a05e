"""The catalogue against task tables: real ones where they are present, and one written for the test."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from s2ps.formats.task_table import read_task_table
from s2ps.processors.comparison import compare_with_catalogue, undeclared
from s2ps.processors.loader import load_baseline

NAMES = [
    "L0", "OLQC_L0DS", "OLQC_L0GR", "L1A", "L1AFormatGR", "L1AFormatDS", "L1B", "L1BNoGRI", "L1BFormatGR",
    "OLQC_L1BDS", "L1CTile", "OLQC_L1CDS", "OLQC_L1CTL",
]  # fmt: skip

QUALITY_TABLE = """<Ipf_Task_Table>
 <Processor_Name>x</Processor_Name><Version>1</Version><Test>false</Test>
 <List_of_Pools count="1"><Pool><List_of_Tasks count="1"><Task>
  <Name>OLQC_DS_L0</Name><Version>1</Version><Critical>true</Critical><Criticality_Level>1</Criticality_Level>
  <File_Name>$OLQC_EXE_DIR</File_Name>
  <List_of_Inputs count="3">{inputs}</List_of_Inputs>
  <List_of_Outputs count="0"/><List_of_Options count="0"/>
 </Task></List_of_Tasks></Pool></List_of_Pools></Ipf_Task_Table>"""


def entry(file_type: str, kind: str = "Directory") -> str:
    return (
        "<Input><Mode>ALWAYS</Mode><Mandatory>Yes</Mandatory><List_of_Alternatives count='1'><Alternative>"
        "<Order>1</Order>"
        f"<Origin>PROC</Origin><Retrieval_Mode/><T0/><T1/><File_Type>{file_type}</File_Type>"
        f"<File_Name_Type>{kind}</File_Name_Type></Alternative></List_of_Alternatives></Input>"
    )


def compare(folder: Path, *inputs: str) -> list[str]:
    path = folder / "TaskTable_OLQC_L0DS.xml"
    path.write_text(QUALITY_TABLE.format(inputs="".join(inputs)))
    return [str(item) for item in undeclared(compare_with_catalogue(read_task_table(path), load_baseline()))]


def test_agreement(tmp_path: Path) -> None:
    inputs = [entry("PDI_SAFE"), entry("PERSISTENT_RESOURCES"), entry("GIP_OLQCPA"), entry("GIP_PROBAS")]
    assert compare(tmp_path, *inputs) == []


def test_every_kind_of_difference_is_found(tmp_path: Path) -> None:
    inputs = [entry("PDI_SAFE", "Physical"), entry("PERSISTENT_RESOURCES"), entry("GIP_OLQCPA"), entry("GIP_EARMOD")]
    assert compare(tmp_path, *inputs) == [
        "OLQC_DS_L0: input PDI_SAFE: table Physical, catalogue Directory",
        "OLQC_DS_L0: input GIP_EARMOD: table Directory, catalogue None",
        "OLQC_DS_L0: input GIP_PROBAS: table None, catalogue file",
    ]


def test_tasks_are_compared_both_ways(tmp_path: Path) -> None:
    path = tmp_path / "TaskTable_L1BNoGRI.xml"
    path.write_text(QUALITY_TABLE.format(inputs=entry("PDI_SAFE")))
    found = [(item.name, item.in_catalogue) for item in compare_with_catalogue(read_task_table(path), load_baseline())]
    assert found == [
        ("OLQC_DS_L0", None),
        ("FORMAT_METADATA_DS_L1B", "present"),
        ("GEO1B_FINALIZE", "present"),
        ("GET_TILE_LIST", "present"),
    ]


@pytest.mark.parametrize("name", NAMES)
def test_real_tables_agree_but_for_what_the_catalogue_declares(name: str) -> None:
    folder = os.environ.get("S2PS_TASK_TABLES")
    if not folder or not Path(folder).is_dir():
        pytest.skip("S2PS_TASK_TABLES names no folder with the 13 real task tables")
    differences = compare_with_catalogue(read_task_table(Path(folder) / f"TaskTable_{name}.xml"), load_baseline())
    assert [str(item) for item in undeclared(differences)] == []
