"""`s2ps plan`: jobs, clusters and predicted order of a datatake, before anything runs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from s2ps.cli.run import STRATEGY_HELP
from s2ps.cli.terminal import console, guarded, table
from s2ps.graph.job_graph import JobGraph
from s2ps.graph.space import ObservationSpace
from s2ps.model.errors import NotReady
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
    datatake: Annotated[str | None, typer.Argument(help="Show the stored plans of this datatake.")] = None,
    home: Annotated[
        Path | None,
        typer.Option(help="What this installation wrote. Default: var.", envvar="S2PS_HOME"),
    ] = None,
    strategy: Annotated[str | None, typer.Option(help=STRATEGY_HELP)] = None,
    scenes: Annotated[int, typer.Option(min=1, help="Scenes along track.")] = 16,
    tiles: Annotated[int, typer.Option(min=1, max=999, help="Tiles.")] = 18,
    datatake_type: Annotated[str, typer.Option("--type", help="Datatake type; decides the levels.")] = "INS-NOBS",
    gri: Annotated[bool, typer.Option(help="Whether reference images were found.")] = True,
    jobs: Annotated[bool, typer.Option("--jobs", help="List every job in predicted order.")] = False,
) -> None:
    """Show the jobs per phase, the clusters and the critical path of a datatake, before anything runs.

    Without an argument a datatake is assumed, by default the nominal one of
    16 scenes and 18 tiles; with one, its stored plans are shown.

    Examples:
      s2ps plan --strategy nominal             1996 jobs, as on a cluster
      s2ps plan --scenes 4 --tiles 7 --jobs    every job, in predicted order
      s2ps plan GS2B_20260701T101559_048123_N05.00 --home var/mine

    Results go to the terminal; nothing is written. Exit codes: 0 fine, 2 error.
    """
    guarded(lambda: _plan(datatake, home, strategy, ObservationOptions(scenes, tiles, datatake_type, gri), jobs))


@dataclass(frozen=True, slots=True)
class ObservationOptions:
    """The datatake that is assumed."""

    scenes: int
    tiles: int
    kind: str
    gri: bool


def _plan(
    datatake: str | None, home: Path | None, strategy: str | None, assumed: ObservationOptions, jobs: bool
) -> None:
    settings = Settings.load(home)
    if datatake is not None:
        _show(_stored(settings, str(DatatakeName.parse(datatake))), jobs)
        return
    space = ObservationSpace(granules=assumed.scenes, has_gri=assumed.gri, tiles=tuple(_tile_names(assumed.tiles)))
    _show(_assumed(settings, strategy, space, assumed.kind), jobs)


def _assumed(settings: Settings, strategy: str | None, space: ObservationSpace, kind: str) -> list[Plan]:
    catalogue, chosen = catalogue_of(settings), strategy_of(settings, strategy)
    levels = levels_of(kind, space.products)
    return [plan_phase(catalogue, chosen, group, space, levels) for group in PhaseGroup]


def _stored(settings: Settings, datatake: str) -> list[Plan]:
    folder = settings.staging_folder
    if folder is not None and not folder.is_dir():
        raise NotReady(f"nothing was run in {settings.home} yet", next_step="give the --home of a run")
    production = Production(settings)
    key = RunKey("datatake", datatake, "")
    plans = [production.stored_plan(datatake, group) for group in PhaseGroup if production.has_plan(key, group)]
    if not plans:
        raise NotReady(
            f"{datatake} has no plan in {settings.home}", next_step="run its session first, or correct the name"
        )
    return plans


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
