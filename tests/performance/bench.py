"""Measure what docs/performance.md reports: `make bench`, or `python -m tests.performance.bench --help`.

Figures are comparable side by side on one machine; the load of the machine is printed with them.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from performance.report import Report

TESTS = Path(__file__).resolve().parents[1]
PARTS = (
    "planning", "runner", "start", "images", "chain", "deframing", "download", "sessions", "publication", "prip",
    "staging", "pods",
)  # fmt: skip


def main() -> int:
    """Measure the chosen parts, print them and write them as JSON."""
    options = _options()
    sys.path.insert(0, str(TESTS))
    from performance import chain, parts, prip
    from performance.report import Report, machine

    report = Report()
    print(", ".join(f"{key} {value}" for key, value in machine().items()), flush=True)
    with tempfile.TemporaryDirectory(prefix="s2ps-bench-", dir=options.folder) as name:
        folder = Path(name)
        home = folder / "home"
        if "planning" in options.only:
            parts.measure_planning(report)
        if "runner" in options.only:
            parts.measure_runner(folder, report)
        if "start" in options.only:
            parts.measure_start(folder, report)
        if "images" in options.only:
            parts.measure_images(folder, report)
        if "chain" in options.only:
            chain.measure_chain(home, options.scale, report)
        if "deframing" in options.only and home.is_dir():
            parts.measure_deframing(home, report)
        _on_disk(options, folder, report)
        if "prip" in options.only:
            prip.measure_prip(folder / "prip", report, options.products)
        _on_cluster(options, folder, report)
    report.write(options.json)
    print(f"written to {options.json}")
    return 0


def _on_disk(options: argparse.Namespace, folder: Path, report: Report) -> None:
    """Measure what brings files to the disk: downloads, sessions, packages."""
    from performance import download, publication, session_timeline

    if "download" in options.only:
        download.measure_download(folder / "download", report, options.rounds, 1000 // options.shrink)
    if "sessions" in options.only:
        session_timeline.measure_session(folder / "sessions", report)
    if "publication" in options.only:
        publication.measure_publication(folder / "publication", report, options.rounds, options.shrink)


def _on_cluster(options: argparse.Namespace, folder: Path, report: Report) -> None:
    """Measure what needs the test cluster, or say why not."""
    chosen = [part for part in ("staging", "pods") if part in options.only]
    if not chosen:
        return
    from e2e_cluster.cluster import Cluster, NoCluster
    from performance import pods, staging

    try:
        cluster = Cluster.find()
        if "staging" in chosen:
            staging.measure_staging(folder / "staging", report, cluster, options.rounds, options.shrink)
        if "pods" in chosen:
            pods.measure_pods(folder / "pods", report, cluster, options.tasks, options.waiting)
    except NoCluster as error:
        print(f"{' and '.join(chosen)} skipped: {error}", flush=True)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.performance.bench", description=__doc__)
    parser.add_argument(
        "--only",
        nargs="+",
        choices=PARTS,
        default=PARTS,
        help="deframing needs chain, for its session; staging and pods need the test cluster",
    )
    parser.add_argument("--scale", type=int, default=10, help="scale of the simulated session")
    parser.add_argument("--folder", type=Path, help="where to work; about 1 GB at scale 10; default: as tempfile")
    parser.add_argument("--rounds", type=int, default=7, help="of each kind in staging, download and publication")
    parser.add_argument(
        "--shrink", type=int, default=1, help="divide the sizes of files in staging, download, publication"
    )
    parser.add_argument("--tasks", type=int, default=8, help="tasks of each kind in the part pods")
    parser.add_argument("--waiting", type=int, default=6, help="tasks that wait at once in the part pods; 0: none")
    parser.add_argument("--products", type=int, default=1_000_000, help="products in the part prip")
    parser.add_argument("--json", type=Path, default=Path("var/bench.json"), help="where the figures go")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
