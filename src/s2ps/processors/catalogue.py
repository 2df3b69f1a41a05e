"""All processors of a processing baseline, and how their steps are found."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from s2ps.model.errors import CatalogueError
from s2ps.processors.phases import PHASE_NAMES
from s2ps.processors.spec import InputSpec, ProcessorSpec, Source, StepSpec


@dataclass(frozen=True, slots=True, order=True)
class StepKey:
    """Name of a step: its phase and its task."""

    phase: str
    task: str

    def __str__(self) -> str:
        return f"{self.task}@{self.phase}"


@dataclass(frozen=True, slots=True)
class Step:
    """A step together with its processor."""

    key: StepKey
    processor: ProcessorSpec
    spec: StepSpec

    def source_key(self, source: Source) -> StepKey:
        """Return the step a producer of this step's inputs stands for."""
        return StepKey(source.phase or self.key.phase, source.task)

    @staticmethod
    def output_type(entry: InputSpec, source: Source) -> str:
        """Return the output type a producer contributes to an input."""
        return source.output or entry.type


class Catalogue:
    """The processors of one baseline, in the order of their phases."""

    def __init__(self, baseline: str, processors: Iterable[ProcessorSpec]) -> None:
        """Index the processors; raises CatalogueError on a name or task used twice."""
        self.baseline = baseline
        self.processors: dict[str, ProcessorSpec] = {}
        self._steps: dict[StepKey, Step] = {}
        for processor in sorted(processors, key=lambda item: item.name):
            if processor.name in self.processors:
                raise CatalogueError(
                    f"processor {processor.name} is defined twice", expected="one definition file each"
                )
            self.processors[processor.name] = processor
            for spec in processor.steps:
                self._add(Step(StepKey(spec.phase, spec.task), processor, spec))
        self._steps = dict(
            sorted(self._steps.items(), key=lambda item: (PHASE_NAMES.index(item[0].phase), item[0].task))
        )

    def _add(self, step: Step) -> None:
        if step.key in self._steps:
            other = self._steps[step.key].processor.name
            raise CatalogueError(
                f"processor {step.processor.name}: task {step.key.task} is already in phase {step.key.phase} ({other})",
                expected="task names that are unique in their phase",
                next_step="give the step another task name",
            )
        self._steps[step.key] = step

    def __iter__(self) -> Iterator[Step]:
        return iter(self._steps.values())

    def __len__(self) -> int:
        return len(self._steps)

    def __contains__(self, key: object) -> bool:
        return key in self._steps

    def step(self, key: StepKey) -> Step:
        """Return a step; raises CatalogueError when there is none of that name."""
        if key not in self._steps:
            known = ", ".join(item.task for item in self._steps if item.phase == key.phase) or "no task"
            raise CatalogueError(f"no task {key.task} in phase {key.phase}", expected=known)
        return self._steps[key]

    def named(self, text: str) -> StepKey:
        """Return the step of "TASK" (when one phase has it) or "TASK@PHASE"; raises CatalogueError otherwise."""
        task, _, phase = text.partition("@")
        found = [key for key in self._steps if key.task == task and phase in ("", key.phase)]
        if len(found) != 1:
            phases = ", ".join(key.phase for key in found) or "none"
            raise CatalogueError(f"task {text!r} stands for steps of {phases}", expected="one step, as TASK@PHASE")
        return found[0]

    def fingerprint(self) -> str:
        """Return a hash over all definitions: equal only if every processor is declared the same."""
        content = [self.baseline, [item.model_dump(mode="json") for item in self.processors.values()]]
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
