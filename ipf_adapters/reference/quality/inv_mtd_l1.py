"""INV_MTD_L1: inventory records of L1 datastrips, granules and tiles, `<item>/Inventory_Metadata.xml` in INVENTORY."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ipf_adapters.reference.quality.inventory import write_records

if TYPE_CHECKING:
    from ipf_adapters.reference.context import JobContext

TYPES = ("DS", "GR", "TL")


def run(ctx: JobContext) -> None:
    """Write the records of the items in this job's inputs."""
    write_records(ctx, TYPES)
