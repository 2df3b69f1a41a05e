"""UNFORMAT_SAFE_DS: a consolidated datastrip item back to working data (`datastrip.json`, `ancillary.npz`) and SAD."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from ipf_adapters.reference.l0.datastrip_document import read_ancillary, read_datastrip_item
from ipf_adapters.reference.l0.source import sad_file
from ipf_adapters.reference.pdi import one_pdi
from ipf_adapters.science.working import write_ancillary, write_datastrip

if TYPE_CHECKING:
    from ipf_adapters.reference.context import JobContext


def run(ctx: JobContext) -> None:
    """Unpack one datastrip."""
    item, _ = one_pdi(ctx.input_dir("PDI_DS"), "MSI_L0__DS")
    info, metadata = read_datastrip_item(item)
    folder = ctx.output_dir("PDI_DS")
    write_datastrip(folder, info)
    write_ancillary(folder, read_ancillary(metadata))
    sad = sad_file(item / "ANC_DATA")
    shutil.copyfile(sad, ctx.output_dir("PDI_SAD") / sad.name)
    ctx.log.info(f"{info.datastrip_id}: {info.granules} scenes, {info.datatake_type}")
