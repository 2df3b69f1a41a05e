"""`s2ps run`: a session to its products on this machine, without Airflow."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from s2ps.cli.progress import TerminalWatcher
from s2ps.cli.simulate import Home
from s2ps.cli.terminal import console, guarded, table
from s2ps.model.errors import InputError
from s2ps.model.mission import Level
from s2ps.production import Production, RunKey
from s2ps.production.local_run import LocalRun
from s2ps.settings import Settings


def run(
    home: Home = Path("var"),
    session: Annotated[Path | None, typer.Option(help="Session folder. Default: the one in HOME/session.")] = None,
    strategy: Annotated[str | None, typer.Option(help="How jobs are split and clustered.")] = None,
    from_level: Annotated[Level | None, typer.Option(help="Make this level and later ones anew.")] = None,
    parallel: Annotated[int, typer.Option(min=1, help="Clusters at the same time.")] = 2,
    fault: Annotated[
        list[str] | None, typer.Option(help="Inject a fault: TASK[:data id]:fail:133|slow:30|omit:TYPE.")
    ] = None,
) -> None:
    """Run a downlink session to its products, datatake by datatake.

    Finished jobs are kept: after a failure or Ctrl-C the same command goes on where it stopped.
    """
    guarded(lambda: _run(home, session, strategy, from_level, parallel, tuple(fault or ())))


def _run(
    home: Path, session: Path | None, strategy: str | None, level: Level | None, parallel: int, faults: tuple[str, ...]
) -> None:
    settings = Settings.load(home)
    folder = session or only_session(settings.place("home") / "session")
    options = RunKey("datatake", "", strategy or settings.strategy, level, faults=faults)
    with TerminalWatcher() as watcher:
        LocalRun(Production(settings), watcher, parallel).session(folder, options)
    rows = [(name, f"{times.first:.0f}", f"{times.last:.0f}") for name, times in watcher.levels.items()]
    table("levels, seconds since the start", ("level", ">first job", ">last job"), rows)
    made = watcher.jobs - watcher.reused
    console.print(
        f"{len(watcher.products)} products in {settings.place('products')}; {made} jobs run, {watcher.reused} reused"
    )


def only_session(folder: Path) -> Path:
    """Return the one session below a folder; raises InputError when there is none or several."""
    found = sorted(path for path in folder.glob("*") if path.is_dir()) if folder.is_dir() else []
    if len(found) != 1:
        names = ", ".join(path.name for path in found) or "none"
        raise InputError(
            f"{folder} holds {len(found)} sessions ({names})",
            expected="one",
            next_step="run `s2ps simulate` with the same --home first, or give --session",
        )
    return found[0]
