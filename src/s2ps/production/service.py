"""One session or datatake from plan to product: what the command line and the Airflow tasks call."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from s2ps.execution.factory import BackendSettings, make_backend
from s2ps.execution.request import ClusterRequest
from s2ps.execution.result import ClusterResult
from s2ps.graph.space import ObservationSpace
from s2ps.inventory.lineage import Kind
from s2ps.inventory.observations import datastrips_of, files_of, register_files
from s2ps.inventory.raw_data import RawData
from s2ps.inventory.records import DatatakeRecord, RunRecord, SessionRecord
from s2ps.inventory.store import Inventory
from s2ps.model.errors import NotReady
from s2ps.model.mission import Level
from s2ps.model.timestamps import compact
from s2ps.planning.plan import Plan
from s2ps.planning.planner import plan_phase
from s2ps.processors.phases import PhaseGroup, phase_of
from s2ps.production import entries
from s2ps.production.auxiliary import AuxiliaryChooser, StandIns
from s2ps.production.datatakes import find_datatakes, observed
from s2ps.production.definitions import catalogue_of, strategy_of
from s2ps.production.faults import Fault
from s2ps.production.places import Outputs, Placement
from s2ps.production.products import Shelf, provenance_of
from s2ps.production.requests import RequestBuilder, Subject
from s2ps.production.runs import ClusterRef, RunKey, RunState
from s2ps.production.sessions import taken_session
from s2ps.settings import Settings
from s2ps.staging import layout
from s2ps.staging.location import open_store

if TYPE_CHECKING:
    from s2ps.publication.product_facts import Origin

RAW_OUTPUT = "DS_GR_FOLDER"
"""Output type of L0u in which the datatakes of a session lie."""
_GROUPS = tuple(PhaseGroup)
_L0U = (PhaseGroup.L0U,)


class Production:
    """The service over one staging, inventory and publication folder; every call can be repeated without harm."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.store = open_store(settings.staging_uri)
        self.inventory = Inventory(settings.inventory_location)

    def register_session(self, folder: Path) -> SessionRecord:
        """Check that a session is complete and keep it; an `InputError` names the file and the reason."""
        session = taken_session(folder, self.inventory, self.settings.channels)
        record = SessionRecord(
            id=session.id,
            folder=session.folder,
            t0=session.t0,
            station=session.station_unit,
            files=sum(len(channel.files) for channel in session.channels),
            unit=session.id[:3],
            start=session.start,
            stop=session.stop,
        )
        register_files(self.inventory, record.id, entries.session_files(session))
        return self.inventory.register_session(record)

    def plan(self, run: RunKey, phase_group: str) -> list[ClusterRef]:
        """Plan a phase group and write its plan and requests; return its clusters, producers first."""
        group = PhaseGroup(phase_group)
        subject, levels, space = self._known(run, group)
        catalogue, strategy = catalogue_of(self.settings, run.baseline), strategy_of(self.settings, run.strategy)
        plan = plan_phase(
            catalogue, strategy, group, space, levels,
            {"PROCESSING_CENTER": self.settings.centre, "ARCHIVING_CENTER": self.settings.centre},
        )  # fmt: skip
        made = tuple(dict.fromkeys(phase_of(job.phase).level for job in plan.graph))
        state = RunState.load(self.store, run.id)
        fixed = self.settings.creation_date
        state = state.fixed(made, fixed) if fixed else state.with_creation(made, run.from_level, datetime.now(UTC))
        state.save(self.store, run.id)
        faults = tuple(Fault.parse(text) for text in run.faults)
        placement = Placement.of(plan, strategy, catalogue, self.settings)
        keys, stores = (self._before(run, group, subject, name) for name in ("keys", "stores"))
        chooser, stand_ins = AuxiliaryChooser(self.settings, self.inventory), self._stand_ins(run, group)
        builder = RequestBuilder(
            self.settings, self.store, subject, state, faults, keys, stores, chooser, stand_ins, placement
        )
        requests = builder.build(plan)
        self._keep(run, group, plan, builder, requests)
        return [ClusterRef(r.cluster_id, r.node, r.label, len(r.jobs)) for r in requests]

    def run_cluster(
        self, run: RunKey, cluster_id: str, on_progress: Callable[[str], None] | None = None
    ) -> ClusterResult:
        """Run a planned cluster; finished jobs are reused. The result tells what failed and why."""
        key = layout.request(run.id, cluster_id)
        if not self.store.exists(key):
            raise NotReady(f"cluster {cluster_id} of {run.id} is not planned", next_step="plan its phase group first")
        request = ClusterRequest.model_validate_json(self.store.read(key))
        return make_backend(BackendSettings()).run(request, on_progress)

    def datatakes(self, session_id: str) -> list[DatatakeRecord]:
        """Return the datatakes L0u found in a session, by time, and keep them in the inventory."""
        session = self.inventory.session(session_id)
        plan = self.stored_plan(session_id, PhaseGroup.L0U)
        outputs = self._outputs(session_id)
        found: list[DatatakeRecord] = []
        for job in plan.graph:
            key, store = layout.output(session_id, job.id, RAW_OUTPUT), outputs.of(job.id)
            if RAW_OUTPUT in {output.type for output in job.outputs} and store.exists(key):
                found += find_datatakes(store.open_local(key), session_id, session.t0)
        found.sort(key=lambda item: item.start)
        inputs: dict[str, Kind] = {session_id: "session"}
        inputs |= {file.name: "file" for file in files_of(self.inventory, session_id)}
        inputs |= dict.fromkeys(self._auxiliary_names(session_id, _L0U), "auxiliary")
        entries.keep_datatakes(self.inventory, self._run_record(session_id, "session", Level.L0U, plan), inputs, found)
        return found

    def publish(self, run: RunKey, what: str, tile: str | None = None) -> list[Path]:
        """Publish the products of a level (of one tile); return their paths, user products first.

        Nothing is due when the level is not one of the datatake's. A product that is already there is recognised.
        """
        level = Level(what.upper())
        record = self.inventory.datatake(run.id)
        if level not in record.levels:
            return []
        plans = list(self._plans(run.id))
        mine = next((plan for plan in plans if any(phase_of(job.phase).level is level for job in plan.graph)), None)
        if mine is None:
            raise NotReady(f"{what} of {run.id} is not planned", next_step="plan and run its phase group first")
        shelf = Shelf.of(run.id, plans, self._outputs(run.id), level, tile)
        until = _GROUPS[: _GROUPS.index(mine.phase_group) + 1]
        inputs = [record.session_id, *self._auxiliary_names(run.id, until)]
        degraded = [*self._degraded(record.session_id, _L0U), *self._degraded(run.id, until)]
        before = [plan for plan in plans if plan.phase_group in until]
        provenance = provenance_of(
            mine, [self.stored_plan(record.session_id, PhaseGroup.L0U), *before], inputs, degraded
        )
        made: dict[str, Kind] = {name: "datastrip" for name in record.datastrips}
        made |= dict.fromkeys(self._auxiliary_names(run.id, until), "auxiliary")
        paths, products = [], []
        with self._packaging(record, degraded=bool(degraded)) as package:
            for path in shelf.publish(level, provenance, self.settings.place("products"), tile):
                package(path)
                paths.append(path)
                products.append(entries.product(path, level, record, tile, degraded=bool(degraded)))
        entries.keep_products(self.inventory, self._run_record(run.id, "datatake", level, mine), made, products)
        return paths

    def publish_session(self, session_id: str) -> list[Path]:
        """Publish the telemetry and the ancillary data L0u found in a session whose datatakes are kept; return paths.

        What is there already is recognised. Raises NotReady before `datatakes`.
        """
        from s2ps.production.downlink import Downlink  # tasks that publish nothing load no image libraries

        plan, found = self.stored_plan(session_id, PhaseGroup.L0U), self.inventory.datatakes_of(session_id)
        auxiliary, degraded = self._auxiliary_names(session_id, _L0U), self._degraded(session_id, _L0U)
        downlink = Downlink(session_id, plan, self._outputs(session_id), found, degraded=bool(degraded))
        provenance = provenance_of(plan, [plan], [session_id, *auxiliary], degraded)
        products = list(downlink.publish(provenance, self.settings, self._packages))
        made: dict[str, Kind] = {session_id: "session", **dict.fromkeys(auxiliary, "auxiliary")}
        run = self._run_record(session_id, "session", Level.L0U, plan)
        entries.keep_products(self.inventory, run, made, products)
        return [product.path for product in products]

    def stored_plan(self, key: str, group: PhaseGroup) -> Plan:
        """Return the plan of a phase group of a session or datatake; raises NotReady when there is none."""
        path = layout.plan(key, group)
        if not self.store.exists(path):
            raise NotReady(f"phase group {group} of {key} is not planned", next_step="plan it first")
        return Plan.from_json(self.store.read(path).decode())

    def has_plan(self, run: RunKey, group: PhaseGroup) -> bool:
        """Tell whether a phase group of a run was planned."""
        return self.store.exists(layout.plan(run.id, group))

    def _known(self, run: RunKey, group: PhaseGroup) -> tuple[Subject, tuple[Level, ...], ObservationSpace]:
        if run.kind == "session":
            session = self.inventory.session(run.id)
            files = taken_session(session.folder, self.inventory, self.settings.channels)
            start, stop = session.start or session.t0, session.stop or session.t0
            subject = Subject(
                session.id, session.unit, start, stop, session_files=files.files, station=session.station, t0=session.t0
            )
            return subject, (Level.L0U,), ObservationSpace()
        record = self.inventory.datatake(run.id)
        RawData(self.inventory).begin(run.id, datetime.now(UTC))
        plans = {plan.phase_group: plan for plan in self._plans(run.id)}
        space = ObservationSpace()
        levels = tuple(Level(name) for name in record.levels)
        if group is PhaseGroup.DATASTRIP or levels[-1].rank > Level.L1A.rank:
            space = observed(record, plans, self._outputs(run.id), group)
        station = record.station or self.inventory.session(record.session_id).station
        subject = Subject(
            record.id, record.unit, record.start, record.stop, record.relative_orbit, record.session_id,
            station=station, t0=record.t0,
        )  # fmt: skip
        return subject, levels, space

    def _keep(
        self, run: RunKey, group: PhaseGroup, plan: Plan, builder: RequestBuilder, requests: list[ClusterRequest]
    ) -> None:
        for request in requests:
            self.store.write(layout.request(run.id, request.cluster_id), request.dump().encode())
        document = {
            "keys": builder.keys, "auxiliary": builder.auxiliary_names(), "stores": builder.stores,
            "degraded": builder.stand_ins.reasons, "stand_ins": builder.stand_ins.paths,
        }  # fmt: skip
        self.store.write(layout.plan(run.id, f"{group}.keys"), json.dumps(document).encode())
        self.store.write(layout.plan(run.id, group), plan.to_json().encode())

    def _before(self, run: RunKey, group: PhaseGroup, subject: Subject, what: str) -> dict[str, str]:
        """Return the keys or stores of the jobs of earlier phase groups."""
        found: dict[str, str] = {}
        if subject.session_id:
            found |= self._document(subject.session_id, PhaseGroup.L0U).get(what, {})
        for earlier in _GROUPS[: _GROUPS.index(group)]:
            if earlier is not PhaseGroup.L0U:
                found |= self._document(run.id, earlier).get(what, {})
        return found

    def _outputs(self, key: str) -> Outputs:
        """Return where the outputs of the planned jobs of a session or datatake lie."""
        stores: dict[str, str] = {}
        for group in _GROUPS:
            if self.store.exists(layout.plan(key, f"{group}.keys")):
                stores |= self._document(key, group).get("stores", {})
        return Outputs(self.store, stores)

    def _document(self, key: str, group: PhaseGroup) -> dict[str, dict[str, str]]:
        path = layout.plan(key, f"{group}.keys")
        if not self.store.exists(path):
            raise NotReady(f"phase group {group} of {key} is not planned", next_step="plan and run it first")
        return dict(json.loads(self.store.read(path)))

    def _auxiliary_names(self, key: str, until: tuple[PhaseGroup, ...]) -> list[str]:
        """Return the auxiliary files of phase groups; later ones may be planned already, but have no part in it."""
        groups = [group for group in until if self.store.exists(layout.plan(key, f"{group}.keys"))]
        return sorted({name for group in groups for name in self._document(key, group)["auxiliary"]})

    def _degraded(self, key: str, until: tuple[PhaseGroup, ...]) -> list[str]:
        """Return for which auxiliary types of phase groups a fallback stood in."""
        groups = [group for group in until if self.store.exists(layout.plan(key, f"{group}.keys"))]
        found = [self._document(key, group).get("degraded", {}) for group in groups]
        return [f"{name}: {what}" for each in found for name, what in each.items()]

    def _stand_ins(self, run: RunKey, group: PhaseGroup) -> StandIns:
        """Return what stands in for auxiliary files already: it stays until the level is made anew."""
        if run.from_level is not None or not self.store.exists(layout.plan(run.id, f"{group}.keys")):
            return StandIns()
        document = self._document(run.id, group)
        return StandIns(document.get("degraded", {}), document.get("stand_ins", {}))

    def _plans(self, key: str) -> Iterator[Plan]:
        for group in _GROUPS:
            if self.store.exists(layout.plan(key, group)):
                yield self.stored_plan(key, group)

    def _run_record(self, subject: str, kind: Literal["session", "datatake"], level: Level, plan: Plan) -> RunRecord:
        """Return the run that makes a level; a level made anew is another run."""
        created, now = RunState.load(self.store, subject).creation[level], datetime.now(UTC)
        key = f"{subject}/{level.value}/{compact(created)}"
        return RunRecord(key, kind, subject, plan.strategy, level.value, "success", now, now)

    @contextmanager
    def _packaging(self, record: DatatakeRecord, *, degraded: bool) -> Iterator[Callable[[Path], object]]:
        """Yield what makes a published folder visible to users; nothing does when packaging is off."""
        from s2ps.publication.product_facts import Origin  # tasks that publish nothing load no image libraries

        known = (strip.footprint for strip in datastrips_of(self.inventory, record.id))
        footprint = next((found for found in known if found is not None), None)
        origin = Origin(
            record.id, record.t0, record.type, record.absolute_orbit, record.relative_orbit, degraded, footprint
        )
        with self._packages(origin) as package:
            yield package

    @contextmanager
    def _packages(self, origin: Origin) -> Iterator[Callable[[Path], object]]:
        if not self.settings.packaging:
            yield lambda _path: None
            return
        from s2ps.publication.publisher import Publisher

        with Publisher.of(self.settings, self.inventory).batch(origin) as batch:
            yield batch.publish
