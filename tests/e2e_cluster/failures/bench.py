"""A datatake produced up to L1B, whose tiles are made on pods one by one while something fails."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml
from cluster.controls import Controls, Pod, wait
from e2e_cluster.cluster import ROOT
from e2e_cluster.failures.watch import PodWatch
from e2e_cluster.service import Service, checksums

from ipf_adapters.runner.outputs import write_record
from s2ps.embedded.rest import AirflowClient, TaskProgress
from s2ps.execution.request import ClusterRequest
from s2ps.execution.result import ClusterResult, JobRecord
from s2ps.processors.phases import PhaseGroup
from s2ps.production import Production
from s2ps.production.runs import RunKey
from s2ps.settings import Settings
from s2ps.staging import layout
from s2ps.staging.store import StagingStore

STRATEGY = "single_machine"
WAITING, DEFERRED, BOTH = "tile_waiting", "tile_deferred", "tile_both"
SECOND = "l1c_tile_2"
"""Task of the second tile of `tile_both`, which waits in the triggerer."""
NODE, TASK = "l1c_tile", "l1c_tile"
OBSERVED = frozenset({"EISP_ING_TYP", "GET_GRI", "GET_TILE_LIST"})
"""Tasks whose outputs the planner reads."""
HEAD = ("TILE_INIT", "GEN_ORTHO_TOA", "TILE_FINALIZE", "MASK_S2", "FORMAT_IMG_L1C", "FORMAT_IMG_PVI_TCI")
"""Jobs of a tile that are taken from the run on this machine, to save time: pods have to reuse them."""
TAIL = ("FORMAT_METADATA_TILE_L1C", "OLQC_TILE_L1C", "INV_MTD_L1")
"""Jobs of a tile that pods have to run."""
FIRST, NEXT = TAIL[:2]
LIMIT = 600.0


def cluster_of(tile: str) -> str:
    return f"{NODE}@tile={tile}"


def _job(tile: str, task: str) -> str:
    return f"L1CTile.{task}@tile={tile}"


@dataclass
class Ground:
    """The datatake in one staging."""

    settings: Settings
    local: StagingStore
    """Staging of a run on this machine, whose jobs are taken over."""
    datatake: str = ""
    tiles: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()
    """What was planned last."""

    @cached_property
    def production(self) -> Production:
        return Production(self.settings)

    @property
    def store(self) -> StagingStore:
        return self.production.store

    def prepare(self, session: Path, *ready: str) -> None:
        """Plan everything and bring what the tiles need; `ready` (default: all) are those a test will make."""
        record = self.production.register_session(session)
        self.production.plan(RunKey("session", record.id, STRATEGY), "l0u")
        self._bring_observed(record.id, "l0u")
        (found,) = self.production.datatakes(record.id)
        self.datatake = found.id
        for group in ("datastrip", "l1b"):
            self.production.plan(self.run(), group)
            self._bring_observed(found.id, group)
        self.plan()
        for cluster in ("l1c_datastrip", *map(cluster_of, self.tiles)):
            request = self.request(cluster)
            own = {job.id for job in request.jobs}
            for entry in (entry for job in request.jobs for entry in job.inputs if entry.run is None):
                self._bring(found.id, [name for name in entry.jobs if name not in own])
        for tile in ready or self.tiles:
            self._bring_head(tile)
        assert self.production.run_cluster(self.run(), "l1c_datastrip").state == "success"

    def run(self, *faults: str) -> RunKey:
        return RunKey("datatake", self.datatake, STRATEGY, faults=faults)

    def plan(self, *faults: str) -> None:
        """Plan the tiles, with faults in their processors."""
        planned = self.production.plan(self.run(*faults), "tiles")
        self.faults = faults
        self.tiles = tuple(sorted(ref.label.split()[0] for ref in planned if ref.node == NODE))

    def request(self, cluster: str) -> ClusterRequest:
        return ClusterRequest.model_validate_json(self.store.read(layout.request(self.datatake, cluster)))

    def result(self, tile: str) -> ClusterResult:
        return ClusterResult.model_validate_json(self.store.read(layout.result(self.datatake, cluster_of(tile))))

    def states(self, tile: str) -> dict[str, str]:
        """Return the state of each job by its task, as the last pod of a tile tells it."""
        return {job.task: job.state for job in self.result(tile).jobs}

    def finished(self, tile: str, task: str) -> bool:
        """Return whether a job of a tile is in the staging."""
        return self.store.exists(layout.job(self.datatake, _job(tile, task)))

    def forget(self, tile: str, tasks: Sequence[str]) -> None:
        """Remove what some jobs have made of a tile, and its result."""
        for task in tasks:
            self.store.delete(layout.job(self.datatake, _job(tile, task)))
        self.store.delete(layout.result(self.datatake, cluster_of(tile)))

    def _bring_observed(self, run: str, group: str) -> None:
        plan = self.production.stored_plan(run, PhaseGroup(group))
        self._bring(run, [job.id for job in plan.graph if job.task in OBSERVED])

    def _bring_head(self, tile: str) -> None:
        """Bring the first jobs of a tile, under the keys they have in this staging."""
        for job in self.request(cluster_of(tile)).jobs:
            if job.task in HEAD:
                key = layout.job(self.datatake, job.id)
                tree = self.store.begin(key)
                shutil.copytree(self.local.open_local(key), tree, dirs_exist_ok=True)
                record = JobRecord.model_validate_json((tree / layout.JOB_DOCUMENT).read_bytes())
                write_record(tree, record.model_copy(update={"key": job.key}))
                assert self.store.commit(tree, key)

    def _bring(self, run: str, jobs: list[str]) -> None:
        for name in jobs:
            key = layout.job(run, name)
            if not self.store.exists(key):
                self.store.put(self.local.open_local(key), key)


@dataclass(frozen=True)
class Run:
    """One run of a DAG of tiles."""

    client: AirflowClient
    dag_id: str
    run_id: str

    def end(self) -> str:
        """Wait for the end of the run; return its state."""
        return self.client.wait(self.dag_id, self.run_id, LIMIT, pause=0.5)

    def task(self, task_id: str = TASK) -> TaskProgress:
        tasks = self.client.task_instances(self.dag_id, self.run_id)
        return next(task for task in tasks if task.task_id == task_id)

    def log(self, attempt: int = 0, task_id: str = TASK) -> str:
        """Return the log of a try (default: of the last one)."""
        return self.client.log(self.dag_id, self.run_id, task_id, attempt or self.task(task_id).try_number)

    def await_log(self, text: str, seconds: float = 180) -> None:
        """Wait until the log of any try says something."""

        def said() -> bool:
            tries = range(1, self.task().try_number + 1)
            return any(text in self.log(number) for number in tries)

        wait(f"{text!r} in the log", said, seconds, 1)

    def again(self) -> None:
        """Clear the task, as people do once the cause is mended."""
        self.client.clear(self.dag_id, self.run_id, [TASK])


@dataclass
class Bench:
    """One service for all tests of failures."""

    service: Service
    controls: Controls
    expected: Path
    """Products of an undisturbed run."""
    ground: Ground
    usual: Mapping[str, str] = field(default_factory=dict)
    """Variables of the tasks, on top of those of the service."""

    # ---- settings that a test may spoil
    def spoil(self, **variables: str) -> None:
        """Set variables for the tasks that start from now on; without any: the usual ones again."""
        path = self.service.home / "variables.json"
        new = path.with_suffix(".new")
        new.write_text(json.dumps({**self.usual, **variables}))
        new.replace(path)

    @contextmanager
    def spoilt(self, **variables: str) -> Iterator[None]:
        """Have other settings inside."""
        self.spoil(**variables)
        try:
            yield
        finally:
            self.spoil()

    def strategy(self, **changes: Any) -> dict[str, str]:
        """Return the settings for a strategy whose tiles differ: memory_gb, disk_gb, or options of the pod."""
        folder = self.service.home / "strategies"
        folder.mkdir(exist_ok=True)
        content = yaml.safe_load((ROOT / "src/s2ps/planning/strategies" / f"{STRATEGY}.yaml").read_text())
        (tiles,) = (cluster for cluster in content["clusters"] if cluster["name"] == NODE)
        for name, value in changes.items():
            (tiles["resources"] if name in tiles["resources"] else tiles["pod"])[name] = value
        name = f"changed_{len(list(folder.iterdir()))}"
        (folder / f"{name}.yaml").write_text(yaml.safe_dump({**content, "name": name}))
        return {"S2PS_STRATEGIES": str(folder), "S2PS_STRATEGY": name}

    # ---- runs
    def fresh(self, *tiles: str, fault: str = "", tasks: Sequence[str] = TAIL) -> None:
        """Forget some jobs and the products of tiles, and plan them again with a fault (TASK:fault)."""
        for tile in tiles:
            for path in self._published(tile):
                shutil.rmtree(path)
            for pod in self.pods(tile):
                self.controls.delete_pod(pod, at_once=True)
        task, _, kind = fault.partition(":")
        faults = tuple(f"{task}:tile={tile}:{kind}" for tile in tiles if fault)
        if faults != self.ground.faults:
            self.ground.plan(*faults)
        for tile in tiles:
            self.ground.forget(tile, tasks)

    def trigger(self, *tiles: str, dag_id: str = WAITING) -> Run:
        """Start a run for a tile, or for two."""
        conf: dict[str, Any] = {"datatake": self.ground.datatake}
        for name, tile in zip(("tile", "tile_2"), tiles, strict=False):
            jobs = len(self.ground.request(cluster_of(tile)).jobs)
            cluster = {"id": cluster_of(tile), "label": tile, "jobs": jobs}
            conf[name] = {"tile": tile, "clusters": {NODE: [cluster]}}
        return Run(self.service.client, dag_id, self.service.client.trigger(dag_id, conf))

    # ---- pods
    def watch(self) -> PodWatch:
        env = self.service.place.cluster.env
        return PodWatch(env["S2PS_TEST_KUBECTL"], env, self.service.place.name)

    def pods(self, tile: str) -> list[Pod]:
        return self.controls.pods(self.service.place.name, f"tile={tile}")

    def running_pod(self, tile: str, after: str = FIRST, seconds: float = 180) -> Pod:
        """Wait until the pod of a tile has done a job and runs the next one; return the pod."""
        wait(f"{after} of {tile}", lambda: self.ground.finished(tile, after), seconds, 0.3)
        return next(pod for pod in self.pods(tile) if pod.phase == "Running" and not pod.deleting)

    # ---- what must hold in the end
    def assert_went_on(self, *tiles: str) -> None:
        """What was finished before the failure was not run again, the rest was, and the products are whole."""
        for tile in tiles:
            states = self.ground.states(tile)
            assert {states.pop(task) for task in (*HEAD, FIRST)} == {"reused"}
            assert set(states.values()) == {"done"}
            self.assert_published(tile)

    def assert_undisturbed(self, *tiles: str) -> None:
        """One pod has run all jobs there were to run, once, and the products are whole."""
        for tile in tiles:
            states = self.ground.states(tile)
            assert {states.pop(task) for task in HEAD} == {"reused"}
            assert set(states.values()) == {"done"}
            self.assert_published(tile)

    def assert_published(self, tile: str) -> None:
        """The products of a tile are those of an undisturbed run, each there once."""
        expected, made = _checksums_of(self.expected, tile), _checksums_of(self.service.products, tile)
        assert len(expected) > 20
        assert sorted(made) == sorted(expected)
        assert [name for name in expected if made[name] != expected[name]] == []
        known = {item.name for item in self.service.inventory.products_of(self.ground.datatake)}
        assert {path.name for path in self._published(tile)} <= known

    def _published(self, tile: str) -> list[Path]:
        return [path for level in ("L1C", "PDI/L1C") for path in (self.service.products / level).glob(f"*T{tile}_*")]


def _checksums_of(products: Path, tile: str) -> dict[str, str]:
    folders = [path for level in ("L1C", "PDI/L1C") for path in (products / level).glob(f"*T{tile}_*")]
    return {f"{path.name}/{name}": digest for path in folders for name, digest in checksums(path).items()}


def load_environment(variables: Mapping[str, str]) -> None:
    """Set what the scripts of the test cluster and the S3 client read."""
    for name, value in variables.items():
        if name.startswith(("AWS_", "S2PS_TEST_")) or name in ("KUBECONFIG", "CEPH_CONF"):
            os.environ.setdefault(name, value)
