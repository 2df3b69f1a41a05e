"""Task tables as they are found: wrong counts, white space, comments, empty elements, outputs listed twice."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from s2ps.formats.task_table import read_task_table
from s2ps.model.errors import InputError

TABLE = """<?xml version="1.0"?>
<Ipf_Task_Table>
  <!-- made for this test -->
  <Processor_Name> Chain </Processor_Name><Version>01.03</Version><Test>No</Test>
  <Min_Disk_Space units="MB">512</Min_Disk_Space><Max_Time units="sec"></Max_Time>
  <List_of_Cfg_Files count="6"><Cfg_File><Version>DB</Version><File_Name>
      DB.json
  </File_Name></Cfg_File></List_of_Cfg_Files>
  <List_of_Dyn_ProcParam count="0"/>
  <List_of_Pools count="3">
    <Pool><List_of_Tasks count="2">
      <Task>
        <Name>FIRST</Name><Version>1</Version><Critical>true</Critical><Criticality_Level>1</Criticality_Level>
        <File_Name>$FIRST_EXE_DIR</File_Name>
        <List_of_Inputs count="1">
          <Input><Mode>ALWAYS</Mode><Mandatory>Yes</Mandatory><List_of_Alternatives count="2">
            <Alternative><Order>2</Order><Origin>DB</Origin><Retrieval_Mode/><T0/><T1> 1.5 </T1>
              <File_Type>SECOND_CHOICE</File_Type><File_Name_Type>Physical</File_Name_Type></Alternative>
            <!-- the better one -->
            <Alternative><Order>1</Order><Origin>PROC</Origin><Retrieval_Mode>ValIntersect</Retrieval_Mode><T0>0</T0>
              <T1>0</T1><File_Type>PDI_DS</File_Type><File_Name_Type>Directory</File_Name_Type></Alternative>
          </List_of_Alternatives></Input>
        </List_of_Inputs>
        <List_of_Outputs count="2">
          <Output><Destination>PROC</Destination><Mandatory>Yes</Mandatory><Type>LIST</Type>
            <File_Name_Type>Directory</File_Name_Type></Output>
          <Output><Destination>PROC</Destination><Mandatory>No</Mandatory><Type>LIST</Type>
            <File_Name_Type>Directory</File_Name_Type></Output>
        </List_of_Outputs>
        <NumberOfCPUs>4</NumberOfCPUs>
        <List_of_Options count="1"><Option><Name>PASS</Name><Value>true</Value></Option></List_of_Options>
      </Task>
    </List_of_Tasks></Pool>
  </List_of_Pools>
</Ipf_Task_Table>
"""


@pytest.fixture
def table_file(tmp_path: Path) -> Path:
    path = tmp_path / "TaskTable_L9.xml"
    path.write_text(TABLE)
    return path


def test_reads_everything(table_file: Path) -> None:
    table = read_task_table(table_file)
    assert (table.name, table.processor, table.min_disk_space, table.max_time) == ("L9", "Chain", 512, 0)
    assert table.config_files == (("DB", "DB.json"),)
    (task,) = table.tasks
    assert (task.name, task.pool, task.critical, task.cpus, task.options) == ("FIRST", 1, True, 4, (("PASS", "true"),))
    assert task.executable_name == "FIRST"
    (entry,) = task.inputs
    assert (entry.type, entry.kind, entry.mandatory) == ("PDI_DS", "Directory", True)
    assert [item.order for item in entry.alternatives] == [1, 2]
    assert (entry.alternatives[1].retrieval_mode, entry.alternatives[1].t0, entry.alternatives[1].t1) == ("", 0.0, 1.5)
    assert [(item.type, item.mandatory) for item in task.outputs] == [("LIST", True), ("LIST", False)]


def test_wrong_counts_and_doubles_are_warnings(table_file: Path) -> None:
    warnings = read_task_table(table_file).warnings
    assert [text.split(": ", 1)[1] for text in warnings] == [
        "List_of_Cfg_Files: count says 6, there are 1",
        "List_of_Pools: count says 3, there are 1",
        "List_of_Tasks: count says 2, there are 1",
        "task FIRST lists output LIST 2 times",
    ]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("<Critical>true", "<Critical>perhaps", r"L9 line \d+: Task: Critical is 'perhaps'; expected: true"),
        ("<Name>FIRST", "<Name> ", "Task: Name is missing or empty"),
        ("<Order>1", "<Order>one", "Alternative: Order is 'one'; expected: a number"),
        ("Ipf_Task_Table>", "Ipf_Job_Order>", "root element Ipf_Job_Order; expected: Ipf_Task_Table"),
        ("</List_of_Pools>", "", "TaskTable_L9.xml: no readable XML"),
    ],
)
def test_complaints_name_file_and_element(table_file: Path, old: str, new: str, message: str) -> None:
    table_file.write_text(TABLE.replace(old, new))
    with pytest.raises(InputError, match=message):
        read_task_table(table_file)


def test_an_input_needs_an_alternative(table_file: Path) -> None:
    start, rest = TABLE.split('<List_of_Alternatives count="2">')
    table_file.write_text(f"{start}<List_of_Alternatives>{rest[rest.index('</List_of_Alternatives>') :]}")
    with pytest.raises(InputError, match="Input: no Alternative"):
        read_task_table(table_file)


def test_entities_are_not_followed(tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("secret")
    path = tmp_path / "TaskTable_X.xml"
    entity = f'<!DOCTYPE t [<!ENTITY s SYSTEM "{secret.as_uri()}">]><Ipf_Task_Table>'
    path.write_text(TABLE.replace("<Ipf_Task_Table>", entity).replace("> Chain <", "> Chain&s; <"))
    assert "secret" not in read_task_table(path).processor


def test_real_tables_can_be_read() -> None:
    folder = os.environ.get("S2PS_TASK_TABLES")
    if not folder or not Path(folder).is_dir():
        pytest.skip("S2PS_TASK_TABLES names no folder with the 13 real task tables")
    tables = [read_task_table(path) for path in sorted(Path(folder).glob("TaskTable_*.xml"))]
    assert len(tables) == 13
    assert sum(len(table.tasks) for table in tables) == 52
    assert len({task.name for table in tables for task in table.tasks}) == 46
    assert all(len(entry.alternatives) == 1 for t in tables for task in t.tasks for entry in task.inputs)
