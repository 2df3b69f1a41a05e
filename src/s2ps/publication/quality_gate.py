"""The quality gate: no item is published without its quality reports, or with one that failed.

Source: on-line quality control (OLQC): one report per quality aspect in QI_DATA of each item.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from lxml import etree

from s2ps.model.errors import InputError, PublicationError
from s2ps.model.names import PdiName

FORMAT, GENERAL, SENSOR = "FORMAT_CORRECTNESS", "GENERAL_QUALITY", "SENSOR_QUALITY"
GEOMETRIC, RADIOMETRIC = "GEOMETRIC_QUALITY", "RADIOMETRIC_QUALITY"
FAILED = "FAILED"


@dataclass(frozen=True, slots=True)
class Report:
    """One quality report and its outcome."""

    path: Path
    aspect: str
    """As "FORMAT_CORRECTNESS"."""
    status: str
    """"PASSED", "FAILED" ..."""
    failed_checks: tuple[str, ...]


def required_aspects(name: PdiName) -> tuple[str, ...]:
    """Return the aspects an item must have a report of; a true-colour item (TC) needs none."""
    kind = name.file_type[-2:]
    if kind == "TC":
        return ()
    if name.level == "L0":
        return (FORMAT, GENERAL, SENSOR, GEOMETRIC) if kind == "DS" else (FORMAT, GENERAL, SENSOR)
    common = (FORMAT, GENERAL, GEOMETRIC, SENSOR)
    return (*common, RADIOMETRIC) if kind == "DS" else common


def reports_folder(folders: Iterable[Path], item: str) -> Path | None:
    """Return the folder with the reports of an item: one of `folders` named like it, or a sub-folder named so."""
    for folder in folders:
        for place in (folder, folder / item):
            if place.name == item and place.is_dir():
                return place
    return None


def read_reports(folder: Path | None) -> list[Report]:
    """Read all reports below a folder, sorted by name; raises InputError for one that is not XML."""
    if folder is None:
        return []
    return [_read(path) for path in sorted(folder.rglob("*.xml")) if path.name != "Inventory_Metadata.xml"]


def check_gate(name: PdiName, reports: Iterable[Report]) -> None:
    """Let an item pass, or raise a PublicationError naming the report and the checks that failed."""
    found = list(reports)
    failed = [report for report in found if report.status == FAILED]
    if failed:
        reasons = "; ".join(
            f"{report.aspect} ({', '.join(report.failed_checks) or 'no check named'})" for report in failed
        )
        raise PublicationError(
            f"{name} may not be published: failed quality control {reasons}",
            expected="all quality reports PASSED",
            next_step=f"read {failed[0].path}, correct the cause and run the item again",
        )
    missing = [aspect for aspect in required_aspects(name) if aspect not in {report.aspect for report in found}]
    if missing:
        raise PublicationError(
            f"{name} may not be published: no quality report of {', '.join(missing)}",
            expected=f"reports of {', '.join(required_aspects(name))}",
            next_step="run OLQC of the item again",
        )


def _read(path: Path) -> Report:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    try:
        root = etree.fromstring(path.read_bytes(), parser)
    except (OSError, etree.XMLSyntaxError) as error:
        raise InputError(f"quality report {path} cannot be read: {error}", next_step="run OLQC again") from error
    failed = tuple(_check_name(element) for element in root.iter() if _failed_check(element))
    stated = [value for element in root.iter() if (value := element.get("globalStatus"))]
    status = stated[0] if stated else (FAILED if failed else "PASSED")
    return Report(path, _aspect(path), status.upper(), failed)


def _failed_check(element: etree._Element) -> bool:
    if element.get("globalStatus") is not None:
        return False
    return (element.get("status") or "").upper() == FAILED


def _check_name(element: etree._Element) -> str:
    holder: etree._Element | None = element
    while holder is not None:
        for attribute in ("name", "id", "checkType"):
            if found := holder.get(attribute):
                return found
        holder = holder.getparent()
    return "unnamed check"


def _aspect(path: Path) -> str:
    for aspect in (FORMAT, GENERAL, SENSOR, GEOMETRIC, RADIOMETRIC):
        if aspect in path.name:
            return aspect
    return path.stem
