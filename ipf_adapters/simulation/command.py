"""The command line of the simulation: write a session, auxiliary and static data, a GRI and the truth."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from pydantic import ValidationError
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from ipf_adapters.simulation.mission import MissionSettings
from ipf_adapters.simulation.run import simulate, steps
from s2ps.model.errors import S2psError
from s2ps.model.timestamps import parse_utc

_OPTION = {"datatake_type": "type"}


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    result = argparse.ArgumentParser(prog="python -m ipf_adapters.simulation", description="Simulate one downlink.")
    result.add_argument("--output", type=Path, required=True, help="folder to write to; must be empty or not exist")
    result.add_argument("--scale", type=int, default=10, help="shrink the ground extent: 1 (real) to 40")
    result.add_argument("--scenes", type=int, default=4, help="scenes of each datatake, 1 to 16")
    result.add_argument("--seed", type=int, default=1, help="the same seed gives the same bytes")
    result.add_argument("--unit", default="S2B", help="satellite")
    result.add_argument("--start", type=utc_time, default="2026-07-01T10:15:59Z", help="UTC of the first line")
    result.add_argument("--type", default="INS-NOBS", dest="datatake_type", help="datatake type, such as INS-VIC")
    result.add_argument("--datatakes", type=int, default=1, help="datatakes in the session, 60 s apart")
    result.add_argument("--station", default="S2PS", help="reception station, four characters")
    result.add_argument("--no-gri", action="store_true", help="write no reference images")
    return result


def utc_time(text: str) -> datetime:
    """Read a time on the command line."""
    try:
        return parse_utc(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a time such as 2026-07-01T10:15:59Z") from None


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    options = vars(parser().parse_args(arguments))
    output, gri = options.pop("output"), not options.pop("no_gri")
    console = Console(stderr=True)
    try:
        mission = MissionSettings(**options)
        columns = (TextColumn("{task.description:32}"), BarColumn(), TextColumn("{task.percentage:3.0f} %"))
        with Progress(*columns, TimeElapsedColumn(), console=console) as progress:
            task = progress.add_task("Simulation", total=steps(mission))

            def report(text: str) -> None:
                progress.update(task, description=text, advance=1)

            session = simulate(mission, output, gri=gri, report=report)
    except ValidationError as error:
        for problem in error.errors():
            name = str(problem["loc"][0])
            text = f"--{_OPTION.get(name, name)}: {problem['msg']} (given: {problem['input']})"
            console.print(text, style="red", markup=False)
        return 2
    except (S2psError, OSError) as error:
        console.print(f"Simulation failed: {error}", style="red", markup=False)
        return 1
    print(session)
    return 0
