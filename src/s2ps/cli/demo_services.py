"""What the demonstration starts beside Airflow: a simulated station, and the web service of the products."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from s2ps.embedded.companions import Companions
from s2ps.embedded.rest import AirflowClient
from s2ps.ingestion.stations import Stations
from s2ps.model.errors import ConfigurationError, InputError, TimeoutFailure
from s2ps.model.names import SessionFileName
from s2ps.settings import Settings

STATION = "demo"
STATION_DAG = f"station_ingestion_{STATION}"
MARK = "# The simulated station of `s2ps demo`, which writes this file anew."
POLL_SECONDS = 60
"""The first poll comes when the session is there; further ones only cost time the demonstration does not have."""
RETENTION_DAYS = 36_500
"""A session that is given may be old; a station with a clock is asked for that much."""
DAG_LIMIT = 120.0


def start_station(settings: Settings, kind: str, content: Path) -> str:
    """Start the station and enter it into the home's file of stations; return its address."""
    path = settings.stations_file
    if path.is_file() and not path.read_text(encoding="utf-8").startswith(MARK):
        raise ConfigurationError(
            f"{path} names stations of its own", next_step="name another folder with --home for the demonstration"
        )
    command = [*_program(), "station", "--kind", kind, "--content", str(content.resolve()), "--set", "live=true"]
    url = companions(settings).start(f"station_{kind}", command, os.environ, r"url=(\S+)")
    entry = (
        f"- {{name: {STATION}, kind: {kind}, url: '{url}', poll_seconds: {POLL_SECONDS}, min_free_gb: 0.5, "
        f"retention_days: {RETENTION_DAYS}}}"
    )
    path.write_text(f"{MARK}\n{entry}\n", encoding="utf-8")
    Stations.load(path)
    return url


def poll_now(client: AirflowClient) -> None:
    """Let Airflow poll the station at once; raises TimeoutFailure when it does not know the station."""
    deadline = time.monotonic() + DAG_LIMIT
    while STATION_DAG not in client.dag_ids():
        if time.monotonic() > deadline:
            raise TimeoutFailure(f"Airflow has no DAG {STATION_DAG}", next_step=f"look at {client.url}")
        time.sleep(0.5)
    client.trigger(STATION_DAG, {})


def session_of(folder: Path) -> str:
    """Return the session a folder holds; raises InputError when it is not one."""
    found = {SessionFileName.parse(path.name).session for path in folder.rglob("*_DSIB.xml")}
    if len(found) != 1:
        raise InputError(f"{folder} holds DSIBs of {len(found)} sessions", expected="one", next_step="give --session")
    return found.pop()


def start_prip(settings: Settings) -> str:
    """Start the web service of the products; return its address."""
    command = [*_program(), "prip", "serve", "--home", str(settings.place("home")), "--port", "0"]
    environment = {**os.environ, **settings.environment()}
    return companions(settings).start("prip", command, environment, r"running on (http://[^\s/]+)")


def companions(settings: Settings) -> Companions:
    """Return what runs beside the Airflow of a home."""
    return Companions(settings.place("home") / "beside")


def _program() -> list[str]:
    return [sys.executable, "-c", "from s2ps.cli.main import main; main()"]
