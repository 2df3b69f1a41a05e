"""`s2ps run`: a session to its products on this machine, without Airflow."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from s2ps.cli.progress import TerminalWatcher
from s2ps.cli.simulate import Home
from s2ps.cli.terminal import console, guarded, table
from s2ps.model.errors import ConfigurationError, InputError
from s2ps.model.mission import Level
from s2ps.production import Production, RunKey
from s2ps.production.definitions import strategy_of
from s2ps.production.faults import Fault
from s2ps.production.local_run import LocalRun
from s2ps.settings import Settings

STRATEGY_HELP = (
    "How jobs are split and clustered: single_machine, nominal, or one of S2PS_STRATEGIES. "
    "Default: S2PS_STRATEGY, else single_machine."
)
LEVEL_HELP = "Make this level (L0 to L2A) and later ones anew; earlier ones are used as they are."
FAULT_HELP = (
    "Fault for a reference processor: TASK:fail:133, TASK:slow:30 or TASK:omit:TYPE; with a data id for one part only, "
    "as TASK:tile=32TPR:fail:133. Several are allowed."
)


def run(
    home: Home = Path("var"),
    session: Annotated[Path | None, typer.Option(help="Session folder. Default: the one in HOME/session.")] = None,
    strategy: Annotated[str | None, typer.Option(help=STRATEGY_HELP)] = None,
    from_level: Annotated[
        Level | None,
        typer.Option(help=LEVEL_HELP),
    ] = None,
    parallel: Annotated[
        int, typer.Option(min=1, help="Clusters at the same time; each runs up to S2PS_SLOTS jobs.")
    ] = 2,
    fault: Annotated[
        list[str] | None,
        typer.Option(help=FAULT_HELP),
    ] = None,
) -> None:
    """Run a downlink session to its products on this machine, datatake by datatake, without Airflow.

    Finished jobs are kept: after a failure or Ctrl-C the same command goes on
    where it stopped.

    Examples:
      s2ps run --home var/mine
      s2ps run --home var/mine --from-level L2A      L2A anew
      s2ps run --home var/mine --fault DECOMP:fail:133    a drill

    Products go to HOME/products, logs of processors to
    runs/<datatake>/logs in HOME/staging (or S2PS_STAGING). Exit codes: 0 fine, 2 error (a processor
    failed, an input is missing ...), 130 interrupted.
    """
    guarded(lambda: _run(home, session, strategy, from_level, parallel, tuple(fault or ())))


def _run(
    home: Path, session: Path | None, strategy: str | None, level: Level | None, parallel: int, faults: tuple[str, ...]
) -> None:
    settings = Settings.load(home)
    if level is Level.L0U:
        raise ConfigurationError(
            "L0U cannot be made anew: its granules name the datatake's data",
            expected="--from-level L0, L1A, L1B, L1C or L2A",
            next_step="run the session into another --home",
        )
    strategy_of(settings, strategy)
    for text in faults:
        Fault.parse(text)
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
