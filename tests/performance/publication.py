"""Packaging, MB/s: products as tar and stored zip with MD5 and SHA-256, against plain tar; by turns, to the disk.

Every way ends when its file is on the disk (fdatasync); before it begins, what the one before has left is gone from
the disk too, and the ways come in another order in every round. Ours runs in this process, its import not counted; the
others are commands of a shell, whose start of some milliseconds is counted. The first round is not counted.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median

from performance.commands import in_turns, settle
from performance.report import Report

from s2ps.publication.folder_packages import FolderPackages
from s2ps.publication.packages import write_package

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


def measure_publication(folder: Path, report: Report, rounds: int, shrink: int = 1) -> None:
    """Package each product by every way in turn and report medians, and ours by plain tar in the same round."""
    folder.mkdir(parents=True)
    for name, files in LAYOUTS.items():
        product = _product(folder, name, tuple((count, size // shrink) for count, size in files))
        size = sum(path.stat().st_size for path in product.rglob("*") if path.is_file()) / MB
        label = f"{name[9:19] if name != USER else 'user product'}, {size:.0f} MB"
        _compare(report, label, size, rounds, _ways(product, folder), folder)
        if name == TILE:
            _compare(report, f"two at once: {label}", 2 * size, rounds, _twice(_ways(product, folder)), folder)
        shutil.rmtree(product)


def _ways(product: Path, folder: Path) -> dict[str, Callable[[str], object]]:
    """Return the ways by name, plain tar first; each is given a folder of its own."""
    return {
        "plain tar": lambda part: _shell(PLAIN, product, folder / "out" / part),
        "tar, md5sum and sha256sum beside": lambda part: _shell(HASHED, product, folder / "out" / part),
        "S2PS": lambda part: write_package(product, FolderPackages(folder / "out" / part), "L2A/2026/07/01"),
    }


def _twice(ways: dict[str, Callable[[str], object]]) -> dict[str, Callable[[str], object]]:
    """Return the first and the last way, each for two at once."""

    def both(way: Callable[[str], object]) -> None:
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(way, ("a", "b")))

    return {name: lambda _, way=ways[name]: both(way) for name in ("plain tar", "S2PS")}


def _compare(
    report: Report, label: str, size: float, rounds: int, ways: dict[str, Callable[[str], object]], folder: Path
) -> None:
    """Run ways in turn, one round more than is counted."""
    taken: dict[str, list[tuple[float, float]]] = {way: [] for way in ways}
    for way in in_turns(ways, rounds + 1):
        settle(folder)
        before, begun = _cpu(), time.monotonic()
        ways[way]("one")
        taken[way].append((time.monotonic() - begun, _cpu() - before))
        shutil.rmtree(folder / "out")
    plain = [wall for wall, _ in taken["plain tar"][1:]]
    for way, found in taken.items():
        seconds = [wall for wall, _ in found[1:]]
        report.add(
            "publication", f"{label}: {way}", mb_per_s=size / median(seconds), lowest=size / max(seconds),
            highest=size / min(seconds), cpu_seconds=median(cpu for _, cpu in found[1:]),
            to_plain_tar=median(first / own for first, own in zip(plain, seconds, strict=True)),
        )  # fmt: skip


def _product(folder: Path, name: str, files: tuple[tuple[int, int], ...]) -> Path:
    product = folder / name
    (product / "IMG_DATA").mkdir(parents=True)
    for group, (count, size) in enumerate(files):
        for number in range(count):
            path = product / "IMG_DATA" / f"{group}_{number:02d}.jp2"
            path.write_bytes(os.urandom(size))
            settle(path)
    return product


def _shell(command: str, product: Path, out: Path) -> None:
    out.mkdir(parents=True)
    subprocess.run(["bash", "-c", command, "pack", product.parent, out / "package", product.name], check=True)


def _cpu() -> float:
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system
