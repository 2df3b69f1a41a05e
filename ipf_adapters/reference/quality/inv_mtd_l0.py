"""INV_MTD_L0: inventory records of L0 datastrips and granules, `<item>/Inventory_Metadata.xml` in INVENTORY."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ipf_adapters.reference.quality.inventory import write_records

if TYPE_CHECKING:
    from ipf_adapters.reference.context import JobContext

TYPES = ("L0_DS", "L0_GR")


def run(ctx: JobContext) -> None:
    """Write the records of the items in this job's inputs."""
    write_records(ctx, TYPES)
