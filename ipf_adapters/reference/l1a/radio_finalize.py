"""RADIO_FINALIZE: quality masks and radiometric quality of each detector and band over the whole datastrip."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ipf_adapters.reference.l1a import datastrip
from ipf_adapters.science import working
from s2ps.model.bands import Band

if TYPE_CHECKING:
    from ipf_adapters.reference.context import JobContext

_BITS = {
    "nodata": working.NODATA,
    "saturated": working.SATURATED,
    "defective": working.DEFECTIVE,
    "lost": working.LOST,
}


def run(ctx: JobContext) -> None:
    """Join the masks of the fragments and count what they mark; pass the datastrip on."""
    info = datastrip.read_info(ctx)
    source, target = ctx.input_dir("PDI_DS"), ctx.output_dir("PDI_DS")
    datastrip.pass_on(source, target)
    shutil.copyfile(source / datastrip.FOOTPRINT, ctx.output_dir("VECTOR_DS_FOOTPRINT") / datastrip.FOOTPRINT)
    every = range(1, info.granules + 1)
    for detector in ctx.detectors:
        for band in ctx.bands:
            mask = working.read_scenes(ctx.input_dir("VECTOR"), detector, band, every, info.lines(band), "quality")
            working.write_piece(ctx.output_dir("VECTOR"), detector, band, every, mask, "quality")
            _write_quality(target, detector, band, mask)
    ctx.log.info(f"masks of {len(ctx.detectors)} detectors and {len(ctx.bands)} bands joined")


def read_quality(folder: Path, detector: int, band: Band) -> dict[str, float]:
    """Return the percentages of nodata, saturated, defective and lost pixels; empty when they are not known."""
    path = _path(folder, detector, band)
    return dict(json.loads(path.read_text())) if path.is_file() else {}


def _write_quality(folder: Path, detector: int, band: Band, mask: NDArray[np.uint8]) -> None:
    shares = {name: round(100.0 * float(np.mean((mask & bit) != 0)), 6) for name, bit in _BITS.items()}
    _path(folder, detector, band).write_text(json.dumps(shares) + "\n")


def _path(folder: Path, detector: int, band: Band) -> Path:
    return folder / f"radiometry_D{detector:02d}_{band.name}.json"
