"""Read and write Ipf_Job_Order, the document that tells a processor what to do.

Source: job order schema of the Sentinel-2 IPF (fixed element order, one Ipf_Proc). Written orders follow that schema
with open parameter names; reading also accepts the variants of the L0U, OLQC and inventory templates (missing or
reordered configuration elements, blanks around file names, wrong counts).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, cast

from lxml import etree

from s2ps.model.errors import InputError

Kind = Literal["Directory", "Physical"]
LEVELS = ("DEBUG", "INFO", "PROGRESS", "WARNING", "ERROR")
ANY_START = "1983-01-01T00:00:00Z"
ANY_STOP = "2100-01-01T00:00:00Z"


@dataclass(frozen=True, slots=True)
class JobOrderInput:
    """Name one input type and the files or directories that hold it."""

    type: str
    kind: Kind
    paths: tuple[Path, ...]


@dataclass(frozen=True, slots=True)
class JobOrderOutput:
    """Name one output type and the place where the processor must write it."""

    type: str
    kind: Kind
    path: Path
    mandatory: bool = True


@dataclass(frozen=True, slots=True)
class JobOrder:
    """Hold one job order; `chain` is its Processor_Name ("L0", "L1", ...), `task` the processor that runs."""

    chain: str
    task: str
    version: str
    parameters: Mapping[str, str] = field(default_factory=dict)
    inputs: tuple[JobOrderInput, ...] = ()
    outputs: tuple[JobOrderOutput, ...] = ()
    chain_version: str = "1.0.0"
    stdout_level: str = "INFO"
    stderr_level: str = "ERROR"
    acquisition_station: str = "S2PS"
    processing_station: str = "S2PS"
    sensing_start: str = ANY_START
    sensing_stop: str = ANY_STOP

    def input(self, file_type: str) -> JobOrderInput | None:
        """Return the first input of a type, or None."""
        return next((item for item in self.inputs if item.type == file_type), None)

    def output(self, file_type: str) -> JobOrderOutput | None:
        """Return the first output of a type, or None."""
        return next((item for item in self.outputs if item.type == file_type), None)


def write_job_order(order: JobOrder) -> bytes:
    """Serialise a job order as XML in the order of elements that the schema fixes."""
    root = etree.Element("Ipf_Job_Order")
    _write_conf(etree.SubElement(root, "Ipf_Conf"), order)
    procs = etree.SubElement(root, "List_of_Ipf_Procs", count="1")
    proc = etree.SubElement(procs, "Ipf_Proc")
    _texts(proc, [("Task_Name", order.task), ("Task_Version", order.version)])
    inputs = etree.SubElement(proc, "List_of_Inputs", count=str(len(order.inputs)))
    for item in order.inputs:
        node = etree.SubElement(inputs, "Input")
        _texts(node, [("File_Type", item.type), ("File_Name_Type", item.kind)])
        names = etree.SubElement(node, "List_of_File_Names", count=str(len(item.paths)))
        _texts(names, [("File_Name", str(path)) for path in item.paths])
    outputs = etree.SubElement(proc, "List_of_Outputs", count=str(len(order.outputs)))
    for out in order.outputs:
        node = etree.SubElement(outputs, "Output", mandatory="true" if out.mandatory else "false")
        _texts(node, [("File_Type", out.type), ("File_Name_Type", out.kind), ("File_Name", str(out.path))])
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)


def _write_conf(conf: etree._Element, order: JobOrder) -> None:
    _texts(
        conf,
        [
            ("Processor_Name", order.chain),
            ("Version", order.chain_version),
            ("Stdout_Log_Level", order.stdout_level),
            ("Stderr_Log_Level", order.stderr_level),
            ("Test", "false"),
            ("Breakpoint_Enable", "false"),
            ("Acquisition_Station", order.acquisition_station),
            ("Processing_Station", order.processing_station),
            ("Config_Files", ""),
        ],
    )
    sensing = etree.SubElement(conf, "Sensing_Time")
    _texts(sensing, [("Start", order.sensing_start), ("Stop", order.sensing_stop)])
    dynamic = etree.SubElement(conf, "Dynamic_Processing_Parameters")
    for name, value in order.parameters.items():
        _texts(etree.SubElement(dynamic, "Processing_Parameter"), [("Name", name), ("Value", value)])


def _texts(parent: etree._Element, pairs: Iterable[tuple[str, str]]) -> None:
    for tag, text in pairs:
        etree.SubElement(parent, tag).text = text or None


def read_job_order(path: Path) -> JobOrder:
    """Read a job order file; raises InputError naming the file and the reason."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise _unreadable(path, error.strerror or str(error)) from error
    return parse_job_order(data, path)


