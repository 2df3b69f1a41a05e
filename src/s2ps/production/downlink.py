"""Telemetry and ancillary data of a session: which datatake each belongs to, and their publication."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from s2ps.inventory.records import DatatakeRecord, ProductRecord
from s2ps.model.errors import NotReady
from s2ps.planning.plan import Plan
from s2ps.production.places import Outputs
from s2ps.production.products import ITEM_FOLDER
from s2ps.publication.downlink_items import find_items, name_of, publish_downlink_item
from s2ps.publication.product_facts import Facts, Origin, read_facts
from s2ps.publication.provenance import Provenance
from s2ps.settings import Settings
from s2ps.staging import layout

OUTPUT_TYPES = ("HKTM_FOLDER", "SAD_FOLDER")
"""Output types of L0u in which they lie."""
Packaging = Callable[[Origin], AbstractContextManager[Callable[[Path], object]]]


@dataclass(frozen=True, slots=True)
class Downlink:
    """What the L0u jobs of a session have made beside images; `datatakes` are those of the session, by time."""

    session_id: str
    plan: Plan
    outputs: Outputs
    datatakes: tuple[DatatakeRecord, ...]
    degraded: bool = False

    def publish(self, provenance: Provenance, settings: Settings, packaging: Packaging) -> Iterator[ProductRecord]:
        """Publish every item and yield its record; raise NotReady when the datatakes are not known yet."""
        if not self.datatakes:
            raise NotReady(
                f"no datatake of session {self.session_id} is kept", next_step="announce its datatakes first"
            )
        for source in self._sources():
            facts = self._facts(name_of(source))
            folder = settings.place("products") / ITEM_FOLDER / facts.level
            path = publish_downlink_item(source, facts, settings.centre, provenance, folder)
            with packaging(facts.origin) as package:
                package(path)
            yield self._record(path, facts)

    def _sources(self) -> Iterator[Path]:
        for job in self.plan.graph:
            for output in job.outputs:
                key, store = layout.output(self.session_id, job.id, output.type), self.outputs.of(job.id)
                if output.type in OUTPUT_TYPES and store.exists(key):
                    yield from find_items(store.open_local(key))

    def _facts(self, name: str) -> Facts:
        """Return what a name tells. An item belongs to the datatake that begins nearest to it."""
        start = read_facts(Path(name), self._origin(self.datatakes[0])).start
        nearest = min(self.datatakes, key=lambda record: abs(record.start - start))
        return read_facts(Path(name), self._origin(nearest))

    def _origin(self, record: DatatakeRecord) -> Origin:
        last = self.datatakes[-1].absolute_orbit
        orbits = record.absolute_orbit, record.relative_orbit
        return Origin(record.id, record.t0, record.type, *orbits, self.degraded, last_orbit=last)

    def _record(self, path: Path, facts: Facts) -> ProductRecord:
        return ProductRecord(
            name=path.name, level=facts.level, type=facts.type, path=path, datatake=facts.origin.datatake,
            run=self.session_id, published_at=datetime.fromtimestamp(path.stat().st_mtime, UTC),
            size=sum(file.stat().st_size for file in path.rglob("*") if file.is_file()),
            unit=facts.unit, start=facts.start, stop=facts.stop, t0=facts.origin.t0, degraded=self.degraded,
        )  # fmt: skip
