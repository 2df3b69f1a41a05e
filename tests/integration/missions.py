"""Simulated missions on disk, run by the production API, with a record of what every run did."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ipf_adapters.simulation.truth import Truth
from s2ps.cli.run import only_session
from s2ps.execution.result import ClusterResult
from s2ps.model.errors import S2psError
from s2ps.model.mission import Level
from s2ps.planning.cluster import Cluster
from s2ps.planning.plan import Plan
from s2ps.production import Production, RunKey
from s2ps.production.local_run import LocalRun
from s2ps.settings import Settings

SIMULATION_TIMEOUT_S = 600


@dataclass(slots=True)
class Record:
    """What one run of a session did; a Watcher that says nothing."""

    planned_jobs: list[str] = field(default_factory=list)
    done: list[str] = field(default_factory=list)
    reused: list[str] = field(default_factory=list)
    products: list[str] = field(default_factory=list)
    datatakes: list[str] = field(default_factory=list)
    error: str = ""
    next_step: str = ""
    error_type: str = ""

    def planned(self, run: RunKey, plan: Plan) -> None:
        """Note the jobs of a plan."""
        self.planned_jobs += [f"{run.id}/{job.id}" for job in plan.graph]

    def line(self, run: RunKey, cluster: Cluster, text: str) -> None:
        """Say nothing."""

    def finished(self, run: RunKey, cluster: Cluster, result: ClusterResult) -> None:
        """Note which jobs ran and which were taken as they are."""
        for job in result.jobs:
            (self.reused if job.state == "reused" else self.done).append(f"{run.id}/{job.id}")

    def published(self, run: RunKey, level: Level, paths: list[Path]) -> None:
        """Note the products."""
        self.products += [path.name for path in paths]


@dataclass(frozen=True, slots=True)
class Mission:
    """The folder of one simulated mission and everything made from it."""

    home: Path

    @property
    def settings(self) -> Settings:
        """Settings of an installation in this folder, with two slots on every machine."""
        return Settings.load(self.home).model_copy(update={"slots": 2})

    @property
    def production(self) -> Production:
        """The service on this folder."""
        return Production(self.settings)

    @property
    def truth(self) -> Truth:
        """What a perfect product would hold."""
        return Truth.load(self.home)

    @property
    def session(self) -> Path:
        """The session folder."""
        return only_session(self.home / "session")

    @property
    def datatake(self) -> str:
        """Identifier of the first datatake."""
        return self.truth.mission.takes()[0].name

    @property
    def products_folder(self) -> Path:
        """The publication folder."""
        return self.home / "products"

    def products(self, level: str) -> dict[str, Path]:
        """Return the user products of a level by tile, as `32TPQ`."""
        found = sorted((self.products_folder / level).glob("*.SAFE"))
        return {path.name.split("_")[5].removeprefix("T"): path for path in found}

    def items(self, level: str) -> list[Path]:
        """Return the published items (PDI) of a level."""
        return sorted((self.products_folder / "PDI" / level).glob("S2*"))

    def listing(self) -> list[str]:
        """Return the names of all published products and items; anything half built shows up too."""
        folders = [self.products_folder / level for level in ("L1C", "L2A")]
        folders += sorted((self.products_folder / "PDI").glob("*"))
        return sorted(f"{folder.name}/{path.name}" for folder in folders for path in folder.glob("*"))

    def run(
        self,
        *,
        faults: Sequence[str] = (),
        from_level: Level | None = None,
        strategy: str = "single_machine",
        parallel: int = 2,
    ) -> Record:
        """Run the session; an S2PS error ends in the record."""
        record = Record()
        options = RunKey("datatake", "", strategy, from_level, faults=tuple(faults))
        try:
            found = LocalRun(self.production, record, parallel).session(self.session, options)
            record.datatakes = [item.id for item in found]
        except S2psError as error:
            record.error_type, record.error = type(error).__name__, f"{error.message} {error.expected or ''}"
            record.next_step = error.next_step or ""
        return record


def simulate(home: Path, **options: object) -> Mission:
    """Simulate a mission into a new folder by the command that users have; `gri=False` leaves out the reference."""
    command = [sys.executable, "-m", "ipf_adapters.simulation", "--output", str(home)]
    if not options.pop("gri", True):
        command.append("--no-gri")
    command += [text for name, value in options.items() for text in (f"--{name}", str(value))]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=SIMULATION_TIMEOUT_S, check=False)
    assert ended.returncode == 0, ended.stderr
    return Mission(home)


def job_outputs(mission: Mission, datatake: str) -> dict[str, str]:
    """Return the checksum of every output file of every finished job, by job and path."""
    folder = mission.home / "staging" / "runs" / datatake / "jobs"
    found = {}
    for document in sorted(folder.glob("*/job.json")):
        for entry in json.loads(document.read_text())["outputs"]:
            found[f"{document.parent.name}/{entry['path']}"] = entry["sha256"]
    return found