def parse_job_order(data: bytes, path: Path) -> JobOrder:
    """Parse the bytes of a job order; `path` only serves the messages. Entities and network access are off."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        root = etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        raise _unreadable(path, f"not well-formed XML: {error}") from error
    if root.tag != "Ipf_Job_Order":
        raise _unreadable(path, f"its root is <{root.tag}>")
    if root.getroottree().docinfo.internalDTD is not None:
        raise _unreadable(path, "it carries a document type declaration")
    procs = root.findall("List_of_Ipf_Procs/Ipf_Proc")
    if len(procs) != 1:
        raise _unreadable(path, f"it has {len(procs)} Ipf_Proc elements")
    conf, proc = root.find("Ipf_Conf"), procs[0]
    if conf is None:
        raise _unreadable(path, "Ipf_Conf is missing")
    return JobOrder(
        chain=_text(conf, "Processor_Name", path),
        chain_version=_text(conf, "Version", path, "1.0.0"),
        stdout_level=_level(conf, "Stdout_Log_Level", "INFO", path),
        stderr_level=_level(conf, "Stderr_Log_Level", "ERROR", path),
        acquisition_station=_text(conf, "Acquisition_Station", path, ""),
        processing_station=_text(conf, "Processing_Station", path, ""),
        sensing_start=_text(conf, "Sensing_Time/Start", path, ANY_START),
        sensing_stop=_text(conf, "Sensing_Time/Stop", path, ANY_STOP),
        parameters=_parameters(conf, path),
        task=_text(proc, "Task_Name", path),
        version=_text(proc, "Task_Version", path, ""),
        inputs=tuple(_input(node, path) for node in proc.findall("List_of_Inputs/Input")),
        outputs=tuple(_output(node, path) for node in proc.findall("List_of_Outputs/Output")),
    )


def _parameters(conf: etree._Element, path: Path) -> dict[str, str]:
    nodes = conf.findall("Dynamic_Processing_Parameters/Processing_Parameter")
    return {_text(node, "Name", path): _text(node, "Value", path, "") for node in nodes}


def _input(node: etree._Element, path: Path) -> JobOrderInput:
    names = [(item.text or "").strip() for item in node.findall("List_of_File_Names/File_Name")]
    return JobOrderInput(_text(node, "File_Type", path), _kind(node, path), tuple(Path(name) for name in names if name))


def _output(node: etree._Element, path: Path) -> JobOrderOutput:
    mandatory = node.get("mandatory", "true").strip().lower() != "false"
    return JobOrderOutput(
        _text(node, "File_Type", path), _kind(node, path), Path(_text(node, "File_Name", path)), mandatory
    )


def _kind(node: etree._Element, path: Path) -> Kind:
    text = _text(node, "File_Name_Type", path)
    if text == "File":
        return "Physical"
    if text not in ("Directory", "Physical"):
        raise _unreadable(path, f"File_Name_Type is {text!r} where Directory or Physical was expected")
    return cast(Kind, text)


def _level(conf: etree._Element, tag: str, default: str, path: Path) -> str:
    text = _text(conf, tag, path, default).upper()
    if text not in LEVELS:
        raise _unreadable(path, f"{tag} is {text!r} where one of {', '.join(LEVELS)} was expected")
    return text


def _text(node: etree._Element, tag: str, path: Path, default: str | None = None) -> str:
    text = (node.findtext(tag) or "").strip()
    if text:
        return text
    if default is None:
        raise _unreadable(path, f"{node.tag}/{tag} is missing or empty")
    return default


def _unreadable(path: Path, reason: str) -> InputError:
    return InputError(
        f"job order {path} cannot be read: {reason}",
        expected="an Ipf_Job_Order with one Ipf_Conf and one Ipf_Proc",
        next_step="have the job order written again by the planner",
    )
