"""A whole session without Airflow: clusters as soon as their producers are done, products as soon as they are whole."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from s2ps.execution.result import ClusterResult
from s2ps.inventory.raw_data import RawData
from s2ps.inventory.records import DatatakeRecord
from s2ps.model.dimensions import Dimension
from s2ps.model.errors import Interrupted, ProcessorFailure
from s2ps.model.mission import Level
from s2ps.planning.cluster import Cluster
from s2ps.planning.plan import Plan
from s2ps.processors.phases import PhaseGroup
from s2ps.production.runs import RunKey
from s2ps.production.service import Production


class Watcher(Protocol):
    """What somebody who watches a run is told."""

    def planned(self, run: RunKey, plan: Plan) -> None:
        """A phase group was planned."""

    def line(self, run: RunKey, cluster: Cluster, text: str) -> None:
        """A cluster said something, mostly that a job has ended."""

    def finished(self, run: RunKey, cluster: Cluster, result: ClusterResult) -> None:
        """A cluster has ended well."""

    def published(self, run: RunKey, level: Level, paths: list[Path]) -> None:
        """Products appeared."""


@dataclass(slots=True)
class LocalRun:
    """Runs sessions and datatakes in this process, `parallel` clusters at a time."""

    production: Production
    watcher: Watcher
    parallel: int = 1

    def session(self, folder: Path, options: RunKey) -> list[DatatakeRecord]:
        """Run a session folder to all its products; return its datatakes. Raises ProcessorFailure and InputError."""
        record = self.production.register_session(folder)
        run = RunKey("session", record.id, options.strategy, baseline=options.baseline, faults=options.faults)
        self._group(run, PhaseGroup.L0U, ())
        datatakes = self.production.datatakes(record.id)
        self.watcher.published(run, Level.L0U, self.production.publish_session(record.id))
        for datatake in datatakes:
            self.datatake(datatake, options)
        return datatakes

    def datatake(self, record: DatatakeRecord, options: RunKey) -> None:
        """Run a datatake to the levels its type asks for."""
        run = RunKey("datatake", record.id, options.strategy, options.from_level, options.baseline, options.faults)
        levels = tuple(Level(name) for name in record.levels)
        for group in (PhaseGroup.DATASTRIP, PhaseGroup.L1B, PhaseGroup.TILES):
            if group is PhaseGroup.DATASTRIP or levels[-1].rank > Level.L1A.rank:
                self._group(run, group, levels)
        RawData(self.production.inventory).finish(record.id, datetime.now(UTC))

    def _group(self, run: RunKey, group: PhaseGroup, levels: tuple[Level, ...]) -> None:
        self.production.plan(run, group)
        plan = self.production.stored_plan(run.id, group)
        self.watcher.planned(run, plan)
        publications = _Publications(plan, levels)
        with ThreadPoolExecutor(max_workers=self.parallel) as pool:
            for cluster, result in _in_order(plan, pool, lambda item: self._cluster(run, item)):
                self.watcher.finished(run, cluster, result)
                for level, tile in publications.after(cluster):
                    self.watcher.published(run, level, self.production.publish(run, level.value, tile))

    def _cluster(self, run: RunKey, cluster: Cluster) -> ClusterResult:
        result = self.production.run_cluster(run, cluster.id, lambda text: self.watcher.line(run, cluster, text))
        if result.state == "interrupted":
            raise Interrupted(f"cluster {cluster.id} was interrupted", next_step="run the same command again to go on")
        if result.state == "failed":
            raise ProcessorFailure(
                f"cluster {cluster.id} of {run.id} failed: {result.error or 'no job said why'}",
                next_step="correct the cause, then run the same command again: finished jobs are kept",
            )
        return result


@dataclass(slots=True)
class _Publications:
    """What can be published when which clusters are done."""

    plan: Plan
    levels: tuple[Level, ...]
    done: set[str] = field(default_factory=set)
    published: set[tuple[Level, str | None]] = field(default_factory=set)

    def after(self, cluster: Cluster) -> Iterator[tuple[Level, str | None]]:
        """Note that a cluster is done; yield the levels and tiles whose clusters now all are."""
        self.done.add(cluster.id)
        for level in self.levels:
            of_level = [item for item in self.plan.clusters.clusters if item.level == level.value]
            tiles = {tile for item in of_level for tile in (item.data_id.values(Dimension.TILE) or ())}
            for tile in sorted(tiles) if tiles else [None]:
                needed = {item.id for item in of_level if item.data_id.values(Dimension.TILE) in (None, (tile,))}
                if needed and needed <= self.done and (level, tile) not in self.published:
                    self.published.add((level, tile))
                    yield level, tile


class _Start(Protocol):
    def __call__(self, cluster: Cluster) -> ClusterResult: ...


def _in_order(plan: Plan, pool: ThreadPoolExecutor, start: _Start) -> Iterator[tuple[Cluster, ClusterResult]]:
    """Start every cluster when its producers have ended; yield them as they end.

    A cluster whose processor fails stops only those that need it: the first such failure is raised when all others
    have ended. Any other error stops new ones at once.
    """
    waiting = {cluster.id: {p for p, c in plan.clusters.edges if c == cluster.id} for cluster in plan.clusters.clusters}
    running: dict[Future[ClusterResult], Cluster] = {}
    failures: list[ProcessorFailure] = []
    while True:
        for name in [name for name, producers in waiting.items() if not producers]:
            cluster = plan.cluster(name)
            running[pool.submit(start, cluster)] = cluster
            del waiting[name]
        if not running:
            break
        ended, _ = wait(running, return_when=FIRST_COMPLETED)
        for future in ended:
            cluster = running.pop(future)
            try:
                result = future.result()
            except ProcessorFailure as failure:
                failures.append(failure)
                continue
            yield cluster, result
            for producers in waiting.values():
                producers.discard(cluster.id)
    if failures:
        raise failures[0]
