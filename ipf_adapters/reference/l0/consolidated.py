"""Names of the consolidated (L0) items of a datastrip: the same in every job, from what the job order tells."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from ipf_adapters.science.working import DatastripInfo
from s2ps.model.names import PdiName

if TYPE_CHECKING:
    from ipf_adapters.reference.context import JobContext


def datastrip_name(info: DatastripInfo, ctx: JobContext) -> PdiName:
    """Return the name of the consolidated datastrip."""
    return PdiName(info.unit, "MSI_L0__DS", ctx.centre, ctx.creation, sensing_start=info.start, baseline=ctx.baseline)


def granule_name(info: DatastripInfo, detector: int, scene: int, ctx: JobContext) -> PdiName:
    """Return the name of a consolidated granule; scenes count from 1."""
    start = info.start + timedelta(milliseconds=(scene - 1) * info.lines_per_granule * info.line_period_ms)
    return PdiName(
        info.unit,
        "MSI_L0__GR",
        ctx.centre,
        ctx.creation,
        sensing_start=start,
        detector=detector,
        baseline=ctx.baseline,
    )
