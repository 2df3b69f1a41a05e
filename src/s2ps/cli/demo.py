"""`s2ps demo`, `stop`, `status`: the whole service on this machine, under an Airflow of its own."""

from __future__ import annotations

import subprocess
import sys
import time
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from s2ps.cli.follow import AirflowWatch
from s2ps.cli.run import only_session
from s2ps.cli.terminal import FINDINGS, console, guarded, table
from s2ps.embedded.rest import AirflowClient
from s2ps.embedded.runtime import EmbeddedAirflow
from s2ps.model.errors import ConfigurationError, InputError
from s2ps.planning.nodes import plan_nodes
from s2ps.production.definitions import catalogue_of, strategy_of
from s2ps.settings import Settings

Home = Annotated[Path, typer.Option(help="Folder of everything the demonstration writes.")]
HOME = Path("var/demo")
SESSION_DAG, DATATAKE_DAG = "session_ingestion", "datatake"
RUN_LIMIT = 3600.0


def demo(
    home: Home = HOME,
    session: Annotated[Path | None, typer.Option(help="Session folder. Default: simulate one.")] = None,
    scale: Annotated[int, typer.Option(min=1, max=40, help="Scale of the simulated session; 1 is the real size.")] = 10,
    port: Annotated[int | None, typer.Option(help="Port of the Airflow pages. Default: 8080, or a free one.")] = None,
) -> None:
    """Run a downlink session to L1C and L2A products under Airflow, and leave Airflow running.

    Simulates a session (unless one is given), starts Airflow, runs the session
    DAG and one datatake DAG run per datatake found, and shows the progress. Run
    again, it recognises what is there and makes only what is missing.

    Examples:
      s2ps demo
      s2ps demo --home var/other --session /data/S2B_20260701101559048123

    Products go to HOME/products, Airflow with its logs to HOME/airflow. Exit
    codes: 0 fine, 2 error, 130 interrupted; Airflow goes on running in each
    case, `s2ps stop` ends it.
    """
    guarded(lambda: _demo(home, session, scale, port))


def stop(home: Home = HOME) -> None:
    """Stop the Airflow of a demonstration; what it wrote stays, and `s2ps demo` starts it again.

    Example:
      s2ps stop --home var/demo

    Exit codes: 0 stopped (or was not running), 2 error.
    """
    guarded(lambda: _stop(home))


def status(home: Home = HOME) -> None:
    """Tell whether the Airflow of a demonstration runs, where its page is, and how to log in.

    Example:
      s2ps status --home var/demo

    Exit codes: 0 runs, 1 a component is down, 2 no Airflow in HOME.
    """
    guarded(lambda: _status(home))


def _demo(home: Path, session: Path | None, scale: int, port: int | None) -> None:
    began = time.monotonic()
    settings = _beside(session, Settings.load(home)) if session else Settings.load(home)
    airflow = EmbeddedAirflow(settings.home / "airflow", port, settings=settings.environment())
    simulation = None if session else _start_simulation(settings.home, scale)
    with console.status("starting Airflow") as shown:
        airflow.start(on_step=lambda text: shown.update(f"starting Airflow: {text}"))
        console.print(f"Airflow is ready at [bold]{airflow.url}[/] [dim]after {time.monotonic() - began:.0f} s[/]")
        folder = session or _finish_simulation(settings.home, simulation, shown.update)
    console.print(f"session {folder} [dim]after {time.monotonic() - began:.0f} s[/]")
    client = airflow.client()
    watch = AirflowWatch(client, settings.place("products"), _levels(settings), began)
    earlier = {str(run["dag_run_id"]) for run in client.runs(DATATAKE_DAG)}
    try:
        datatakes = _run_session(client, watch, folder)
        for datatake in datatakes:
            console.print(f"datatake [bold]{datatake}[/]")
            watch.run(DATATAKE_DAG, partial(_run_of, client, datatake, earlier), RUN_LIMIT)
    finally:
        _report(watch, airflow, settings, time.monotonic() - began)


