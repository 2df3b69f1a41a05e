"""Background processes, with real ones."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from s2ps.embedded.processes import Process, launch, tail, terminate

pytestmark = pytest.mark.unit
SLEEP = [sys.executable, "-c", "import time; print('up', flush=True); time.sleep(60)"]
DEAF = [
    sys.executable,
    "-c",
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(60)",
]


@pytest.fixture
def started(tmp_path: Path) -> Iterator[list[Process]]:
    found: list[Process] = []
    yield found
    terminate(found, grace=0)


def start(command: list[str], folder: Path, started: list[Process]) -> Process:
    process = launch("one", command, os.environ, folder / "one.log", folder)
    started.append(process)
    deadline = time.monotonic() + 10
    while "up" not in tail(folder / "one.log") and time.monotonic() < deadline:
        time.sleep(0.02)
    return process


def test_a_process_leads_its_own_group_and_stops_when_asked(tmp_path: Path, started: list[Process]) -> None:
    process = start(SLEEP, tmp_path, started)
    assert process.alive
    assert os.getpgid(process.pid) == process.pid != os.getpgrp()
    assert terminate([process]) == []
    assert not process.alive


def test_a_deaf_process_is_forced_and_named(tmp_path: Path, started: list[Process]) -> None:
    process = start(DEAF, tmp_path, started)
    assert terminate([process], grace=0.3) == ["one"]
    deadline = time.monotonic() + 5
    while process.alive and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not process.alive


def test_another_process_with_the_same_id_is_not_ours(tmp_path: Path, started: list[Process]) -> None:
    process = start(SLEEP, tmp_path, started)
    other = replace(process, born=process.born - 1)
    assert not other.alive
    assert terminate([other]) == []
    assert process.alive


def test_tail_gives_the_last_lines(tmp_path: Path) -> None:
    log = tmp_path / "x.log"
    log.write_text("\n".join(str(number) for number in range(100)))
    assert tail(log, 2) == "98\n99"
    assert tail(tmp_path / "none.log") == ""


@pytest.mark.parametrize(("private", "mode"), [(True, 0o600), (False, 0o644)])
def test_a_private_process_makes_files_for_its_owner_only(
    tmp_path: Path, started: list[Process], private: bool, mode: int
) -> None:
    before = os.umask(0o022)
    try:
        command = [sys.executable, "-c", "open('made', 'w').close(); print('up', flush=True)"]
        process = launch("one", command, os.environ, tmp_path / "one.log", tmp_path, private=private)
    finally:
        os.umask(before)
    started.append(process)
    deadline = time.monotonic() + 10
    while process.alive and time.monotonic() < deadline:
        time.sleep(0.02)
    assert (tmp_path / "made").stat().st_mode & 0o777 == mode
