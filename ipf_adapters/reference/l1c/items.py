"""Names and files of the L1C items: tile, true-colour image and datastrip."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from ipf_adapters.reference.context import JobContext
from ipf_adapters.reference.errors import MissingInput
from ipf_adapters.science.working import DatastripInfo
from s2ps.formats.gipp import file_version
from s2ps.model.names import PdiName
from s2ps.model.timestamps import compact


def item_name(ctx: JobContext, info: DatastripInfo, file_type: str, tile: str | None = None) -> PdiName:
    """Return the name of an item of this job: a tile when `tile` is given, else a datastrip."""
    return PdiName(
        unit=info.unit,
        file_type=file_type,
        site=ctx.centre,
        creation=ctx.creation,
        sensing_start=info.start if tile is None else None,
        absolute_orbit=None if tile is None else info.absolute_orbit,
        tile=tile,
        baseline=ctx.baseline,
    )


def granule_folder(level: str, tile: str, info: DatastripInfo) -> str:
    """Return the folder of a tile in a user product: "L1C_T32TPQ_A048123_20260701T101559"."""
    return f"{level}_T{tile}_A{info.absolute_orbit:06d}_{compact(info.start)}"


def link_file(source: Path, target: Path) -> None:
    """Give a file a second name (a copy where links are not possible)."""
    if not source.is_file():
        raise MissingInput(f"{source}: absent: run the job that writes it again")
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(source.resolve(), target)
    except OSError:
        shutil.copyfile(source, target)


def link_tree(source: Path, target: Path) -> int:
    """Give all files below a folder a second name below another; return how many."""
    files = [path for path in sorted(source.rglob("*")) if path.is_file()]
    for path in files:
        link_file(path, target / path.relative_to(source))
    return len(files)


def auxiliary_names(ctx: JobContext) -> list[tuple[str, str, str]]:
    """Return (type, file name without extension, version) of all GIPPs this job was given, sorted by type."""
    found = []
    for item in ctx.order.inputs:
        if item.type.startswith("GIP_"):
            for path in ctx.input_files(item.type):
                found.append((item.type, path.name.split(".")[0], file_version(path)))
    return sorted(set(found))
