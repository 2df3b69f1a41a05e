"""FORMAT_METADATA_DS_L1A: the L1A datastrip item."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ipf_adapters.reference.l1a import datastrip
from ipf_adapters.reference.l1a.datastrip_pdi import write_datastrip_pdi

if TYPE_CHECKING:
    from ipf_adapters.reference.context import JobContext


def run(ctx: JobContext) -> None:
    """Write the item next to the working description of the datastrip."""
    target = ctx.output_dir("PDI_DS")
    datastrip.pass_on(ctx.input_dir("PDI_DS"), target)
    item = write_datastrip_pdi(ctx, "L1A", target)
    ctx.log.info(f"{item.name} written")
