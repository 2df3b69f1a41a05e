"""The production service under an embedded Airflow whose clusters run as pods of the test cluster."""

from __future__ import annotations

import hashlib
import os
import random
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from e2e_cluster.cluster import AWS_KEYS, Place

from s2ps.embedded.rest import AirflowClient, TaskProgress
from s2ps.embedded.runtime import EmbeddedAirflow
from s2ps.inventory.store import Inventory
from s2ps.settings import Settings

CREATED = "2026-07-02T00:00:00Z"
"""Creation date of all products, so that runs can be compared."""
SCALE = 30
LIMIT = 1800.0


@dataclass(frozen=True)
class Mission:
    """A simulated session with its auxiliary data, and the settings to work on it."""

    folder: Path

    @classmethod
    def make(cls, folder: Path, scale: int = SCALE) -> Mission:
        """Simulate a session, unless the folder holds one."""
        if not (folder / "truth").is_dir():
            s2ps(folder, "simulate", "--scale", str(scale), "--home", str(folder))
        folder.chmod(0o755)
        return cls(folder)

    @property
    def session(self) -> Path:
        (found,) = (self.folder / "session").iterdir()
        return found

    def variables(self, home: Path) -> dict[str, str]:
        """Return the settings of a service in a home of its own."""
        data = {f"S2PS_{name.upper()}": str(self.folder / name) for name in ("auxiliary", "static", "gri")}
        return {**data, "S2PS_HOME": str(home), "S2PS_CREATION_DATE": CREATED, "S2PS_SLOTS": "2"}

    def run_here(self, home: Path) -> Path:
        """Run the session on this machine without Airflow, once; return the folder of products."""
        if not (home / "done").is_file():
            s2ps(home, "run", "--home", str(home), "--session", str(self.session), **self.variables(home))
            (home / "done").touch()
        return home / "products"


def s2ps(folder: Path, *arguments: str, **variables: str) -> str:
    """Run an `s2ps` command."""
    folder.mkdir(parents=True, exist_ok=True)
    program = Path(sys.executable).with_name("s2ps")
    done = subprocess.run(
        [str(program), *arguments], capture_output=True, text=True, timeout=LIMIT, env={**os.environ, **variables},
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def checksums(products: Path) -> dict[str, str]:
    """Return the SHA-256 of every file of all products."""
    files = sorted(path for path in products.rglob("*") if path.is_file())
    return {str(path.relative_to(products)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@dataclass
class Service:
    """An Airflow of its own; `variables` (S2PS_*, AIRFLOW__*) win over what the tests usually take."""

    place: Place
    mission: Mission
    home: Path
    image: str
    staging: str = ""
    """Folder or URI; default: the folder of the place on CephFS."""
    variables: Mapping[str, str] = field(default_factory=dict)
    project: Path | None = None
    """Folder with other DAG files; default: the checkout."""
    _airflow: EmbeddedAirflow | None = None
    _client: AirflowClient | None = None

    @property
    def environment(self) -> dict[str, str]:
        """Return the variables of this service: those of S2PS, of its pods, of Kubernetes and of S3."""
        s3 = {name: value for name, value in self.place.cluster.env.items() if name in AWS_KEYS}
        self.home.mkdir(parents=True, exist_ok=True)
        return {
            **s3,
            **self.mission.variables(self.home),
            "S2PS_EXECUTION": "pod",
            "S2PS_STAGING": self.staging or str(self.place.staging),
            "S2PS_POD_NAMESPACE": self.place.name,
            "S2PS_POD_IMAGE": self.image,
            "S2PS_POD_IMAGE_PULL_POLICY": "Never",
            "S2PS_POD_DATA_MOUNT": str(self.mission.folder),
            "S2PS_POD_CPU_REQUEST_SHARE": "0.3",
            "S2PS_POD_MEMORY_REQUEST_SHARE": "0.2",
            "S2PS_POD_DISK_REQUEST_SHARE": "0.1",
            "S2PS_POD_RETRY_DELAY_S": "3",
            "KUBECONFIG": str(self.place.kubeconfig(self.home)),
            "AIRFLOW__CORE__DEFAULT_TASK_RETRY_DELAY": "3",
            **self.variables,
        }

    @property
    def settings(self) -> Settings:
        """Return the settings as the tasks see them."""
        with pytest.MonkeyPatch.context() as patch:
            for name, value in self.environment.items():
                patch.setenv(name, value)
            return Settings.load()

    @property
    def airflow(self) -> EmbeddedAirflow:
        if self._airflow is None:
            port = random.randint(20000, 32000)
            self._airflow = EmbeddedAirflow(
                self.home / "airflow", port, settings=self.environment, project=self.project
            )
        return self._airflow

    @property
    def client(self) -> AirflowClient:
        if self._client is None:
            self._client = self.airflow.client()
        return self._client

    @property
    def products(self) -> Path:
        return self.home / "products"

    def start(self) -> None:
        self.airflow.start(wait=600)

    def stop(self) -> None:
        if self._client is not None:
            self._client.close()
            self._client = None
        self.airflow.stop()

    def ingest(self) -> str:
        """Run the session up to the announcement of its one datatake; return the datatake."""
        run_id = self.client.trigger("session_ingestion", {"session": str(self.mission.session)})
        state = self.client.wait("session_ingestion", run_id, LIMIT)
        assert state == "success", self.failures("session_ingestion", run_id)
        (datatake,) = self.client.xcom("session_ingestion", run_id, "announce_datatakes")
        return str(datatake)

    def run_of(self, datatake: str, wait: float = 60) -> str:
        """Return the run of a datatake, which starts soon after its announcement."""
        deadline = time.monotonic() + wait
        while time.monotonic() < deadline:
            run = self.client.run_of_partition("datatake", datatake)
            if run is not None:
                return str(run["dag_run_id"])
            time.sleep(1)
        raise AssertionError(f"no run of {datatake} after {wait:.0f} s")

    def wait(self, run_id: str, limit: float = LIMIT) -> str:
        """Wait for the end of a datatake run; return its state."""
        return self.client.wait("datatake", run_id, limit)

    def tasks(self, run_id: str, dag_id: str = "datatake") -> list[TaskProgress]:
        return self.client.task_instances(dag_id, run_id)

    def log(self, run_id: str, task: TaskProgress, dag_id: str = "datatake") -> str:
        """Return the log of the last try of a task."""
        return self.client.log(dag_id, run_id, task.task_id, max(1, task.try_number), task.map_index)

    def failures(self, dag_id: str, run_id: str) -> str:
        """Return the end of the logs of all failed tasks of a run."""
        failed = [task for task in self.tasks(run_id, dag_id) if task.state == "failed"]
        return "\n".join(f"{task.task_id}[{task.label}]\n{self.log(run_id, task, dag_id)[-3000:]}" for task in failed)

    @property
    def inventory(self) -> Inventory:
        return Inventory(self.home / "inventory.sqlite")

    def pods(self, selector: str = "") -> list[dict[str, Any]]:
        return self.place.pods(selector)
