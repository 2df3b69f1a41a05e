"""`s2ps plan`: jobs, clusters and predicted order of a datatake, before anything runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from s2ps.cli.terminal import console, guarded, table
from s2ps.graph.job_graph import JobGraph
from s2ps.graph.space import ObservationSpace
from s2ps.model.mission import levels_of
from s2ps.model.names import DatatakeName
from s2ps.planning.plan import Plan
from s2ps.planning.planner import plan_phase
from s2ps.processors.phases import PHASES, PhaseGroup
from s2ps.production import Production, RunKey
from s2ps.production.definitions import catalogue_of, strategy_of
from s2ps.settings import Settings

_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ"


def plan(
    datatake: Annotated[str | None, typer.Argument(help="Show the plans of this datatake as they are stored.")] = None,
    home: Annotated[Path | None, typer.Option(help="Folder of the installation.", envvar="S2PS_HOME")] = None,
    strategy: Annotated[str | None, typer.Option(help="How jobs are split and clustered.")] = None,
    scenes: Annotated[int, typer.Option(min=1, help="Scenes along track.")] = 16,
    tiles: Annotated[int, typer.Option(min=1, max=999, help="Tiles.")] = 18,
    datatake_type: Annotated[str, typer.Option("--type", help="Datatake type.")] = "INS-NOBS",
    gri: Annotated[bool, typer.Option(help="Whether reference images were found.")] = True,
    jobs: Annotated[bool, typer.Option("--jobs", help="List every job in predicted order.")] = False,
) -> None:
    """Show the jobs per phase, the clusters and the critical path of a datatake.

    Without an argument a datatake is assumed, by default the nominal one of 16 scenes and 18 tiles; with one, the stored
    plans of that datatake are shown.
    """
    settings = Settings.load(home)
    space = ObservationSpace(granules=scenes, has_gri=gri, tiles=tuple(_tile_names(tiles)))
    if datatake is not None:
        name = str(DatatakeName.parse(datatake))
        guarded(lambda: _show(_stored(settings, name), jobs))
    else:
        guarded(lambda: _show(_assumed(settings, strategy, space, datatake_type), jobs))


def _assumed(settings: Settings, strategy: str | None, space: ObservationSpace, kind: str) -> list[Plan]:
    catalogue, chosen = catalogue_of(settings), strategy_of(settings, strategy)
    levels = levels_of(kind, space.products)
    return [plan_phase(catalogue, chosen, group, space, levels) for group in PhaseGroup]


def _stored(settings: Settings, datatake: str) -> list[Plan]:
    production = Production(settings)
    return [
        production.stored_plan(datatake, group)
        for group in PhaseGroup
        if production.has_plan(RunKey("datatake", datatake, ""), group)
    ]


def _show(plans: list[Plan], jobs: bool) -> None:
    everything = JobGraph.of(job for each in plans for job in each.graph)
    counts = everything.counts()
    rows: list[tuple[object, ...]] = []
    for phase in PHASES:
        tasks = counts.get(phase.name, {})
        if tasks:
            several = ", ".join(f"{task} {count}" for task, count in tasks.items() if count > 1)
            rows.append((phase.level, phase.name, len(tasks), sum(tasks.values()), several))
    rows.append(("", "total", "", len(everything), ""))
    table("jobs", ("level", "phase", ">tasks", ">jobs", "split into"), rows)
    clusters = [cluster for each in plans for cluster in each.clusters.clusters]
    by_node: dict[str, list[int]] = {}
    for cluster in clusters:
        by_node.setdefault(cluster.node, []).append(len(cluster.jobs))
    console.print()
    table(
        "clusters", ("node", ">clusters", ">jobs"), [(node, len(sizes), sum(sizes)) for node, sizes in by_node.items()]
    )
    for each in plans:
        if each.graph:
            path = " > ".join(each.prediction.critical_path)
            console.print(f"\n[bold]{each.phase_group}[/] plan {each.plan_hash[:12]}, critical path: {path}")
            if jobs:
                for name in each.prediction.order:
                    console.print(f"  {name}")


def _tile_names(count: int) -> list[str]:
    return [f"32T{_LETTERS[number // len(_LETTERS)]}{_LETTERS[number % len(_LETTERS)]}" for number in range(count)]
