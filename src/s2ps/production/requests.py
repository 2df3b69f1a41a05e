"""From a plan to the requests of its clusters: inputs located, auxiliary files chosen, every job with its key."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from pathlib import Path

from s2ps.execution.request import AuxiliaryRequest, ClusterRequest, InputRequest, JobRequest, OutputRequest, job_key
from s2ps.graph.job_graph import Job, JobInput
from s2ps.model.errors import ConfigurationError
from s2ps.model.mission import Level
from s2ps.planning.plan import Plan
from s2ps.processors.auxiliary import OPTIONAL_TYPES, STATIC_FOLDERS
from s2ps.processors.phases import phase_of
from s2ps.production.auxiliary import AuxiliaryChooser, StandIns
from s2ps.production.executables import requested_executable
from s2ps.production.faults import Fault, fault_environment
from s2ps.production.fingerprints import fingerprint
from s2ps.production.places import Placement
from s2ps.production.runs import RunState
from s2ps.settings import Settings
from s2ps.staging.sharing import make_folder
from s2ps.staging.store import StagingStore

GRI_TYPE = "GRI_ORBIT"


@dataclass(frozen=True, slots=True)
class Subject:
    """What a run is about: the observation the auxiliary files must fit, and where raw data come from."""

    key: str
    """Session or datatake id; names the run's folder."""
    unit: str
    start: datetime
    stop: datetime
    relative_orbit: int | None = None
    session_id: str | None = None
    """The session whose L0u made the granules of a datatake."""
    session_files: tuple[Path, ...] = ()
    """Files of a session, for L0u."""
    station: str = ""
    t0: datetime | None = None
    """When the last input was published; auxiliary files are waited for from then on."""


