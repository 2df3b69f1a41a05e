"""`s2ps demo`, `stop`, `status`: the whole service on this machine, under an Airflow of its own."""

from __future__ import annotations

import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from s2ps.cli import demo_services as services
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


class StationKind(StrEnum):
    """The interfaces the demonstration's station can have."""

    xbip = "xbip"
    cadip = "cadip"


def demo(
    home: Home = HOME,
    session: Annotated[Path | None, typer.Option(help="Session folder. Default: simulate one.")] = None,
    scale: Annotated[int, typer.Option(min=1, max=40, help="Scale of the simulated session; 1 is the real size.")] = 10,
    port: Annotated[int | None, typer.Option(help="Port of the Airflow pages. Default: 8080, or a free one.")] = None,
    station: Annotated[StationKind, typer.Option(help="Interface of the simulated station.")] = StationKind.xbip,
) -> None:
    """Bring a downlink session from a simulated station to products that can be searched and downloaded.

    Simulates a session (unless one is given) that a station publishes, starts
    Airflow, which polls the station, makes Level-0 of the session and L1C and
    L2A products of each datatake, and a web service of the products. Shows the
    progress and leaves all of it running. Run again, it shows what is there; a
    session and its datatakes are announced once.

    Examples:
      s2ps demo
      s2ps demo --home var/other --session /data/S2B_20260701101559048123

    Products go to HOME/products, Airflow with its logs to HOME/airflow. Exit
    codes: 0 fine, 2 error, 130 interrupted; Airflow goes on running in each
    case, `s2ps stop` ends it.
    """
    guarded(lambda: _demo(home, session, scale, port, station.value))


def stop(home: Home = HOME) -> None:
    """Stop the Airflow of a demonstration, its station and its web service; what they wrote stays.

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


def _demo(home: Path, session: Path | None, scale: int, port: int | None, station: str) -> None:
    began = time.monotonic()
    settings = _beside(session, Settings.load(home)) if session else Settings.load(home)
    airflow = EmbeddedAirflow(settings.home / "airflow", port, settings=settings.environment())
    simulation = None if session else _start_simulation(settings.home, scale)
    services.start_station(settings, station, session or settings.home / "session")
    with console.status("starting Airflow") as shown:
        airflow.start(on_step=lambda text: shown.update(f"starting Airflow: {text}"))
        console.print(f"Airflow is ready at [bold]{airflow.url}[/] [dim]after {time.monotonic() - began:.0f} s[/]")
        folder = session or _finish_simulation(settings.home, simulation, shown.update)
    name = services.session_of(folder)
    console.print(f"session {name} at the {station} station [dim]after {time.monotonic() - began:.0f} s[/]")
    client = airflow.client()
    watch = AirflowWatch(client, settings.place("products"), _levels(settings), began)
    prip = None
    with ThreadPoolExecutor(1, thread_name_prefix="prip") as beside:
        try:
            services.poll_now(client)
            datatakes = _run_session(client, watch, name)
            starting = beside.submit(services.start_prip, settings)
            for datatake in datatakes:
                console.print(f"datatake [bold]{datatake}[/]")
                watch.run(DATATAKE_DAG, partial(_run_of, client, DATATAKE_DAG, datatake), RUN_LIMIT)
            prip = starting.result()
        finally:
            _report(watch, airflow, settings, time.monotonic() - began, prip)


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


def _run_session(client: AirflowClient, watch: AirflowWatch, session: str) -> list[str]:
    find = partial(_run_of, client, SESSION_DAG, session)
    watch.run(SESSION_DAG, find, RUN_LIMIT)
    return sorted(client.xcom(SESSION_DAG, str(find()), "announce_datatakes"))


def _run_of(client: AirflowClient, dag_id: str, key: str) -> str | None:
    """Return the newest run of a session or datatake; None while there is none."""
    run = client.run_of_partition(dag_id, key)
    return str(run["dag_run_id"]) if run else None


def _beside(session: Path, settings: Settings) -> Settings:
    """Use the auxiliary data that lie beside a given session (as `s2ps simulate` puts them) where HOME has none."""
    root = session.resolve().parent.parent
    there = {
        name: root / name
        for name in ("auxiliary", "static", "gri")
        if not settings.place(name).is_dir() and (root / name).is_dir()
    }
    return settings.model_copy(update=there)


def _report(
    watch: AirflowWatch, airflow: EmbeddedAirflow, settings: Settings, seconds: float, prip: str | None
) -> None:
    products = settings.place("products")
    if watch.seen:
        rows = [(name, f"{second:.0f} s") for name, second in sorted(watch.seen.items(), key=lambda item: item[1])]
        table(f"\nproducts in {products}", ("user product", ">published after"), rows)
        items = sum(1 for _ in products.glob("PDI/*/S2*"))
        console.print(f"and {items} product data items (DS, GR, TL, TC, HKTM, SAD) in {products / 'PDI'}")
    spans = [(level, f"{span.first:.0f} s", f"{span.last - span.first:.0f} s") for level, span in watch.spans.items()]
    table("\nlevels", ("level", ">began after", ">took"), spans)
    console.print(f"\nall in all [bold]{seconds:.0f} s[/]. All goes on running:")
    if prip:
        console.print(f"  PRIP   [bold]{prip}/odata/v1/Products[/]   STAC [bold]{prip}/stac[/]")
        query = f"curl '{prip}/odata/v1/Products?$filter=contains(Name,%27MSIL1C%27)&$top=3'"
        console.print(f"  query  [bold]{query}[/]", soft_wrap=True)
    console.print(
        f"  page   [bold]{airflow.url}[/]   user [bold]{airflow.user}[/]   password [bold]{airflow.password}[/]"
    )
    console.print("  stop   [bold]make demo-stop[/]   (or: s2ps stop --home " + str(settings.home) + ")")


def _stop(home: Path) -> None:
    settings = Settings.load(home)
    forced = EmbeddedAirflow(settings.home / "airflow").stop() + services.companions(settings).stop()
    console.print("Airflow is stopped" + (f" ({', '.join(forced)} had to be forced)" if forced else ""))


def _status(home: Path) -> None:
    airflow = EmbeddedAirflow(Settings.load(home).home / "airflow")
    found = airflow.status()
    beside = {
        name: f"running at {each.said}" for name, each in services.companions(Settings.load(home)).running().items()
    }
    table("Airflow", ("component", "state"), [*found.components.items(), *beside.items()])
    for problem in found.problems:
        console.print(problem)
    if found.url is None:
        raise ConfigurationError(f"no Airflow was started in {home}", next_step="run `make demo`")
    console.print(f"page {airflow.url}   user {airflow.user}   password {airflow.password}")
    if set(found.components.values()) != {"running"}:
        raise SystemExit(FINDINGS)