def _start_simulation(home: Path, scale: int) -> subprocess.Popen[bytes] | None:
    """Start the simulation beside Airflow's start; nothing when the session is there already."""
    if (home / "truth").is_dir():
        return None
    home.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "ipf_adapters.simulation", "--output", str(home), "--scale", str(scale)]
    with (home / "simulation.log").open("wb") as log:
        return subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)


def _finish_simulation(home: Path, simulation: subprocess.Popen[bytes] | None, tell: object) -> Path:
    if simulation is not None:
        if callable(tell):
            tell("simulating the session")
        if simulation.wait() != 0:
            said = (home / "simulation.log").read_text(errors="replace").strip().splitlines()[-5:]
            raise InputError("the simulation failed: " + " ".join(said), next_step=f"read {home / 'simulation.log'}")
    return only_session(home / "session")


def _levels(settings: Settings) -> dict[str, str]:
    nodes = plan_nodes(catalogue_of(settings), strategy_of(settings))
    return {node.name: node.level.value for node in nodes}


def _run_session(client: AirflowClient, watch: AirflowWatch, folder: Path) -> list[str]:
    run_id = client.trigger(SESSION_DAG, {"session": str(folder.resolve())})
    watch.run(SESSION_DAG, lambda: run_id, RUN_LIMIT)
    found = client.xcom(SESSION_DAG, run_id, "announce_datatakes")
    return sorted(found)


def _run_of(client: AirflowClient, datatake: str, earlier: set[str]) -> str | None:
    """Return the run of a datatake that was not there before; None while it is not."""
    run = client.run_of_partition(DATATAKE_DAG, datatake)
    found = str(run["dag_run_id"]) if run else None
    return None if found in earlier else found


def _beside(session: Path, settings: Settings) -> Settings:
    """Use the auxiliary data that lie beside a given session (as `s2ps simulate` puts them) where HOME has none."""
    root = session.resolve().parent.parent
    there = {
        name: root / name
        for name in ("auxiliary", "static", "gri")
        if not settings.place(name).is_dir() and (root / name).is_dir()
    }
    return settings.model_copy(update=there)


def _report(watch: AirflowWatch, airflow: EmbeddedAirflow, settings: Settings, seconds: float) -> None:
    products = settings.place("products")
    if watch.seen:
        rows = [(name, f"{second:.0f} s") for name, second in sorted(watch.seen.items(), key=lambda item: item[1])]
        table(f"\nproducts in {products}", ("user product", ">published after"), rows)
        items = sum(1 for _ in products.glob("PDI/*/S2*"))
        console.print(f"and {items} product data items (DS, GR, TL, TC) in {products / 'PDI'}")
    spans = [(level, f"{span.first:.0f} s", f"{span.last - span.first:.0f} s") for level, span in watch.spans.items()]
    table("\nlevels", ("level", ">began after", ">took"), spans)
    console.print(f"\nall in all [bold]{seconds:.0f} s[/]. Airflow goes on running:")
    console.print(
        f"  page   [bold]{airflow.url}[/]   user [bold]{airflow.user}[/]   password [bold]{airflow.password}[/]"
    )
    console.print("  stop   [bold]make demo-stop[/]   (or: s2ps stop --home " + str(settings.home) + ")")


def _stop(home: Path) -> None:
    airflow = EmbeddedAirflow(Settings.load(home).home / "airflow")
    forced = airflow.stop()
    console.print("Airflow is stopped" + (f" ({', '.join(forced)} had to be forced)" if forced else ""))


def _status(home: Path) -> None:
    airflow = EmbeddedAirflow(Settings.load(home).home / "airflow")
    found = airflow.status()
    table("Airflow", ("component", "state"), found.components.items())
    for problem in found.problems:
        console.print(problem)
    if found.url is None:
        raise ConfigurationError(f"no Airflow was started in {home}", next_step="run `make demo`")
    console.print(f"page {airflow.url}   user {airflow.user}   password {airflow.password}")
    if set(found.components.values()) != {"running"}:
        raise SystemExit(FINDINGS)
