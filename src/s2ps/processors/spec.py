"""What a definition file says about a processor (contracts, section 6)."""

from __future__ import annotations

import re
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from s2ps.model.dimensions import Dimension
from s2ps.processors.auxiliary import is_auxiliary, is_static
from s2ps.processors.phases import PHASE_NAMES

Kind = Literal["Directory", "Physical"]
ExitPolicy = Literal["idp_sc", "strict"]

_NAME = re.compile(r"[A-Z][A-Z0-9_]*")
_SOURCE = re.compile(r"(?P<task>[A-Z0-9_]+)(?:@(?P<phase>\w+))?(?::(?P<output>[A-Z0-9_]+))?")


class Declaration(BaseModel):
    """A frozen entry of a definition file that refuses unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class Source(Declaration):
    """One producer of an input, written TASK, TASK@PHASE, TASK:TYPE or TASK@PHASE:TYPE."""

    task: str
    phase: str | None = None
    """None: the phase of the consumer."""
    output: str | None = None
    """Output type of the producer; None: the type of the input."""

    @classmethod
    def parse(cls, text: str) -> Source:
        """Read the text form; raises ValueError when it has another shape."""
        match = _SOURCE.fullmatch(text)
        if match is None:
            raise ValueError(f"producer {text!r}: expected TASK, TASK@PHASE, TASK:TYPE or TASK@PHASE:TYPE")
        return cls(**match.groupdict())


class InputSpec(Declaration):
    """An input that is data: made by tasks of the chain, or coming from outside it."""

    type: str
    kind: Kind = "Directory"
    producers: tuple[Source, ...] = Field(default=(), alias="from")
    """In the order of the chain; they may write the same path only with the same content."""
    external: Literal["session", "workspace"] | None = None
    """session: files of the downlink session; workspace: a working directory the runner makes."""
    added: bool = False
    """An input of ours, that the real task table does not list."""

    @field_validator("producers", mode="before")
    @classmethod
    def _parse_producers(cls, value: object) -> object:
        if not isinstance(value, (list, tuple)):
            return value
        return tuple(Source.parse(item) if isinstance(item, str) else item for item in value)

    @model_validator(mode="after")
    def _one_origin(self) -> Self:
        if bool(self.producers) == bool(self.external):
            raise ValueError(f"input {self.type}: expected either from: [producers] or external: session|workspace")
        return self


class OutputSpec(Declaration):
    """An output type of a step."""

    type: str
    kind: Kind = "Directory"
    mandatory: bool = True


class StepSpec(Declaration):
    """One use of a processor in the chain, that is one task of a task table."""

    phase: str
    task: str = ""
    table: str | None = ""
    """Real task table that lists the task; empty: named like the phase; null: none does."""
    split: tuple[Dimension, ...] = ()
    """Dimensions a strategy may cut; the others stay whole."""
    single: tuple[Dimension, ...] = ()
    """Of those, the ones the real executable takes one value at a time, whatever the strategy says."""
    granules_of: Literal["scenes", "gri"] = "scenes"
    """What a granule range counts: scenes of the datastrip, or entries of the GRI list."""
    inputs: tuple[InputSpec, ...] = ()
    auxiliary: tuple[str, ...] = ()
    static: tuple[str, ...] = ()
    added: tuple[str, ...] = ()
    """Auxiliary or static types of ours, that the real task table does not list."""
    omitted: tuple[str, ...] = ()
    """Inputs of the real task table that are no inputs here, because the task itself makes them."""
    outputs: tuple[OutputSpec, ...] = ()
    parameters: dict[str, str] = Field(default_factory=dict)
    options: dict[str, str] = Field(default_factory=dict)
    """Fixed for this step; win over parameters."""

    @model_validator(mode="after")
    def _known_words(self) -> Self:
        if self.phase not in PHASE_NAMES:
            raise ValueError(f"phase {self.phase!r}: expected one of {', '.join(PHASE_NAMES)}")
        if extra := set(self.single) - set(self.split):
            raise ValueError(f"single: {', '.join(sorted(extra))} is not in split")
        for field, known in (("auxiliary", is_auxiliary), ("static", is_static)):
            for name in getattr(self, field):
                if not known(name):
                    raise ValueError(f"{field}: {name!r} is no known {field} type")
        for name in self.added:
            if not is_auxiliary(name) and not is_static(name):
                raise ValueError(f"added: {name!r} is no known auxiliary or static type")
        return self

    @property
    def table_name(self) -> str | None:
        """Name of the real task table of this step, None when there is none."""
        return self.phase if self.table == "" else self.table

    @property
    def all_auxiliary(self) -> tuple[str, ...]:
        """Auxiliary types a job of this step gets, ours included."""
        return self.auxiliary + tuple(name for name in self.added if is_auxiliary(name))

    @property
    def all_static(self) -> tuple[str, ...]:
        """Static types a job of this step gets, ours included."""
        return self.static + tuple(name for name in self.added if is_static(name))


class ProcessorSpec(Declaration):
    """A processor: one executable with its version and every step that uses it."""

    name: str
    version: str
    exit_policy: ExitPolicy
    function: str
    timeout: int = Field(gt=0)
    """Seconds."""
    executable: str = ""
    """Path below the root of the executables; empty: <name>/<version>/scripts/<name>.bash."""
    steps: tuple[StepSpec, ...] = Field(min_length=1)

    @model_validator(mode="before")
    @classmethod
    def _default_task(cls, value: object) -> object:
        if not isinstance(value, dict) or not isinstance(value.get("steps"), list):
            return value
        steps = [{"task": value.get("name", ""), **step} if isinstance(step, dict) else step for step in value["steps"]]
        return {**value, "steps": steps}

    @model_validator(mode="after")
    def _named(self) -> Self:
        for name in (self.name, *(step.task for step in self.steps)):
            if not _NAME.fullmatch(name):
                raise ValueError(f"name {name!r}: expected capital letters, digits and underscores")
        return self

    @property
    def command(self) -> str:
        """Path of the executable below the root of the executables."""
        return self.executable or f"{self.name}/{self.version}/scripts/{self.name}.bash"
