"""Read task tables (Ipf_Task_Table) as they are: counts in attributes are often wrong and are only reported."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from lxml import etree

from s2ps.model.errors import InputError

DEFAULT_RETRIEVAL_MODE = "LatestValidityClosest"
"""What the schema says for an empty element; the plain text is kept in `retrieval_mode`."""

_FILE_NAME = re.compile(r"(?:TaskTable_)?(?P<name>.+?)\.xml", re.IGNORECASE)
_TRUE = frozenset({"true", "yes"})
_FALSE = frozenset({"false", "no"})


@dataclass(frozen=True, slots=True)
class Alternative:
    """One way to find an input."""

    order: int
    origin: str
    retrieval_mode: str
    """Empty where the element is empty."""
    t0: float
    t1: float
    type: str
    kind: str


@dataclass(frozen=True, slots=True)
class Input:
    """An input of a task with its alternatives in order of preference."""

    mode: str
    mandatory: bool
    alternatives: tuple[Alternative, ...]
    id: str | None = None
    ref: str | None = None

    @property
    def type(self) -> str:
        """File type of the first alternative."""
        return self.alternatives[0].type

    @property
    def kind(self) -> str:
        """File name type of the first alternative."""
        return self.alternatives[0].kind


@dataclass(frozen=True, slots=True)
class Output:
    """An output of a task."""

    type: str
    kind: str
    destination: str
    mandatory: bool


@dataclass(frozen=True, slots=True)
class Task:
    """A task; `pool` counts from 1, tasks of one pool have no order."""

    name: str
    version: str
    pool: int
    critical: bool
    criticality: int
    executable: str
    inputs: tuple[Input, ...]
    outputs: tuple[Output, ...]
    """A type listed twice appears twice."""
    options: tuple[tuple[str, str], ...]
    cpus: int | None = None

    @property
    def executable_name(self) -> str | None:
        """Processor named by an executable of the form $NAME_EXE_DIR."""
        match = re.fullmatch(r"\$\{?(\w+)_EXE_DIR\}?", self.executable)
        return match.group(1) if match else None


@dataclass(frozen=True, slots=True)
class TaskTable:
    """A task table, and in `warnings` what is odd about it."""

    name: str
    processor: str
    version: str
    min_disk_space: int
    max_time: int
    config_files: tuple[tuple[str, str], ...]
    parameters: tuple[tuple[str, str], ...]
    tasks: tuple[Task, ...]
    warnings: tuple[str, ...]


def read_task_table(path: Path) -> TaskTable:
    """Read a table; its name is the file's, TaskTable_L1A.xml is "L1A". Raises InputError naming file and element."""
    try:
        root = etree.parse(
            path, etree.XMLParser(remove_comments=True, resolve_entities=False, no_network=True)
        ).getroot()
    except (OSError, etree.XMLSyntaxError) as error:
        raise InputError(f"{path.name}: no readable XML: {error}", expected="an Ipf_Task_Table document") from error
    if root.tag != "Ipf_Task_Table":
        raise InputError(f"{path.name}: root element {root.tag}", expected="Ipf_Task_Table")
    match = _FILE_NAME.fullmatch(path.name)
    return _Reader(match.group("name") if match else path.stem, root).table()


