"""From settings to a backend."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from s2ps.execution.backend import ExecutionBackend
from s2ps.execution.local import LocalBackend


class BackendSettings(BaseModel):
    """Which backend runs clusters, and how."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["local"] = "local"
    """Pods are started by Airflow's pod operator with the same request document, so they need no backend here."""
    python: Path | None = None
    """Interpreter that has ipf_adapters; None: the present one."""
    environment: dict[str, str] = Field(default_factory=dict)
    """Added to the environment of the runner and so of every processor."""
    verify: Literal["quick", "full"] = "quick"
    """How finished jobs are checked before they are used again."""


def make_backend(settings: BackendSettings | None = None) -> ExecutionBackend:
    """Return the backend the settings ask for."""
    chosen = settings or BackendSettings()
    return LocalBackend(python=chosen.python, environment=chosen.environment, verify=chosen.verify)
