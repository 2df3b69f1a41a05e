"""What attempts share: the task state of a task, and a clock that stands still."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from dags.pods import cases
from dags.pods.table import StateStore


@pytest.fixture
def noon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let it be noon where attempts look at the clock."""

    class Noon(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return cases.NOW.astimezone(tz or UTC)

    for module in ("launch", "attempt"):
        monkeypatch.setattr(f"s2ps_airflow.pods.{module}.datetime", Noon)


@pytest.fixture
def state() -> StateStore:
    """What Airflow keeps for a task from try to try."""
    return StateStore()