class _Reader:
    """Reads the elements of one document and remembers what is odd."""

    def __init__(self, name: str, root: etree._Element) -> None:
        self.name = name
        self.root = root

    def table(self) -> TaskTable:
        root = self.root
        pools = root.findall("List_of_Pools/Pool")
        tasks = tuple(
            self.task(element, number)
            for number, pool in enumerate(pools, start=1)
            for element in pool.findall("List_of_Tasks/Task")
        )
        return TaskTable(
            name=self.name,
            processor=self.text(root, "Processor_Name"),
            version=self.text(root, "Version"),
            min_disk_space=int(self.number(root, "Min_Disk_Space", 1024)),
            max_time=int(self.number(root, "Max_Time", 0)),
            config_files=tuple(
                (_text(item, "Version"), self.text(item, "File_Name"))
                for item in root.findall("List_of_Cfg_Files/Cfg_File")
            ),
            parameters=tuple(
                (self.text(item, "Param_Name"), _text(item, "Param_Default"))
                for item in root.findall("List_of_Dyn_ProcParam/Dyn_ProcParam")
            ),
            tasks=tasks,
            warnings=tuple(self.warnings(tasks)),
        )

    def task(self, element: etree._Element, pool: int) -> Task:
        cpus = _text(element, "NumberOfCPUs")
        return Task(
            name=self.text(element, "Name"),
            version=_text(element, "Version"),
            pool=pool,
            critical=self.flag(element, "Critical"),
            criticality=int(self.number(element, "Criticality_Level", 1)),
            executable=self.text(element, "File_Name"),
            inputs=tuple(self.input(item) for item in element.findall("List_of_Inputs/Input")),
            outputs=tuple(self.output(item) for item in element.findall("List_of_Outputs/Output")),
            options=tuple(
                (self.text(item, "Name"), _text(item, "Value")) for item in element.findall("List_of_Options/Option")
            ),
            cpus=int(cpus) if cpus.isdecimal() else None,
        )

    def input(self, element: etree._Element) -> Input:
        alternatives = sorted(
            (self.alternative(item) for item in element.findall("List_of_Alternatives/Alternative")),
            key=lambda item: item.order,
        )
        if not alternatives:
            raise InputError(f"{self._place(element)}: no Alternative", expected="one or more alternatives")
        return Input(
            mode=self.text(element, "Mode"),
            mandatory=self.flag(element, "Mandatory"),
            alternatives=tuple(alternatives),
            id=element.get("id"),
            ref=element.get("ref"),
        )

    def alternative(self, element: etree._Element) -> Alternative:
        return Alternative(
            order=int(self.number(element, "Order", 1)),
            origin=self.text(element, "Origin"),
            retrieval_mode=_text(element, "Retrieval_Mode"),
            t0=self.number(element, "T0", 0.0),
            t1=self.number(element, "T1", 0.0),
            type=self.text(element, "File_Type"),
            kind=self.text(element, "File_Name_Type"),
        )

    def output(self, element: etree._Element) -> Output:
        return Output(
            type=self.text(element, "Type"),
            kind=self.text(element, "File_Name_Type"),
            destination=self.text(element, "Destination"),
            mandatory=self.flag(element, "Mandatory"),
        )

    def text(self, element: etree._Element, tag: str) -> str:
        value = _text(element, tag)
        if not value:
            raise InputError(f"{self._place(element)}: {tag} is missing or empty", expected="a value")
        return value

    def flag(self, element: etree._Element, tag: str) -> bool:
        value = self.text(element, tag).lower()
        if value not in _TRUE | _FALSE:
            raise InputError(f"{self._place(element)}: {tag} is {value!r}", expected="true, false, Yes or No")
        return value in _TRUE

    def number(self, element: etree._Element, tag: str, default: float) -> float:
        value = _text(element, tag)
        if not value:
            return default
        try:
            return float(value)
        except ValueError as error:
            raise InputError(f"{self._place(element)}: {tag} is {value!r}", expected="a number") from error

    def warnings(self, tasks: tuple[Task, ...]) -> Iterator[str]:
        for element in self.root.iter():
            count = element.get("count")
            if count is not None and count.strip() != str(len(element)):
                yield f"{self._place(element)}: count says {count}, there are {len(element)}"
        for task in tasks:
            for what, types in (("input", [i.type for i in task.inputs]), ("output", [o.type for o in task.outputs])):
                for name in sorted({item for item in types if types.count(item) > 1}):
                    yield f"{self.name}: task {task.name} lists {what} {name} {types.count(name)} times"

    def _place(self, element: etree._Element) -> str:
        return f"{self.name} line {element.sourceline}: {element.tag}"


def _text(element: etree._Element, tag: str) -> str:
    return (element.findtext(tag) or "").strip()
