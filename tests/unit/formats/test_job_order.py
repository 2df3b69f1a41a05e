"""Job orders: what is written is valid, what is read is what was written, what is broken is told by name."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from lxml import etree

from s2ps.formats.job_order import (
    JobOrder,
    JobOrderInput,
    JobOrderOutput,
    parse_job_order,
    read_job_order,
    write_job_order,
)
from s2ps.model.errors import InputError

SAMPLES = Path(os.environ.get("S2PS_SAMPLE_DATA", "no-samples"))
XS = "{http://www.w3.org/2001/XMLSchema}"

ORDER = JobOrder(
    chain="L1",
    task="DECOMP",
    version="06.01.00",
    parameters={"PARALLEL_BAND_IDENT": "B02-B08", "TRACE": "false", "EMPTY": ""},
    inputs=(
        JobOrderInput("PDI_DS", "Directory", (Path("/in/PDI_DS"),)),
        JobOrderInput("GIP_VIEDIR", "Physical", (Path("/aux/a & b.xml"), Path("/aux/c.xml"))),
    ),
    outputs=(
        JobOrderOutput("PDI_ATF_LIST", "Directory", Path("/out/PDI_ATF_LIST")),
        JobOrderOutput("REPORT", "Physical", Path("/out/report.xml"), mandatory=False),
    ),
)


def relaxed_schema() -> etree.XMLSchema:
    """Return the generic schema with its lists of parameter names, values and output types opened."""
    path = SAMPLES / "xsd" / "JobOrder.GENERIC.xsd"
    if not path.is_file():
        pytest.skip("set S2PS_SAMPLE_DATA to a folder of real Sentinel-2 documents to validate against their schema")
    tree = etree.parse(path)
    for element in tree.iter(f"{XS}element"):
        closed = element.find(f"{XS}simpleType")
        if closed is not None and element.get("name") in ("Name", "Value", "File_Type"):
            element.remove(closed)
            element.set("type", "xs:string")
    return etree.XMLSchema(tree)


def test_written_order_validates() -> None:
    relaxed_schema().assertValid(etree.fromstring(write_job_order(ORDER)))


def test_written_order_reads_back() -> None:
    assert parse_job_order(write_job_order(ORDER), Path("x")) == ORDER


def test_counts_tell_the_truth() -> None:
    root = etree.fromstring(write_job_order(ORDER))
    counted = {node.tag: (node.get("count"), len(node)) for node in root.iter() if node.get("count")}
    assert counted["List_of_Inputs"] == ("2", 2)
    assert all(int(count) == children for count, children in counted.values())


def test_real_order_reads() -> None:
    path = SAMPLES / "job_orders" / "JobOrder.INIT_LOC_L0_52742.xml"
    if not path.is_file():
        pytest.skip("set S2PS_SAMPLE_DATA to a folder of real Sentinel-2 documents to read them")
    order = read_job_order(path)
    viedir = order.input("GIP_VIEDIR")
    assert (order.task, order.stdout_level, len(order.inputs)) == ("INIT_LOC_L0", "DEBUG", 11)
    assert viedir is not None
    assert len(viedir.paths) == 13
    assert not str(viedir.paths[0]).startswith((" ", "\n"))


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"<Ipf_Job_Order>", "not well-formed"),
        (b"<Other/>", "its root is <Other>"),
        (b"<Ipf_Job_Order/>", "0 Ipf_Proc"),
        (write_job_order(ORDER).replace(b"<Task_Name>DECOMP</Task_Name>", b""), "Ipf_Proc/Task_Name is missing"),
        (write_job_order(ORDER).replace(b">Directory<", b">Somewhere<", 1), "'Somewhere'"),
        (
            b'<!DOCTYPE Ipf_Job_Order [<!ENTITY e SYSTEM "file:///etc/passwd">]>'
            + write_job_order(ORDER).split(b"?>", 1)[1].replace(b"DECOMP", b"&e;"),
            "document type",
        ),
    ],
)
def test_broken_order_is_one_input_error(data: bytes, reason: str) -> None:
    with pytest.raises(InputError, match=r"order\.xml cannot be read") as caught:
        parse_job_order(data, Path("order.xml"))
    assert reason in str(caught.value)


def test_absent_order_names_the_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nowhere\.xml.*No such file"):
        read_job_order(tmp_path / "nowhere.xml")


def test_template_without_optional_parts_reads() -> None:
    text = b"""<Ipf_Job_Order><Ipf_Conf><Processor_Name>L0</Processor_Name></Ipf_Conf><List_of_Ipf_Procs><Ipf_Proc>
    <Task_Name>INV_MTD_L0</Task_Name><List_of_Inputs count="7"><Input><File_Type>DS</File_Type>
    <File_Name_Type>File</File_Name_Type><List_of_File_Names><File_Name> /a/b </File_Name></List_of_File_Names></Input>
    </List_of_Inputs></Ipf_Proc></List_of_Ipf_Procs></Ipf_Job_Order>"""
    order = parse_job_order(text, Path("x"))
    assert order.inputs == (JobOrderInput("DS", "Physical", (Path("/a/b"),)),)
    assert order.outputs == ()
