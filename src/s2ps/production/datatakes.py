"""What L0u found: datatakes with their datastrip, and what later steps found out about them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from s2ps.formats.gri_list import read_gri_list
from s2ps.formats.pdi_metadata import metadata_file, read_pdi_metadata
from s2ps.formats.tile_list import read_tile_list
from s2ps.graph.space import ObservationSpace
from s2ps.inventory.records import DatatakeRecord
from s2ps.model.errors import InputError, NotReady
from s2ps.model.mission import DETECTORS, levels_of
from s2ps.model.names import DatatakeName, PdiName
from s2ps.planning.plan import Plan
from s2ps.processors.phases import PhaseGroup
from s2ps.production.places import Outputs
from s2ps.staging import layout

GRI_LIST, TILE_LIST = "GRI_LIST_FILE", "TILE_LIST_FILE"


def find_datatakes(folder: Path, session_id: str, t0: datetime) -> Iterator[DatatakeRecord]:
    """Yield the datatakes below an L0u output folder (`DT01/DS/<datastrip>`, `DT01/GR/...`), in order of time."""
    for datastrip in sorted(folder.glob("DT*/DS/S2*")):
        metadata = read_pdi_metadata(metadata_file(datastrip))
        identifier = metadata.datatake_id
        if identifier is None:
            raise InputError(
                f"datastrip {datastrip.name} names no datatake", expected=f"Datatake_Info in {metadata.source}"
            )
        granules = sum(1 for _ in granule_names(datastrip.parent.parent))
        kind = metadata.text("DATATAKE_TYPE")
        yield DatatakeRecord(
            id=identifier,
            unit=PdiName.parse(datastrip.name).unit,
            type=kind,
            start=metadata.time("DATASTRIP_SENSING_START"),
            stop=metadata.time("DATASTRIP_SENSING_STOP"),
            absolute_orbit=DatatakeName.parse(identifier).absolute_orbit,
            relative_orbit=int(metadata.text("SENSING_ORBIT_NUMBER")),
            t0=t0,
            session_id=session_id,
            granules=granules,
            datastrips=(datastrip.name,),
            levels=tuple(level.value for level in levels_of(kind, granules)),
            station=metadata.first("RECEPTION_STATION") or "",
        )


def granule_names(datatake_folder: Path) -> Iterator[PdiName]:
    """Yield the names of the granules of a datatake folder."""
    for path in sorted((datatake_folder / "GR").glob("*/S2*")):
        yield PdiName.parse(path.name)


def observed(
    record: DatatakeRecord, plans: dict[PhaseGroup, Plan], outputs: Outputs, until: PhaseGroup
) -> ObservationSpace:
    """Return what is known of a datatake when a phase group is planned.

    After the datastrip phases the list of reference images tells whether L1B refines; after L1B the tile list names
    the tiles. Raises NotReady when the job that tells has not run.
    """
    space = ObservationSpace(granules=record.granules // len(DETECTORS))
    if until in (PhaseGroup.L1B, PhaseGroup.TILES):
        gri = read_gri_list(_told(record.id, plans[PhaseGroup.DATASTRIP], outputs, GRI_LIST))
        space = space.model_copy(update={"has_gri": bool(gri), "gri_granules": len(gri) or None})
    if until is PhaseGroup.TILES:
        tiles = read_tile_list(_told(record.id, plans[PhaseGroup.L1B], outputs, TILE_LIST))
        names = tuple(entry.tile for entry in sorted(tiles, key=lambda item: item.number))
        space = space.model_copy(update={"tiles": names})
    return space


def _told(datatake: str, plan: Plan, outputs: Outputs, output_type: str) -> Path:
    for job in plan.graph:
        if output_type in {output.type for output in job.outputs}:
            key, store = layout.physical_output(datatake, job.id, output_type), outputs.of(job.id)
            if store.exists(key):
                return store.open_local(key)
    raise NotReady(
        f"{datatake}: nobody has written the {output_type} yet",
        next_step=f"run the clusters of phase group {plan.phase_group} first",
    )
