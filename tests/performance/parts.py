"""Single parts: planning, the runner with jobs that do nothing, deframing, the start of a processor."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import numpy as np
from performance.commands import Cost, measured
from performance.report import Report

from ipf_adapters.reference.l1c.jpeg2000 import read_jp2, write_jp2
from ipf_adapters.reference.registry import MODULES
from s2ps.execution.request import ClusterRequest, JobRequest
from s2ps.formats.cadu import Deframer, read_packets
from s2ps.formats.gipp import Jp2Parameters
from s2ps.graph.space import ObservationSpace
from s2ps.model.mission import levels_of
from s2ps.planning.planner import plan_phase
from s2ps.planning.strategy import load_strategy
from s2ps.processors.loader import load_baseline
from s2ps.processors.phases import PhaseGroup

REPEATS = 3
NOTHING = 1000
"""Jobs of the cluster that does nothing."""
SCENES, TILES = 16, 18
"""The nominal datatake."""
SIDE = 1098
"""Pixels of a 10 m band of a tile at scale 10."""


def measure_planning(report: Report) -> None:
    """Plan the nominal datatake, catalogue and strategy read anew each time."""
    tiles = tuple(f"32T{chr(80 + number // 9)}{chr(65 + number % 9)}" for number in range(TILES))
    space = ObservationSpace(granules=SCENES, has_gri=True, tiles=tiles)
    counted = 0

    def plan() -> None:
        nonlocal counted
        catalogue, strategy = load_baseline(), load_strategy("nominal")
        levels = levels_of("INS-NOBS")
        counted = sum(len(plan_phase(catalogue, strategy, group, space, levels).graph) for group in PhaseGroup)

    seconds = _timed(plan)
    report.add("planning", f"plan {SCENES} scenes and {TILES} tiles, {counted} jobs", cpu_s=seconds)


def measure_runner(folder: Path, report: Report) -> None:
    """Run a cluster of jobs whose processor is `true`, two at a time; then again, when all of them are finished."""
    staging = folder / "noop"
    request = folder / "noop.json"
    true = shutil.which("true") or "/bin/true"
    jobs = tuple(_nothing(number, true) for number in range(NOTHING))
    document = ClusterRequest(
        datatake="noop", run_id="noop", plan_hash="0", cluster_id="noop", node="noop", slots=2,
        staging=str(staging), jobs=jobs,
    )  # fmt: skip
    request.write_text(document.dump())
    command = [sys.executable, "-m", "ipf_adapters.run", str(request), "--quiet"]
    first, second = [], []
    for _ in range(REPEATS):
        shutil.rmtree(staging, ignore_errors=True)
        first.append(measured(command, folder / "noop.log"))
        second.append(measured(command, folder / "noop.log"))
    shutil.rmtree(staging)
    for name, label, costs in (
        ("runner", f"run {NOTHING} jobs that do nothing, 2 at a time", first),
        ("runner reuse", f"find {NOTHING} finished jobs whole", second),
    ):
        cost = _median(costs)
        report.add(name, label, wall_s=cost.wall_s, cpu_s=cost.cpu_s, jobs_per_s=NOTHING / cost.wall_s)


def measure_start(folder: Path, report: Report) -> None:
    """Start Python, and the reference processors up to their first line of work."""
    bare = _median([measured([sys.executable, "-c", "pass"], folder / "start.log") for _ in range(REPEATS)])
    report.add("start python", "start Python and end", wall_s=bare.wall_s, cpu_s=bare.cpu_s)
    code = "import sys; from ipf_adapters.reference.registry import load; load(sys.argv[1])"
    commands = [[sys.executable, "-c", code, name] for name in MODULES]
    costs = [measured(command, folder / "start.log") for command in commands]
    wall, cpu = median(cost.wall_s for cost in costs), median(cost.cpu_s for cost in costs)
    dearest = max(cost.cpu_s for cost in costs)
    report.add("start processor", f"start a processor, median of {len(costs)}", wall_s=wall, cpu_s=cpu, most_s=dearest)


def measure_images(folder: Path, report: Report) -> None:
    """Write a 10 m band of a tile at scale 10 as lossless JPEG 2000, and read it."""
    random = np.random.default_rng(1)
    rows, cols = np.mgrid[0:SIDE, 0:SIDE]
    image = (2000 + 500 * np.sin(rows / 40) * np.cos(cols / 60) + random.normal(0, 20, (SIDE, SIDE))).astype(np.uint16)
    path, coding = folder / "B02.jp2", Jp2Parameters(True, 1024, 5)
    seconds = _timed(lambda: write_jp2(path, image, 32632, (10.0, 0.0, 600000.0, 0.0, -10.0, 5100000.0), coding))
    report.add("jp2 write", f"write {SIDE} x {SIDE} pixels as JPEG 2000", cpu_s=seconds)
    report.add("jp2 read", f"read {SIDE} x {SIDE} pixels of JPEG 2000", cpu_s=_timed(lambda: read_jp2(path)))


def measure_deframing(home: Path, report: Report) -> None:
    """Turn the CADUs of the simulated session into packets, one channel after the other, in this process."""
    channels = [sorted(path.glob("*.raw")) for path in sorted(home.glob("session/*/ch_*"))]
    size = sum(path.stat().st_size for paths in channels for path in paths) / 1e6
    packets = 0

    def deframe() -> None:
        nonlocal packets
        packets = sum(1 for paths in channels for _ in read_packets(paths, Deframer()))

    seconds = _timed(deframe)
    label = f"deframe {size:.1f} MB to {packets} packets"
    report.add("deframing", label, cpu_s=seconds, mb_per_cpu_s=size / seconds)


def _nothing(number: int, executable: str) -> JobRequest:
    return JobRequest(
        id=f"NOOP.NOOP@part={number}", phase="NOOP", task="NOOP", processor="NOOP", version="1", executable=executable,
        timeout_s=60, data_id=f"part={number}", key=f"{number:064x}",
    )  # fmt: skip


def _timed(work: Callable[[], object]) -> float:
    """Return the median CPU seconds of this process of several repetitions, after one that warms up."""
    work()
    seconds = []
    for _ in range(REPEATS):
        begun = time.process_time()
        work()
        seconds.append(time.process_time() - begun)
    return median(seconds)


def _median(costs: list[Cost]) -> Cost:
    return Cost(*(median(getattr(cost, name) for cost in costs) for name in ("wall_s", "cpu_s", "peak_mb")))
