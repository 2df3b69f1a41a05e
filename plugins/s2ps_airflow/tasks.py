"""What the tasks do: calls of `s2ps.production`, with results small enough for XCom."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from airflow.sdk.exceptions import (
    AirflowException,
    AirflowFailException,
    AirflowRescheduleException,
    AirflowSkipException,
)

from s2ps.execution.result import ClusterResult, JobResult
from s2ps.model.errors import AuxiliaryMissing
from s2ps_airflow import production
from s2ps_airflow.alerts import send_alert
from s2ps_airflow.failures import translated

log = logging.getLogger(__name__)

AUXILIARY_POLL = timedelta(seconds=60)
"""How often a plan that waits for auxiliary files looks again; it holds no worker in between."""
USER_PRODUCT = ".SAFE"

Clusters = dict[str, list[dict[str, Any]]]


def register_session(folder: str) -> str:
    """Check that a session is complete and enter it; return its id."""
    if not folder.strip():
        raise AirflowFailException("this run names no session; expected: parameter `session`, the folder of a session")
    with translated():
        record = production.service().register_session(Path(folder))
    log.info("session %s is complete", record.id)
    return str(record.id)


def arrived_session(session: str) -> str:
    """Check that a session that has arrived from a station is still whole; return its id. Its t0 stays."""
    with translated():
        return register_session(str(production.inventory().session(session).folder))


def session_taken(session: str, run_id: str) -> None:
    """Note that a run makes a session, so that ingestion does not announce it any more."""
    with translated():
        production.arrivals().announce(session, run_id, datetime.now(UTC))


def poll_station(name: str) -> list[str]:
    """Poll a station once; return the sessions that are complete and that no run has taken yet, of any station."""
    with translated(), production.ingestion() as ingestion:
        report = ingestion.poll(name)
        for problem in report.problems:
            log.warning("%s", problem)
        for session, lacks in report.abandoned.items():
            send_alert({"event": "session_abandoned", "station": name, "session": session, "missing": list(lacks)})
        if report.busy:
            who = f"by {report.elsewhere}, which ingests for this inventory" if report.elsewhere else "by another run"
            raise AirflowSkipException(f"station {name} is being polled {who}")
        log.info(
            "station %s: %d files listed, %d fetched (%d bytes), complete: %s",
            name, report.listed, report.fetched, report.bytes, ", ".join(report.completed) or "nothing",
        )  # fmt: skip
        return [arrival.session for arrival in ingestion.arrivals.not_announced()]


def datatake_finished(datatake: str) -> None:
    """Note that a datatake is made, so that its session's raw data may go when their time is over."""
    with translated():
        production.raw_data().finish(datatake, datetime.now(UTC))


def plan(run: Any, phase_group: str, tile_nodes: frozenset[str]) -> tuple[Clusters, list[dict[str, Any]]]:
    """Plan a phase group; return the clusters per datastrip node and one record per tile."""
    with translated():
        try:
            clusters = production.service().plan(run, phase_group)
        except AuxiliaryMissing as missing:
            log.warning("%s", missing)
            again = min(datetime.now(UTC) + AUXILIARY_POLL, missing.until)
            raise AirflowRescheduleException(again) from missing  # type: ignore[no-untyped-call]
    per_node: Clusters = {}
    tiles: dict[str, dict[str, Any]] = {}
    for cluster in clusters:
        entry = {"id": cluster.id, "label": cluster.label, "jobs": cluster.jobs}
        if cluster.node in tile_nodes:
            tile = str(cluster.label).split()[0]
            record = tiles.setdefault(tile, {"tile": tile, "clusters": {}})
            record["clusters"].setdefault(cluster.node, []).append(entry)
        else:
            per_node.setdefault(cluster.node, []).append(entry)
    log.info(
        "%s: %d clusters, %d jobs, %d tiles", phase_group, len(clusters), sum(c.jobs for c in clusters), len(tiles)
    )
    return per_node, [tiles[name] for name in sorted(tiles)]


def run_clusters(
    run: Any, node: str, clusters: Sequence[Mapping[str, Any]], check: Callable[[], None] | None = None
) -> dict[str, Any]:
    """Run the clusters of one task one after the other; return the counts of done, reused and failed jobs."""
    skip_if_empty(node, clusters)
    tally = Tally(node)
    for cluster in clusters:
        if check is not None:
            check()
        log.info("cluster %s (%s): %d jobs", cluster["id"], cluster["label"], cluster["jobs"])
        with translated():
            result = production.service().run_cluster(run, cluster["id"], on_progress=_log_progress)
        raise_if_failed(result)
        tally.add(result)
    return tally.report()


