"""One embedded Airflow, started by the demonstration command on a small session, shared by the end-to-end tests."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from s2ps.embedded.rest import AirflowClient
from s2ps.embedded.runtime import EmbeddedAirflow
from s2ps.inventory.store import Inventory
from s2ps.settings import Settings

SCALE = 30
LIMIT = 1800


@dataclass(frozen=True)
class Demo:
    """A demonstration that has ended, with its Airflow still running."""

    home: Path
    output: str
    client: AirflowClient

    @property
    def settings(self) -> Settings:
        return Settings.load(self.home)

    @property
    def airflow(self) -> EmbeddedAirflow:
        return airflow_of(self.home)

    @property
    def datatake(self) -> str:
        (session,) = self.inventory.sessions()
        (found,) = self.inventory.datatakes_of(session.id)
        return found.id

    @property
    def inventory(self) -> Inventory:
        return Inventory(self.settings.place("inventory"))

    def products(self, level: str) -> list[Path]:
        return sorted((self.settings.place("products") / level).glob("*.SAFE"))


def airflow_of(home: Path) -> EmbeddedAirflow:
    return EmbeddedAirflow(home / "airflow", settings=Settings.load(home).environment())


def command(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run `s2ps` as a user does."""
    program = Path(sys.executable).with_name("s2ps")
    return subprocess.run(
        [str(program), *arguments, "--home", str(home)], capture_output=True, text=True, timeout=LIMIT, check=False
    )


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    home = tmp_path_factory.mktemp("demo")
    try:
        done = command(home, "demo", "--scale", str(SCALE), "--port", "8765")
        assert done.returncode == 0, done.stdout + done.stderr
        client = airflow_of(home).client()
        yield Demo(home, done.stdout, client)
        client.close()
    finally:
        stopped = command(home, "stop")
        assert stopped.returncode == 0, stopped.stderr
