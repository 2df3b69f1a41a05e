"""Compare the catalogue with a real task table."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from s2ps.formats.task_table import Task, TaskTable
from s2ps.processors.catalogue import Catalogue, Step


@dataclass(frozen=True, slots=True)
class Difference:
    """One point in which the catalogue and a task table do not agree."""

    task: str
    field: str
    """"task", "input", "output" or "option"."""
    name: str
    in_table: str | None
    """What the table says; None: nothing."""
    in_catalogue: str | None
    declared: bool = False
    """The catalogue itself says that it differs here (added or omitted)."""

    def __str__(self) -> str:
        remark = " (declared)" if self.declared else ""
        return f"{self.task}: {self.field} {self.name}: table {self.in_table}, catalogue {self.in_catalogue}{remark}"


def compare_with_catalogue(table: TaskTable, catalogue: Catalogue) -> list[Difference]:
    """Return every difference, those the catalogue declares (added, omitted) last and marked."""
    steps = [step for step in catalogue if step.spec.table_name == table.name]
    differences: list[Difference] = []
    for task in table.tasks:
        candidates = [step for step in steps if task.name in (step.key.task, step.processor.name)]
        if task.executable_name:
            candidates = [step for step in candidates if step.processor.name == task.executable_name] or candidates
        step = next((item for item in candidates if _options_agree(task, item)), None)
        if step is None:
            differences.append(Difference(task.name, "task", task.name, "present", None))
            continue
        steps.remove(step)
        differences += _compare(task, step)
    differences += [Difference(step.key.task, "task", step.key.task, None, "present") for step in steps]
    return sorted(differences, key=lambda item: item.declared)


def undeclared(differences: list[Difference]) -> list[Difference]:
    """Return the differences that the catalogue does not declare."""
    return [item for item in differences if not item.declared]


def _options_agree(task: Task, step: Step) -> bool:
    return dict(task.options) == step.spec.options


def _compare(task: Task, step: Step) -> Iterator[Difference]:
    spec = step.spec
    theirs = {entry.type: entry.kind for entry in task.inputs}
    data = {entry.type: entry.kind for entry in spec.inputs if not entry.added}
    files = {*spec.auxiliary, *spec.static}
    for name, kind in theirs.items():
        if name in spec.omitted:
            yield Difference(task.name, "input", name, kind, None, declared=True)
        elif name in data and data[name] != kind:
            yield Difference(task.name, "input", name, kind, data[name])
        elif name not in data and name not in files:
            yield Difference(task.name, "input", name, kind, None)
    for name in sorted({*data, *files} - set(theirs)):
        yield Difference(task.name, "input", name, None, data.get(name, "file"))
    for name in (*spec.added, *(entry.type for entry in spec.inputs if entry.added)):
        yield Difference(task.name, "input", name, theirs.get(name), "added", declared=name not in theirs)
    yield from _compare_outputs(task, step)


def _compare_outputs(task: Task, step: Step) -> Iterator[Difference]:
    theirs = {entry.type: entry.kind for entry in task.outputs}
    ours = {entry.type: entry.kind for entry in step.spec.outputs}
    for name in sorted({*theirs, *ours}):
        if theirs.get(name) != ours.get(name):
            declared = name == "OLQC_REPORT" and name not in theirs
            yield Difference(task.name, "output", name, theirs.get(name), ours.get(name), declared)