@dataclass(slots=True)
class Tally:
    """What the clusters of one task have done so far."""

    node: str
    done: int = 0
    reused: int = 0
    warnings: int = 0
    job_seconds: float = 0.0
    cpu_seconds: float = 0.0

    def add(self, result: ClusterResult) -> None:
        """Add the jobs of a cluster."""
        self.done += sum(job.state == "done" for job in result.jobs)
        self.reused += sum(job.state == "reused" for job in result.jobs)
        self.warnings += sum(job.warning for job in result.jobs)
        self.job_seconds = round(self.job_seconds + sum(job.seconds for job in result.jobs), 2)
        self.cpu_seconds = round(self.cpu_seconds + sum(job.cpu_seconds for job in result.jobs), 2)

    def report(self) -> dict[str, Any]:
        """Write the counts into the log and return them: what the task leaves for others."""
        log.info("%s: %d jobs done, %d reused, %d with warnings", self.node, self.done, self.reused, self.warnings)
        return asdict(self)


def skip_if_empty(node: str, clusters: Sequence[Mapping[str, Any]]) -> None:
    """Skip a task whose node has nothing to do for this datatake."""
    if not clusters:
        raise AirflowSkipException(f"{node}: no jobs for this datatake")


def announce(cluster: Mapping[str, Any]) -> None:
    """Write into the log which cluster comes now."""
    log.info("cluster %s (%s): %d jobs", cluster["id"], cluster["label"], cluster["jobs"])


def publish(run: Any, what: str, tile: str | None) -> dict[str, Any]:
    """Publish the products of a level (of one tile); return their paths and the time of the last one."""
    with translated():
        paths = production.service().publish(run, what, tile=tile)
    if not paths:
        raise AirflowSkipException(f"no {what.upper()} product is due{f' for tile {tile}' if tile else ''}")
    shown = [str(path) for path in paths if path.suffix == USER_PRODUCT]
    for path in shown:
        log.info("published %s", path)
    log.info("%d user products and %d data items of %s", len(shown), len(paths) - len(shown), what.upper())
    return {
        "level": what,
        "tile": tile,
        "products": shown,
        "items": len(paths) - len(shown),
        "published": published_at(paths),
    }


def publish_session(session: str) -> dict[str, Any]:
    """Publish telemetry and ancillary data of a session; return how many there are and the time of the last one."""
    with translated():
        paths = production.service().publish_session(session)
    if not paths:
        raise AirflowSkipException(f"session {session} has brought neither telemetry nor ancillary data")
    for path in paths:
        log.info("published %s", path)
    return {"level": "l0u", "items": len(paths), "published": published_at(paths)}


def published_at(paths: Sequence[Path]) -> str:
    """Return when the last of the products appeared, ISO UTC; a product recognised again keeps its first time."""
    times = [path.stat().st_mtime for path in paths if path.exists()]
    moment = datetime.fromtimestamp(max(times), UTC) if times else datetime.now(UTC)
    return moment.isoformat()


def raise_if_failed(result: ClusterResult) -> None:
    """Raise the Airflow exception of a cluster that did not succeed; interrupted ones may be retried."""
    if result.state == "success":
        return
    if result.state == "interrupted":
        raise AirflowException(f"cluster {result.cluster_id} was interrupted: {result.error or 'stopped from outside'}")
    raise AirflowFailException(failure_text(result))


def failure_text(result: ClusterResult) -> str:
    """Return why a cluster failed, job by job, with the end of each log."""
    lines = [describe_failure(job) for job in result.failed_jobs] or [result.error or "no job reported why"]
    return f"cluster {result.cluster_id} failed\n" + "\n".join(lines)


def describe_failure(job: JobResult) -> str:
    """Return what an operator needs to know of a failed job."""
    return (
        f"processor {job.task or job.id}, {job.data_id or 'whole datastrip'}: exit code {job.exit_code}\n"
        f"  job: {job.id}\n  log: {job.log}\n  {job.error or 'no reason given'}\n"
        "  next: correct the cause, then clear this task; finished jobs are not run again"
    )


def datatakes(session: str) -> dict[str, dict[str, Any]]:
    """Return the datatakes of a session with t0, type and granules; raise when there is none."""
    with translated():
        records = production.service().datatakes(session)
    if not records:
        raise AirflowFailException(f"session {session} holds no datatake; next: look into the log of the L0U cluster")
    return {str(r.id): {"t0": production.iso(r.t0), "type": str(r.type), "granules": int(r.granules)} for r in records}


def _log_progress(*event: Any) -> None:
    log.info(" ".join(str(part) for part in event))
