"""`s2ps simulate`: start the simulated mission as a command of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

from s2ps.cli.terminal import guarded
from s2ps.model.errors import InputError

Home = Annotated[Path, typer.Option(help="Folder of everything this installation writes.", envvar="S2PS_HOME")]


def simulate(
    home: Home = Path("var"),
    scale: Annotated[int, typer.Option(min=1, max=40, help="Shrink the ground extent; 1 is the real size.")] = 10,
    scenes: Annotated[int, typer.Option(min=1, max=16, help="Scenes along track; 4 are the least for L1.")] = 4,
    seed: Annotated[int, typer.Option(help="The same seed gives the same session, byte for byte.")] = 1,
    unit: Annotated[str, typer.Option(help="Satellite unit, S2A, S2B, S2C ...")] = "S2B",
    datatake_type: Annotated[
        str, typer.Option("--type", help="INS-NOBS (to L2A), INS-VIC (to L1C), INS-RAW ...")
    ] = "INS-NOBS",
    datatakes: Annotated[int, typer.Option(min=1, max=4, help="Datatakes in the session.")] = 1,
    gri: Annotated[bool, typer.Option(help="Write reference images, so that L1B can refine.")] = True,
) -> None:
    """Write a simulated downlink session with its auxiliary data and its truth.

    The session goes to HOME/session, the auxiliary data to HOME/auxiliary,
    HOME/static and HOME/gri, the truth to HOME/truth. `s2ps run` takes it
    from there.

    Examples:
      s2ps simulate --home var/mine
      s2ps simulate --home var/small --scale 24 --type INS-VIC
      s2ps simulate --home var/two --datatakes 2 --no-gri

    Exit codes: 0 fine, 2 error, 130 interrupted.
    """
    values = {
        "output": home, "scale": scale, "scenes": scenes, "seed": seed, "unit": unit, "type": datatake_type,
        "datatakes": datatakes,
    }  # fmt: skip
    guarded(lambda: run_simulation(values, gri=gri))


def run_simulation(values: dict[str, object], *, gri: bool = True) -> None:
    """Run the simulation command; raises InputError when it ends with an error."""
    command = [sys.executable, "-m", "ipf_adapters.simulation"]
    command += [text for name, value in values.items() for text in (f"--{name}", str(value))]
    if not gri:
        command.append("--no-gri")
    ended = subprocess.run(command, check=False)
    if ended.returncode != 0:
        raise InputError(f"the simulation ended with exit code {ended.returncode}", next_step="read its message above")
