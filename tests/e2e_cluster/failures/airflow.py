"""Kill parts of an embedded Airflow with everything they started, as when a machine loses its power."""

from __future__ import annotations

import json
import os
import signal
from contextlib import suppress
from pathlib import Path

from cluster.controls import wait

from s2ps.embedded.runtime import EmbeddedAirflow


def kill_at_once(airflow: EmbeddedAirflow, *components: str) -> list[int]:
    """Kill components and all their descendants by SIGKILL; return the ids of the killed processes."""
    state = json.loads((airflow.home / "state.json").read_text())
    roots = [int(item["pid"]) for item in state["processes"] if item["name"] in components]
    doomed = [pid for root in roots for pid in (root, *_descendants(root))]
    for pid in doomed:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGSTOP)
    for pid in doomed:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    wait("the end of the killed processes", lambda: not any(_runs(pid) for pid in doomed), 30, 0.1)
    return doomed


def _runs(pid: int) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False


def _descendants(root: int) -> list[int]:
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(FileNotFoundError, ProcessLookupError):
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
                children.setdefault(int(fields[1]), []).append(int(entry.name))
    found: list[int] = []
    pending = [root]
    while pending:
        new = children.get(pending.pop(), [])
        found += new
        pending += new
    return found
