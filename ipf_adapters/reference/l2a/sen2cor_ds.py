"""SEN2COR_DS: what Level-2A changes in the description of a datastrip."""

from __future__ import annotations

import json

from ipf_adapters.reference.context import JobContext
from ipf_adapters.reference.l1c.items import auxiliary_names
from ipf_adapters.reference.pdi import one_pdi
from s2ps.formats.pdi_metadata import metadata_file, read_pdi_metadata

WORKING = "datastrip_l2a.json"


def run(ctx: JobContext) -> None:
    """Write `datastrip_l2a.json`: the L1C datastrip and the parameter files of Level-2A."""
    path, name = one_pdi(ctx.input_dir("MSI_L1C_DS"), "MSI_L1C_DS")
    metadata = read_pdi_metadata(metadata_file(path))
    content = {
        "l1c_datastrip": str(name),
        "datatake": metadata.datatake_id,
        "gipps": auxiliary_names(ctx),
    }
    (ctx.output_dir("PDI_DS") / WORKING).write_text(json.dumps(content, indent=1) + "\n")
    ctx.log.info(f"datastrip {name}: {len(content['gipps'] or [])} parameter files")