@dataclass(slots=True)
class RequestBuilder:
    """Makes the requests of one plan; `keys` and `stores` tell of all earlier jobs and grow by those of this plan."""

    settings: Settings
    store: StagingStore
    subject: Subject
    state: RunState
    faults: tuple[Fault, ...]
    keys: dict[str, str]
    stores: dict[str, str]
    """URI of the store of every job whose outputs are not in the staging."""
    auxiliary: AuxiliaryChooser
    stand_ins: StandIns = field(default_factory=lambda: StandIns())
    """What stands in for auxiliary files; what is given stays while it is there."""
    placement: Placement = field(default_factory=Placement)
    _places: dict[str, tuple[str, ...]] = field(default_factory=dict)
    _fingerprints: dict[str, str] = field(default_factory=dict)

    def build(self, plan: Plan) -> list[ClusterRequest]:
        """Return one request per cluster, producers first; raises InputError naming every missing auxiliary type."""
        self._choose_auxiliary(plan)
        self.stores.update(self.placement.stores)
        jobs = {job.id: self._job(job) for job in plan.graph}
        for name in _producers_first(plan.graph):
            self.keys[name] = self._key(jobs[name])
        return [
            ClusterRequest(
                datatake=self.subject.key,
                run_id=self.subject.key,
                plan_hash=plan.plan_hash,
                cluster_id=cluster.id,
                node=cluster.node,
                label=cluster.label,
                slots=cluster.slots if self.settings.execution == "pod" else min(cluster.slots, self.settings.slots),
                timeout_s=float(cluster.time_s),
                staging=self.store.uri,
                store=self.placement.stores.get(cluster.jobs[0]),
                jobs=tuple(jobs[name].model_copy(update={"key": self.keys[name]}) for name in cluster.jobs),
                sensing_start=self.subject.start,
                sensing_stop=self.subject.stop,
                acquisition_station=self.subject.station,
                processing_station=self.settings.centre,
            )
            for cluster in plan.clusters.clusters
        ]

    def auxiliary_names(self) -> list[str]:
        """Return the names of the auxiliary files chosen so far."""
        return sorted({Path(path).name for paths in self._places.values() for path in paths})

    def _choose_auxiliary(self, plan: Plan) -> None:
        levels: dict[str, set[Level]] = {}
        for job in plan.graph:
            for name in job.auxiliary:
                levels.setdefault(name, set()).add(phase_of(job.phase).level)
        self.stand_ins = self.stand_ins.still_there(levels)
        self._places.update({name: tuple(paths) for name, paths in self.stand_ins.paths.items()})
        wanted = {name: levels[name] for name in levels if name not in self._places}
        if wanted:
            subject = self.subject
            chosen = self.auxiliary.choose(wanted, subject.unit, subject.start, subject.stop, subject.t0)
            self._places.update({name: tuple(map(str, chosen.paths(name))) for name in wanted})
            self.stand_ins = self.stand_ins.with_those_of(chosen)
        for name in sorted({name for job in plan.graph for name in job.static}):
            self._places[name] = self._static(name)

    def _static(self, name: str) -> tuple[str, ...]:
        if name == GRI_TYPE:
            path = self.settings.place("gri") / f"S2__OPER_AUX_GRI{self.subject.relative_orbit or 0:03d}"
            return (str(path),) if path.is_dir() else ()
        path = self.settings.place("static") / STATIC_FOLDERS[name]
        if not path.is_dir():
            raise ConfigurationError(
                f"static data {name}: folder {path} is missing", next_step="mount or copy it there"
            )
        return (str(path),)

    def _job(self, job: Job) -> JobRequest:
        level = phase_of(job.phase).level
        auxiliary = [
            AuxiliaryRequest(type=name, paths=self._places[name])
            for name in (*job.auxiliary, *job.static)
            if self._places[name] or name not in {*OPTIONAL_TYPES, GRI_TYPE}
        ]
        return JobRequest(
            id=job.id,
            phase=job.phase,
            task=job.task,
            processor=job.processor,
            version=job.version,
            executable=requested_executable(self.settings, job.processor, job.executable),
            exit_policy="idp_sc" if job.exit_policy == "idp_sc" else "strict",
            timeout_s=float(job.timeout),
            data_id=job.data_id.key,
            parameters={**job.parameters, "CREATION_DATE": self.state.creation_text(level)},
            inputs=tuple(part for entry in job.inputs for part in self._input(entry)) + tuple(self._workspace(job)),
            auxiliary=tuple(auxiliary),
            outputs=tuple(
                OutputRequest(
                    type=o.type,
                    kind="Physical" if o.kind == "Physical" else "Directory",
                    mandatory=o.mandatory,
                    scratch=o.type in self.placement.scratch.get(job.id, ()),
                )
                for o in job.outputs
            ),
            environment=fault_environment(self.faults, job),
        )

    def _input(self, entry: JobInput) -> Iterable[InputRequest]:
        """Yield an input; one whose producers are in several stores becomes several, which are fused in order."""
        kind = "Physical" if entry.kind == "Physical" else "Directory"
        if entry.external == "session":
            yield InputRequest(type=entry.type, kind=kind, paths=tuple(map(str, self.subject.session_files)))
            return
        run = self.subject.session_id if entry.from_session else None
        for store, jobs in groupby(entry.jobs, key=self.stores.get):
            yield InputRequest(
                type=entry.type, kind=kind, jobs=tuple(jobs), run=run, source_type=entry.source_type, store=store
            )

    def _workspace(self, job: Job) -> Iterable[InputRequest]:
        """Yield what the processor may write into: a folder that is kept, or an empty one the runner makes."""
        staging, own = self.settings.staging_folder, self.settings.workspaces
        kept = own or (staging / "persistent" if staging else None)
        for name in job.workspace:
            if kept is None:
                yield InputRequest(type=name, workspace=True)
                continue
            folder = kept / job.processor / name
            try:
                make_folder(folder, own or staging or kept)
            except OSError as error:
                raise ConfigurationError(
                    f"workspace {folder} of {job.processor} cannot be made: {error.strerror}",
                    expected="a folder that can be written, at the same path wherever jobs run",
                    next_step="check its mount and rights, or correct S2PS_WORKSPACES",
                ) from error
            yield InputRequest(type=name, paths=(str(folder),))

    def _key(self, job: JobRequest) -> str:
        """Return the job's key: what `job_key` says and the state of what comes from outside, but for its workspace."""
        given = [path for entry in job.inputs for path in entry.paths if not Path(path).is_dir()]
        outside = given + [path for entry in job.auxiliary for path in entry.paths]
        content = [job_key(job, self.keys), [self._fingerprint(path) for path in outside]]
        return hashlib.sha256(json.dumps(content).encode()).hexdigest()

    def _fingerprint(self, path: str) -> str:
        if path not in self._fingerprints:
            self._fingerprints[path] = fingerprint(Path(path))
        return self._fingerprints[path]


def _producers_first(graph: Iterable[Job]) -> list[str]:
    """Return job ids so that every producer inside the graph comes before its consumers."""
    waiting: Mapping[str, Job] = {job.id: job for job in graph}
    done: dict[str, None] = {}

    def visit(name: str) -> None:
        if name in waiting and name not in done:
            for producer in waiting[name].producers:
                visit(producer)
            done[name] = None

    for name in waiting:
        visit(name)
    return list(done)
