"""Starts, watches and stops the embedded Airflow."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from s2ps.embedded.environment import USER, Project, Secrets, keep_private, variables, write_private
from s2ps.embedded.ports import DEFAULT_PORT, reserved_port
from s2ps.embedded.processes import OWNER_ONLY, Process, launch, tail, terminate
from s2ps.embedded.remains import end_all, end_idle
from s2ps.embedded.rest import AirflowClient
from s2ps.model.errors import ConfigurationError, TimeoutFailure

COMPONENTS: Mapping[str, tuple[str, ...]] = {
    "api-server": (),
    "scheduler": ("--skip-serve-logs",),
    "dag-processor": (),
    "triggerer": ("--skip-serve-logs",),
}
"""Components with their options, in order of start; log files are read from disk, so no log servers."""
LAST = "triggerer"
"""Nothing waits for it: no task of S2PS is deferred."""
LEFT = "left"
"""Where the state keeps components that were killed while a task of theirs was at work."""
RUNS_TASKS = "scheduler"
"""Its tasks write staging and products outside the home, so it keeps the umask of the caller."""
CORES_OF_PODS = 15
"""Tasks that wait for pods need hardly any CPU: as many at the same time as on so many cores."""
REQUIRED_DAGS = frozenset({"session_ingestion", "datatake"})
MIGRATION_LIMIT = 180.0


@dataclass(frozen=True, slots=True)
class RuntimeStatus:
    """What is known of an embedded Airflow."""

    url: str | None
    components: Mapping[str, str]
    """Component -> "running", "dead" or "not started"."""
    health: Mapping[str, str]
    problems: tuple[str, ...]

    @property
    def ready(self) -> bool:
        """Return whether everything a run needs is up and healthy."""
        needed = {self.health.get(name) for name in ("metadatabase", "scheduler", "dag_processor")}
        return not self.problems and needed == {"healthy"}


class EmbeddedAirflow:
    """One private Airflow below a folder; everything can be repeated without harm."""

    def __init__(
        self,
        home: Path,
        port: int | None = None,
        *,
        settings: Mapping[str, str] | None = None,
        project: Path | None = None,
        cores: int | None = None,
    ) -> None:
        """`home` gets everything Airflow writes; `settings` are S2PS_* variables its tasks shall see."""
        self.home = home.expanduser().resolve()
        self.project = Project.locate(project)
        self._settings = dict(settings or {})
        self._wanted_port = port
        waits = self._settings.get("S2PS_EXECUTION") == "pod"
        self._cores = cores or (CORES_OF_PODS if waits else os.cpu_count()) or 1

    @property
    def password(self) -> str:
        """Return the password of the user `admin`."""
        return self._secrets().password

    @property
    def user(self) -> str:
        """Return the name of the only user."""
        return USER

    @property
    def url(self) -> str:
        """Return the address of the pages; raise ConfigurationError when it was never started."""
        port = self._state().get("port")
        if port is None:
            raise ConfigurationError(f"no Airflow was started in {self.home}", next_step="call start() first")
        return f"http://127.0.0.1:{port}"

    def client(self) -> AirflowClient:
        """Return a client with the credentials of this installation."""
        return AirflowClient(self.url, USER, self.password)

    def environment(self, port: int) -> dict[str, str]:
        """Return the full environment of the components and of `airflow` commands typed by hand."""
        own = variables(self.home, self.project, port, self._secrets(), self._cores)
        return {**os.environ, **self._settings, **own}

    def start(self, wait: float = 180.0, on_step: Callable[[str], None] | None = None) -> str:
        """Start what is not running and wait until DAGs can be triggered; return the address of the pages.

        Workers that a killed scheduler has left idle are ended; a task that it has begun may finish.
        Raises ConfigurationError with the tail of the log when a component dies, TimeoutFailure after `wait` seconds.
        """
        running = {process.name: process for process in self._processes() if process.alive}
        if running:
            return self._start(int(self._state()["port"]), running, wait, on_step)
        with reserved_port(self._wanted_port) as port:
            return self._start(port, running, wait, on_step)

    def stop(self) -> list[str]:
        """Stop every component and what killed ones have left; return the names of those that had to be forced."""
        forced = terminate(self._processes())
        end_all(dict.fromkeys([*self._processes(), *self._processes(LEFT)]), self.home)
        state = self._state()
        if state:
            self._store({**state, "processes": [], LEFT: []})
        return forced

    def status(self) -> RuntimeStatus:
        """Return the state of every component; a dead one comes with the tail of its log."""
        known = {process.name: process for process in self._processes()}
        states = {n: ("running" if known[n].alive else "dead") if n in known else "not started" for n in COMPONENTS}
        problems = [self._problem(name) for name, state in states.items() if state == "dead"]
        if "port" not in self._state():
            return RuntimeStatus(None, states, {}, tuple(problems))
        client = self.client()
        health = client.health() if states["api-server"] == "running" else {}
        client.close()
        return RuntimeStatus(self.url, states, health, tuple(problems))

    def command(self, *arguments: str, timeout: float = 120.0) -> subprocess.CompletedProcess[str]:
        """Run an `airflow` command against this installation, such as ("backfill", "create", ...)."""
        port = int(self._state().get("port", DEFAULT_PORT))
        return subprocess.run(
            [*_airflow(), *arguments],
            env=self.environment(port),
            cwd=self.home,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )

    def _start(self, port: int, running: dict[str, Process], wait: float, on_step: Callable[[str], None] | None) -> str:
        tell = on_step or (lambda _: None)
        environment = self.environment(port)
        keep_private(self.home)
        write_private(self.home / "passwords.json", json.dumps({USER: self.password}))
        self._write_environment(environment)
        self._clear_remains()
        if not running and self._state().get("database") != airflow_version():
            tell("preparing the database")
            self._migrate(environment)
        self._launch_missing([name for name in COMPONENTS if name != LAST], running, port, environment)
        tell("waiting for the components")
        self._await_ready(wait)
        self._launch_missing([LAST], running, port, environment)
        return self.url

    def _launch_missing(
        self, names: Iterable[str], running: dict[str, Process], port: int, environment: Mapping[str, str]
    ) -> None:
        for name in names:
            if name not in running:
                command = [*_airflow(), name, *COMPONENTS[name]]
                running[name] = launch(
                    name, command, environment, self._log(name), self.home, private=name != RUNS_TASKS
                )
        processes = [asdict(process) for process in running.values()]
        self._store({**self._state(), "port": port, "processes": processes, "database": airflow_version()})

    def _clear_remains(self) -> None:
        """End what waits for nothing behind dead components; keep in mind those of which a task is at work still."""
        dead = [process for process in self._processes() if not process.alive]
        working = end_idle(dict.fromkeys([*dead, *self._processes(LEFT)]), self.home)
        if self._state():
            self._store({**self._state(), LEFT: [asdict(process) for process in working]})

    def _migrate(self, environment: Mapping[str, str]) -> None:
        log = self._log("database")
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as stream:
            code = subprocess.run(
                [*_airflow(), "db", "migrate"],
                env=dict(environment),
                cwd=self.home,
                stdout=stream,
                stderr=subprocess.STDOUT,
                umask=OWNER_ONLY,
                timeout=MIGRATION_LIMIT,
                check=False,
            ).returncode
        if code:
            raise ConfigurationError(f"Airflow's database could not be prepared (exit code {code})\n{tail(log)}")

    def _await_ready(self, wait: float) -> None:
        deadline = time.monotonic() + wait
        client = self.client()
        warm = False
        while True:
            status = self.status()
            if status.problems:
                raise ConfigurationError("\n".join(status.problems), next_step="correct the cause and start again")
            if status.health and not warm:
                client.warm_up()
                warm = True
            if status.ready and set(client.dag_ids()) >= REQUIRED_DAGS:
                client.close()
                return
            if time.monotonic() > deadline:
                raise TimeoutFailure(f"Airflow is not ready after {wait:.0f} s: {self._missing(status, client)}")
            time.sleep(0.3)

    def _missing(self, status: RuntimeStatus, client: AirflowClient) -> str:
        if not status.health:
            return f"the API does not answer\n{tail(self._log('api-server'))}"
        sick = [name for name, state in status.health.items() if state != "healthy"]
        errors = [f"{name}\n{trace}" for name, trace in client.import_errors().items()]
        missing = sorted(REQUIRED_DAGS - set(client.dag_ids()))
        return f"unhealthy: {sick}; missing DAGs: {missing}\n" + "\n".join(errors)

    def _problem(self, name: str) -> str:
        return f"{name} has died; last lines of {self._log(name)}:\n{tail(self._log(name))}"

    def _log(self, name: str) -> Path:
        return self.home / "logs" / f"{name}.log"

    def _secrets(self) -> Secrets:
        return Secrets.keep(self.home / "secrets.json")

    def _state(self) -> dict[str, Any]:
        path = self.home / "state.json"
        return dict(json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else {}

    def _store(self, state: Mapping[str, object]) -> None:
        write_private(self.home / "state.json", json.dumps(state, indent=1))

    def _processes(self, kind: str = "processes") -> list[Process]:
        return [Process(**item) for item in self._state().get(kind, [])]

    def _write_environment(self, environment: Mapping[str, str]) -> None:
        own = {n: v for n, v in environment.items() if n.startswith(("AIRFLOW", "S2PS_")) or n == "PYTHONPATH"}
        lines = [f"export {name}={shlex.quote(value)}" for name, value in sorted(own.items())]
        write_private(self.home / "environment.sh", "\n".join(lines) + "\n")


def airflow_version() -> str:
    """Return the version of the installed Airflow, which is also that of its database."""
    return metadata.version("apache-airflow-core")


def _airflow() -> list[str]:
    return [sys.executable, "-m", "airflow"]
