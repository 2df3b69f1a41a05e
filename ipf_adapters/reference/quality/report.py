"""Quality reports: one XML file per item and aspect, as on-line quality control writes them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from lxml import etree

from ipf_adapters.reference.quality.checks import Finding
from ipf_adapters.reference.quality.item import Item
from s2ps.model.timestamps import format_utc

NAMESPACE = "http://gs2.esa.int/DATA_STRUCTURE/olqcReport"
_CLASSES = {"DS": "Datastrip", "GR": "Granule", "TL": "Tile"}


def report_document(
    item: Item, aspect: str, findings: Mapping[str, Finding], parameters: Path, version: str, creation: datetime
) -> bytes:
    """Return the report of one aspect ("FORMAT_CORRECTNESS"); it passed when all its checks did."""
    moment = format_utc(creation, digits=3)
    root = etree.fromstring(f'<Earth_Explorer_File xmlns="{NAMESPACE}"/>')
    header = _child(_child(root, "Earth_Explorer_Header"), "Fixed_Header")
    _header(header, report_name(item, aspect), item, version, creation)
    block = _child(root, "Data_Block", type="xml")
    status = _status(all(finding.passed for finding in findings.values()))
    report = _child(block, "report", gippVersion="1.0", globalStatus=status, date=moment)
    checks = _child(report, "checkList")
    _child(checks, "parentID").text = parameters.name.split(".")[0]
    _child(checks, "name").text = aspect
    _child(checks, "version").text = "1.0"
    title = f"PDI Level-{item.name.level.removeprefix('L')} {_CLASSES.get(item.kind, item.kind)} Folder"
    _child(checks, "item", className=title, name=str(item.name))
    for name, finding in findings.items():
        check = _child(checks, "check")
        attributes = {"creation": moment, "execution": moment, "id": name, "item": str(item.name), "name": name}
        _child(check, "inspection", **attributes, processingStatus="done", status=_status(finding.passed))
        _child(check, "message", contentType="text/plain").text = finding.message
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)


def report_name(item: Item, aspect: str) -> str:
    """Return the file name of a report."""
    return f"{item.stem}_{aspect}_report.xml"


def _header(header: etree._Element, name: str, item: Item, version: str, creation: datetime) -> None:
    for tag, text in (
        ("File_Name", name),
        ("File_Description", "Report of on-line quality control"),
        ("Mission", item.name.unit),
        ("File_Class", "OPER"),
        ("File_Type", "REP_OLQCPA"),
        ("File_Version", "1"),
    ):
        _child(header, tag).text = text
    source = _child(header, "Source")
    for tag, text in (("System", "OLQC"), ("Creator", "OLQC"), ("Creator_Version", version)):
        _child(source, tag).text = text
    _child(source, "Creation_Date").text = f"UTC={format_utc(creation, digits=0).removesuffix('Z')}"


def _status(passed: bool) -> str:
    return "PASSED" if passed else "FAILED"


def _child(parent: etree._Element, tag: str, **attributes: str) -> etree._Element:
    return etree.SubElement(parent, f"{{{NAMESPACE}}}{tag}", attributes)
