"""QL_DECOMP: unpack the quick-looks of a consolidated datastrip, `B02_quicklook.npy` with its geometry.

Bands without a quick-look leave a small note (`B05_none.json`), so that the output of every part exists.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import imagecodecs
import numpy as np

from ipf_adapters.reference.errors import InvalidInput
from ipf_adapters.reference.l0.quicklook import Pixels, read_geometry, write_quicklook

if TYPE_CHECKING:
    from ipf_adapters.reference.context import JobContext


def run(ctx: JobContext) -> None:
    """Decompress the quick-looks of this part's bands."""
    source, target = ctx.input_dir("QUICKLOOK"), ctx.output_dir("QUICKLOOK")
    done = []
    for band in ctx.bands:
        found = sorted(source.rglob(f"*_{band.name}.jp2"))
        if not found:
            (target / f"{band.name}_none.json").write_text(json.dumps({"band": band.name, "quicklook": False}) + "\n")
            continue
        geometry = read_geometry(found[0].with_name(f"{found[0].stem}_quicklook.json"))
        write_quicklook(target, band.name, _decode(found[0]), geometry)
        done.append(band.name)
    ctx.log.info(f"quick-looks of {', '.join(done) or 'no band'} unpacked")


def _decode(path: Path) -> Pixels:
    try:
        return np.asarray(imagecodecs.jpeg2k_decode(path.read_bytes()), dtype=np.uint16)
    except (imagecodecs.Jpeg2kError, ValueError, RuntimeError) as error:
        raise InvalidInput(f"quick-look {path}: {error}: make the L0 datastrip again") from error
