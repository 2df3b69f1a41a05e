"""Faults to inject into reference processors: `TASK[:data id]:fail:133`, `...:slow:30`, `...:omit:TYPE`."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from s2ps.graph.job_graph import Job
from s2ps.model.dimensions import DataId
from s2ps.model.errors import ConfigurationError

VARIABLE = "S2PS_FAULT"
_FORM = re.compile(r"(?P<task>[A-Z0-9_]+)(?::(?P<data>[a-z_]+=[^:]+))?:(?P<fault>(?:fail|slow|omit):[A-Za-z0-9_.]+)")


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault for the jobs of one task that work on a data id."""

    task: str
    data_id: DataId
    fault: str

    @classmethod
    def parse(cls, text: str) -> Fault:
        """Read the text form."""
        found = _FORM.fullmatch(text.strip())
        if found is None:
            raise ConfigurationError(f"fault {text!r} cannot be read", expected="GEN_ORTHO_TOA:tile=32TPQ:fail:133")
        try:
            data_id = DataId.parse(found["data"] or "all")
        except ValueError as error:
            raise ConfigurationError(f"fault {text!r}: {error}") from error
        return cls(found["task"], data_id, found["fault"])


def fault_environment(faults: Iterable[Fault], job: Job) -> dict[str, str]:
    """Return the environment variable that makes a job misbehave; empty for all others."""
    for fault in faults:
        if fault.task in (job.task, job.processor) and fault.data_id.overlaps(job.data_id):
            return {VARIABLE: fault.fault}
    return {}
