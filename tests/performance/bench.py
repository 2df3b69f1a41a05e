"""Measure what docs/performance.md reports: `make bench`, or `python -m tests.performance.bench --help`.

Figures are comparable side by side on one machine; the load of the machine is printed with them.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
PARTS = ("planning", "runner", "start", "images", "chain", "deframing")


def main() -> int:
    """Measure the chosen parts, print them and write them as JSON."""
    options = _options()
    sys.path.insert(0, str(TESTS))
    from performance import chain, parts
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
    report.write(options.json)
    print(f"written to {options.json}")
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.performance.bench", description=__doc__)
    parser.add_argument(
        "--only", nargs="+", choices=PARTS, default=PARTS, help="deframing needs chain, for its session"
    )
    parser.add_argument("--scale", type=int, default=10, help="scale of the simulated session")
    parser.add_argument("--folder", type=Path, help="where to work; about 1 GB at scale 10; default: as tempfile")
    parser.add_argument("--json", type=Path, default=Path("var/bench.json"), help="where the figures go")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
