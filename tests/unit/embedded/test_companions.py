"""What runs beside Airflow, with real processes."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from s2ps.embedded.companions import Companions
from s2ps.model.errors import ConfigurationError, TimeoutFailure

pytestmark = pytest.mark.unit
READY = r"ready at (\S+)"


def program(text: str) -> list[str]:
    return [sys.executable, "-c", text]


SERVING = program("import time; print('ready at http://x', flush=True); time.sleep(60)")


@pytest.fixture
def beside(tmp_path: Path) -> Iterator[Companions]:
    found = Companions(tmp_path / "beside")
    yield found
    found.stop()


def test_one_that_runs_is_not_started_again_and_is_found_by_others(beside: Companions) -> None:
    assert beside.start("station", SERVING, os.environ, READY) == "http://x"
    pid = beside.running()["station"].process.pid
    assert beside.start("station", SERVING, os.environ, READY) == "http://x"
    other = Companions(beside.folder)
    assert other.running()["station"].process.pid == pid
    assert other.stop() == []
    assert beside.running() == {}


def test_several_are_kept_and_what_an_earlier_one_said_does_not_count(beside: Companions) -> None:
    beside.start("station", SERVING, os.environ, READY)
    beside.start("prip", SERVING, os.environ, READY)
    assert set(beside.running()) == {"station", "prip"}
    beside.stop()
    with pytest.raises(TimeoutFailure, match="station is not ready"):
        beside.start("station", program("import time; time.sleep(60)"), os.environ, READY, wait=0.5)
    assert beside.running() == {}


def test_one_that_ends_is_told_with_its_last_words(beside: Companions) -> None:
    with pytest.raises(ConfigurationError, match="port is taken"):
        beside.start("station", program("raise SystemExit('port is taken')"), os.environ, READY)
