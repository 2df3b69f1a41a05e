"""Processes that belong to an installation beside Airflow: a simulated station, the web service of products."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from s2ps.embedded.environment import write_private
from s2ps.embedded.processes import Process, launch, tail, terminate
from s2ps.model.errors import ConfigurationError, TimeoutFailure


@dataclass(frozen=True, slots=True)
class Companion:
    """A started process and what it said when it was ready, such as its address."""

    process: Process
    said: str


class Companions:
    """Known by a file in a folder, so that another command finds and ends them; every call can be repeated."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._file = folder / "companions.json"

    def start(
        self, name: str, command: Sequence[str], environment: Mapping[str, str], ready: str, wait: float = 90.0
    ) -> str:
        """Start a process unless it runs; return the first group of `ready`, found in what it prints.

        Raises ConfigurationError with the tail of its log when it ends, TimeoutFailure after `wait` seconds.
        """
        known = self.running()
        if name in known:
            return known[name].said
        log = self.folder / f"{name}.log"
        before = log.stat().st_size if log.is_file() else 0
        process = launch(name, command, environment, log, self.folder)
        deadline = time.monotonic() + wait
        while (found := re.search(ready, _text(log, before))) is None:
            if not process.alive:
                raise ConfigurationError(f"{name} has ended; last lines of {log}:\n{tail(log)}")
            if time.monotonic() > deadline:
                terminate([process])
                raise TimeoutFailure(f"{name} is not ready after {wait:.0f} s\n{tail(log)}", next_step=f"read {log}")
            time.sleep(0.1)
        self._keep({**known, name: Companion(process, found[1])})
        return found[1]

    def running(self) -> dict[str, Companion]:
        """Return those that run, by name."""
        if not self._file.is_file():
            return {}
        kept = json.loads(self._file.read_text(encoding="utf-8"))
        found = {name: Companion(Process(**item["process"]), item["said"]) for name, item in kept.items()}
        return {name: companion for name, companion in found.items() if companion.process.alive}

    def stop(self) -> list[str]:
        """End all of them; return the names of those that had to be forced."""
        forced = terminate([companion.process for companion in self.running().values()])
        if self._file.is_file():
            self._keep({})
        return forced

    def _keep(self, companions: Mapping[str, Companion]) -> None:
        write_private(self._file, json.dumps({name: asdict(found) for name, found in companions.items()}, indent=1))


def _text(log: Path, after: int) -> str:
    with log.open("rb") as stream:
        stream.seek(after)
        return stream.read().decode("utf-8", "replace")
