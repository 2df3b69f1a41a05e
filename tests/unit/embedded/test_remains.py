"""What a killed component leaves behind, with real processes that behave as Airflow's scheduler and workers do."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from s2ps.embedded import EmbeddedAirflow
from s2ps.embedded.processes import Process, born, launch, tail, terminate
from s2ps.embedded.remains import end_all, end_idle, left_by

pytestmark = pytest.mark.unit
ROOT = Path(__file__).resolve().parents[3]
SCHEDULER = """
import os, signal, sys, time

def fork(work):
    pid = os.fork()
    if pid == 0:
        work()
        os._exit(0)
    return pid

def worker(busy):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if busy:
        print("task", fork(task), flush=True)
    print("busy" if busy else "idle", os.getpid(), flush=True)
    time.sleep(120)

def task():
    os.setpgid(0, 0)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    os.chdir("/")
    time.sleep(120)

fork(lambda: worker(False))
fork(lambda: worker(True))
time.sleep(120)
"""


def until(true: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + 30
    while not true():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


@pytest.fixture
def killed(tmp_path: Path) -> Iterator[tuple[Process, dict[str, int]]]:
    """A scheduler that was killed, and the processes it has started by what they are."""
    log = tmp_path / "scheduler.log"
    leader = launch("scheduler", [sys.executable, "-c", SCHEDULER], os.environ, log, tmp_path)
    pids: dict[str, int] = {}
    try:
        until(lambda: len(tail(log).splitlines()) == 3, "three processes are started")
        pids = {name: int(pid) for name, pid in (line.split() for line in tail(log).splitlines())}
        os.kill(leader.pid, signal.SIGKILL)
        until(lambda: not leader.alive, "the scheduler is dead")
        yield leader, pids
    finally:
        terminate([leader], grace=0)
        for pid in pids.values():
            if born(pid) is not None and os.getsid(pid) == leader.pid:
                os.kill(pid, signal.SIGKILL)


def running(pids: dict[str, int]) -> set[str]:
    return {name for name, pid in pids.items() if born(pid) is not None}


def test_an_idle_worker_is_ended_and_a_task_at_work_goes_on(
    tmp_path: Path, killed: tuple[Process, dict[str, int]]
) -> None:
    leader, pids = killed
    assert {process.pid for process in left_by(leader, tmp_path)} == set(pids.values())
    assert end_idle([leader], tmp_path) == [leader]
    assert running(pids) == {"busy", "task"}


def test_nothing_of_a_killed_component_survives_the_end_of_all(
    tmp_path: Path, killed: tuple[Process, dict[str, int]]
) -> None:
    leader, pids = killed
    end_all([leader], tmp_path, grace=0.3)
    assert running(pids) == set()
    assert left_by(leader, tmp_path) == []


def test_processes_of_another_folder_or_of_a_later_session_are_left_alone(
    tmp_path: Path, killed: tuple[Process, dict[str, int]]
) -> None:
    leader, pids = killed
    end_all([leader], tmp_path / "other", grace=0)
    end_all([replace(leader, born=leader.born + 10**9)], tmp_path, grace=0)
    assert running(pids) == {"idle", "busy", "task"}


def test_stop_ends_what_a_scheduler_killed_before_has_left(
    tmp_path: Path, killed: tuple[Process, dict[str, int]]
) -> None:
    leader, pids = killed
    airflow = EmbeddedAirflow(tmp_path, project=ROOT)
    (tmp_path / "state.json").write_text(json.dumps({"port": 1, "processes": [asdict(leader)]}))
    airflow._clear_remains()
    assert running(pids) == {"busy", "task"}
    (tmp_path / "state.json").write_text(json.dumps({**airflow._state(), "processes": []}))
    assert airflow.stop() == []
    assert running(pids) == set()
