"""Which items of a run are products, and their publication."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from s2ps.graph.job_graph import Job
from s2ps.model.dimensions import DataId, Dimension
from s2ps.model.errors import InputError, PublicationError
from s2ps.model.mission import Level
from s2ps.model.names import PdiName
from s2ps.planning.plan import Plan
from s2ps.processors.phases import phase_of
from s2ps.production.places import Outputs
from s2ps.publication.items import publish_pdi
from s2ps.publication.provenance import ProcessorUsed, Provenance
from s2ps.publication.user_product import publish_user_product
from s2ps.staging import layout
from s2ps.staging.store import StagingStore

REPORTS, INVENTORY = "OLQC_REPORT", "INVENTORY"
"""Output types that hold parts of items (one folder per item), not items."""
ITEM_FOLDER = "PDI"
_PARTS = (REPORTS, INVENTORY)


@dataclass(frozen=True, slots=True)
class Item:
    """An item folder in the staging, ready to be published."""

    name: PdiName
    path: Path


@dataclass(frozen=True, slots=True)
class Shelf:
    """The items of one level (and tile) of a datatake with their reports and inventory records."""

    items: tuple[Item, ...]
    reports: tuple[Path, ...]
    inventory: tuple[Path, ...]
    outputs: Outputs
    """The stores the folders were fetched from: local copies of a store go with it."""

    @classmethod
    def of(cls, datatake: str, plans: Iterable[Plan], outputs: Outputs, level: Level, tile: str | None) -> Shelf:
        """Collect what the finished jobs of a level have made; where several made an item, the last one counts."""
        items: dict[str, Item] = {}
        reports: list[Path] = []
        inventory: list[Path] = []
        for job in _jobs(plans, level, tile):
            for output in job.outputs:
                key, store = layout.output(datatake, job.id, output.type), outputs.of(job.id)
                if not store.exists(key) or not (output.type in _PARTS or _may_hold_items(store, key)):
                    continue
                folder = store.open_local(key)
                if output.type == REPORTS:
                    reports.append(folder)
                elif output.type == INVENTORY:
                    inventory.append(folder)
                else:
                    items.update((item.path.name, item) for item in _items_in(folder, level, tile))
        return cls(tuple(items[name] for name in sorted(items)), tuple(reports), tuple(inventory), outputs)

    def of_kind(self, kind: str) -> tuple[Item, ...]:
        """Return the items of a kind: "DS", "GR", "TL" or "TC"."""
        return tuple(item for item in self.items if item.name.file_type.endswith(f"_{kind}"))

    def publish(self, level: Level, provenance: Provenance, destination: Path, tile: str | None) -> Iterator[Path]:
        """Publish the user product of a tile and every item; yield their paths."""
        if tile is not None:
            for item in self.of_kind("TL"):
                yield publish_user_product(
                    level,
                    item.path,
                    self._datastrip(level),
                    self.reports,
                    self.inventory,
                    provenance,
                    destination / level,
                )
        for item in self.items:
            parts = (_part(self.reports, item), _part(self.inventory, item))
            yield publish_pdi(item.path, *parts, provenance, destination / ITEM_FOLDER / level)

    def _datastrip(self, level: Level) -> Path:
        found = self.of_kind("DS")
        if len(found) != 1:
            raise PublicationError(
                f"{len(found)} {level} datastrips were made", expected="one", next_step="run the datastrip cluster"
            )
        return found[0].path


def provenance_of(plan: Plan, plans: Iterable[Plan], inputs: Iterable[str], degraded: Iterable[str] = ()) -> Provenance:
    """Return the provenance of products made by `plan` and the ones before it."""
    used = {(job.processor, job.version) for each in plans for job in each.graph}
    processors = tuple(ProcessorUsed(name=name, version=version) for name, version in sorted(used))
    return Provenance(
        plan_hash=plan.plan_hash,
        processors=processors,
        inputs=tuple(sorted(inputs)),
        degraded=tuple(sorted(set(degraded))),
    )


def _jobs(plans: Iterable[Plan], level: Level, tile: str | None) -> Iterator[Job]:
    wanted = DataId.of({Dimension.TILE: [tile]}) if tile else DataId()
    for plan in plans:
        for job in plan.graph:
            per_tile = job.data_id.values(Dimension.TILE) is not None
            if (
                phase_of(job.phase).level is level
                and job.data_id.overlaps(wanted)
                and (tile is not None or not per_tile)
            ):
                yield job


def _may_hold_items(store: StagingStore, key: str) -> bool:
    """Return False when a store that would have to fetch an output knows that no item is in it."""
    if not store.fetches:
        return True
    paths = (entry.key.removeprefix(f"{key}/").split("/") for entry in store.list(key))
    return any(part.startswith("S2") for path in paths for part in path[:2])


def _items_in(folder: Path, level: Level, tile: str | None) -> Iterator[Item]:
    for path in sorted([*folder.glob("S2*"), *folder.glob("*/S2*")]):
        try:
            name = PdiName.parse(path.name)
        except InputError:
            continue
        if name.level == level and path.is_dir() and name.tile in (None, tile):
            yield Item(name, path)


def _part(folders: Iterable[Path], item: Item) -> Path | None:
    return next((folder / item.path.name for folder in folders if (folder / item.path.name).is_dir()), None)
