"""The progress of a run: bars per level, products as they appear, times at the end."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console

from s2ps.cli import progress
from s2ps.cli.progress import TerminalWatcher
from s2ps.execution.result import ClusterResult, JobResult
from s2ps.graph.space import ObservationSpace
from s2ps.model.mission import Level, levels_of
from s2ps.planning.planner import plan_phase
from s2ps.planning.strategy import load_strategy
from s2ps.processors.loader import load_baseline
from s2ps.processors.phases import PhaseGroup
from s2ps.production.runs import RunKey

pytestmark = pytest.mark.unit

RUN = RunKey("datatake", "GS2B_20260701T101559_048123_N05.00", "single_machine")


def test_bars_advance_and_products_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = io.StringIO()
    monkeypatch.setattr(progress, "console", Console(file=shown, force_terminal=True, width=160, highlight=False))
    space = ObservationSpace(granules=4, has_gri=True, tiles=("32TPR", "32TPQ"))
    plan = plan_phase(
        load_baseline(), load_strategy("single_machine"), PhaseGroup.TILES, space, levels_of("INS-NOBS", 48)
    )
    cluster = next(item for item in plan.clusters.clusters if item.node == "l1c_tile")
    with TerminalWatcher() as watcher:
        watcher.planned(RUN, plan)
        for number, job in enumerate(cluster.jobs, start=1):
            watcher.line(RUN, cluster, f"[{number}/{len(cluster.jobs)}] {job} done")
        watcher.line(RUN, cluster, "not about a job")
        watcher.published(RUN, Level.L1C, [Path("S2B_MSIL1C_X.SAFE"), Path("S2B_OPER_MSI_L1C_TL_X")])
        watcher.published(RUN, Level.L1A, [Path("S2B_OPER_1"), Path("S2B_OPER_2")])
    text = shown.getvalue()
    bars = {task.description: task for task in watcher._progress.tasks}
    total = sum(1 for job in plan.graph if job.phase in ("L1CTile", "OLQC_L1CDS"))
    assert bars["L1C"].completed == len(cluster.jobs)
    assert bars["L1C"].total == total
    assert bars["L2A"].completed == 0
    assert f"{len(cluster.jobs)}/{total}" in text
    assert "published S2B_MSIL1C_X.SAFE" in text.replace("\x1b[32m", "").replace("\x1b[0m", "")
    assert "2 L1A items" in text
    assert len(watcher.products) == 4
    assert list(watcher.levels) == ["L1C"]
    assert watcher.levels["L1C"].first <= watcher.levels["L1C"].last


def test_reused_jobs_and_warnings_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = io.StringIO()
    monkeypatch.setattr(progress, "console", Console(file=shown, width=160))
    plan = plan_phase(
        load_baseline(), load_strategy("single_machine"), PhaseGroup.L0U, ObservationSpace(), (Level.L0U,)
    )
    cluster = plan.clusters.clusters[0]
    jobs = (
        JobResult(id="reused", state="reused"),
        JobResult(id="L0U.EISP_ING_TYP@all", state="done", warning=True, exit_code=1, log="runs/x.log"),
    )
    result = ClusterResult(cluster_id=cluster.id, state="success", jobs=jobs)
    with TerminalWatcher() as watcher:
        watcher.planned(RUN, plan)
        watcher.finished(RUN, cluster, result)
    assert (watcher.jobs, watcher.reused) == (2, 1)
    assert "warning L0U.EISP_ING_TYP@all: exit code 1, see runs/x.log" in shown.getvalue()
