"""Packaging, MB/s: products as tar and stored zip with MD5 and SHA-256, against plain tar; alternating, to the disk.

Every way ends when its file is on the disk (fdatasync). Ours runs in this process, its import not counted; the others
are commands of a shell, whose start of some milliseconds is counted.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from performance.report import Report

from s2ps.publication.folder_packages import FolderPackages
from s2ps.publication.packages import Package, write_package

ITEM = "S2B_OPER_MSI_L0__GR_S2PS_20260701T120000_S20260701T101559_D01_N05.00"
TILE = "S2B_OPER_MSI_L2A_TL_S2PS_20260701T120000_A048123_T32TPQ_N05.00"
USER = "S2B_MSIL2A_20260701T101559_N0500_R022_T32TPQ_20260701T120000.SAFE"
MB = 1_000_000
LAYOUTS: dict[str, tuple[tuple[int, int], ...]] = {
    ITEM: ((13, 1_400_000), (6, 20_000)),
    TILE: ((7, 100 * MB), (15, 10 * MB), (20, 1_300_000), (10, 50_000)),
    USER: ((7, 100 * MB), (15, 10 * MB), (20, 1_300_000), (20, 50_000)),
}
"""Number and size of files: a Level-0 granule of 18 MB, and a tile of 878 MB, as the real ones are."""
PLAIN = 'tar -cf "$2" -C "$1" "$3" && sync -d "$2"'
HASHED = 'tar -cf - -C "$1" "$3" | tee >(md5sum >"$2.md5") >(sha256sum >"$2.sha") >"$2"; wait; sync -d "$2"'


def measure_publication(folder: Path, report: Report, rounds: int) -> None:
    """Package each product by every way in turn and report medians, and ours by plain tar in the same round."""
    folder.mkdir(parents=True)
    for name, files in LAYOUTS.items():
        product = _product(folder, name, files)
        size = sum(path.stat().st_size for path in product.rglob("*") if path.is_file()) / MB
        ways: dict[str, Callable[[], object]] = {
            "plain tar": lambda product=product: _shell(PLAIN, product, folder),
            "tar, md5sum and sha256sum beside": lambda product=product: _shell(HASHED, product, folder),
            "S2PS": lambda product=product: _ours(product, folder),
        }
        taken: dict[str, list[float]] = {way: [] for way in ways}
        spent: dict[str, list[float]] = {way: [] for way in ways}
        for _ in range(rounds + 1):
            for way, run in ways.items():
                before, begun = _cpu(), time.monotonic()
                run()
                taken[way].append(time.monotonic() - begun)
                spent[way].append(_cpu() - before)
                shutil.rmtree(folder / "out")
        for way in ways:
            seconds, cpu = taken[way][1:], spent[way][1:]
            ratio = median(plain / own for plain, own in zip(taken["plain tar"][1:], seconds, strict=True))
            label = f"{name[9:19] if name != USER else 'user product'}, {size:.0f} MB: {way}"
            values = {"mb_per_s": size / median(seconds), "seconds": median(seconds), "to_plain_tar": ratio}
            report.add("publication", label, **values, cpu_seconds=median(cpu))
        shutil.rmtree(product)


def _product(folder: Path, name: str, files: tuple[tuple[int, int], ...]) -> Path:
    product = folder / name
    (product / "IMG_DATA").mkdir(parents=True)
    for group, (count, size) in enumerate(files):
        for number in range(count):
            (product / "IMG_DATA" / f"{group}_{number:02d}.jp2").write_bytes(os.urandom(size))
    return product


def _shell(command: str, product: Path, folder: Path) -> None:
    (folder / "out").mkdir()
    target = folder / "out" / "package"
    subprocess.run(["bash", "-c", command, "pack", product.parent, target, product.name], check=True)


def _ours(product: Path, folder: Path) -> Package:
    return write_package(product, FolderPackages(folder / "out"), "L2A/2026/07/01")


def _cpu() -> float:
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system
