"""Find the raw items (L0U) of the datatake a job is for, in the output folder of the ingestion."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from ipf_adapters.reference.errors import InvalidInput, MissingInput
from ipf_adapters.reference.l0.granule_document import GranuleItem, read_granule_item
from ipf_adapters.reference.pdi import pdis_in
from s2ps.formats.job_order import ANY_START
from s2ps.model.names import PdiName
from s2ps.model.timestamps import parse_utc

if TYPE_CHECKING:
    from ipf_adapters.reference.context import JobContext

_TOLERANCE = timedelta(seconds=2)


def raw_datastrip(ctx: JobContext, file_type: str) -> tuple[Path, PdiName]:
    """Return the raw datastrip of this job in an input that may hold several datatakes.

    With several, the one whose sensing start lies in the sensing time of the job order is taken.
    """
    folder = ctx.input_dir(file_type)
    found = pdis_in(folder, "MSI_L0U_DS")
    if len(found) > 1 and ctx.order.sensing_start != ANY_START:
        first = parse_utc(ctx.order.sensing_start) - _TOLERANCE
        last = parse_utc(ctx.order.sensing_stop) + _TOLERANCE
        found = [pair for pair in found if pair[1].sensing_start and first <= pair[1].sensing_start <= last]
    if not found:
        raise MissingInput(f"input {file_type}: {folder} holds no raw datastrip of this datatake: ingest it again")
    if len(found) > 1:
        names = ", ".join(str(name) for _, name in found)
        raise InvalidInput(f"input {file_type}: several datatakes ({names}): give the sensing time of one")
    return found[0]


def raw_granules(ctx: JobContext, file_type: str) -> list[GranuleItem]:
    """Return the raw granules of this job's detectors and scenes, by detector and scene."""
    datastrip, _ = raw_datastrip(ctx, file_type)
    root = datastrip.parent.parent
    items = [
        read_granule_item(path, name) for path, name in pdis_in(root, "MSI_L0U_GR") if name.detector in ctx.detectors
    ]
    chosen = [item for item in items if ctx.granules is None or item.scene in ctx.granules]
    if not chosen:
        raise MissingInput(f"input {file_type}: {root} holds no raw granule of this part: ingest the session again")
    return sorted(chosen, key=lambda item: (item.detector, item.scene))


def sad_file(folder: Path) -> Path:
    """Return the ancillary data file in a folder; files kept as received (`original_...`) do not count."""
    found = sorted(path for path in folder.rglob("S2*_AUX_SADATA_*.bin"))
    if len(found) != 1:
        raise MissingInput(f"{folder} holds {len(found)} ancillary data files, expected one: run GSE again")
    return found[0]
