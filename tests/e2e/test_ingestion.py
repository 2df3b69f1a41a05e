"""A simulated station, an Airflow that polls it, two schedulers killed, announcements repeated: one run of each."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from s2ps.embedded.processes import Process
from s2ps.embedded.remains import left_by
from s2ps.embedded.rest import AirflowClient
from s2ps.embedded.runtime import EmbeddedAirflow
from s2ps.inventory.store import Inventory
from s2ps.settings import Settings
from s2ps.stations import xbip
from s2ps.stations.settings import StationSettings
from s2ps.stations.station import Station
from s2ps.stations.timeline import Timeline

pytestmark = pytest.mark.e2e
SCALE = 30
LIMIT = 1800.0
SESSION_DAG, DATATAKE_DAG, STATION_DAG = "session_ingestion", "datatake", "station_ingestion_north"


@dataclass(frozen=True)
class Service:
    """An Airflow that polls a station."""

    home: Path
    airflow: EmbeddedAirflow
    client: AirflowClient
    station: Station
    session: str
    killed: list[Process]
    """Schedulers that were killed."""

    @property
    def inventory(self) -> Inventory:
        return Inventory(Settings.load(self.home).inventory_location)

    def runs(self, dag_id: str) -> list[dict[str, Any]]:
        return self.client.runs(dag_id)

    def at_work(self, dag_id: str, task: str) -> bool:
        """Return True while a task of the newest run is being run, or has been."""
        found = self.client.task_instances(dag_id, str(self.runs(dag_id)[0]["dag_run_id"]))
        return any(t.task_id.endswith(task) and t.state in ("running", "success") for t in found)

    def kill_scheduler(self) -> None:
        """Kill the scheduler without warning; tasks it has started go on. Then start another one."""
        (scheduler,) = [found for found in self.airflow._processes() if found.name == "scheduler"]
        assert isinstance(scheduler, Process)
        self.killed.append(scheduler)
        os.kill(scheduler.pid, signal.SIGKILL)
        until(lambda: not scheduler.alive, "the scheduler is dead")
        self.airflow.start()

    def announce_again(self, asset: str, key: str) -> None:
        """Announce a session or datatake through Airflow's API, as somebody else might."""
        assets = self.client._get("/api/v2/assets", name_pattern=asset)["assets"]
        body = {"asset_id": assets[0]["id"], "partition_key": key, "extra": {}}
        self.client._request("POST", "/api/v2/assets/events", json=body)


def until(found: Callable[[], Any], what: str, limit: float = LIMIT) -> Any:
    deadline = time.monotonic() + limit
    while not (value := found()):
        assert time.monotonic() < deadline, f"waited for: {what}"
        time.sleep(0.5)
    return value


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    home = tmp_path_factory.mktemp("ingestion")
    program = Path(sys.executable).with_name("s2ps")
    subprocess.run(
        [str(program), "simulate", "--home", str(home), "--scale", str(SCALE), "--type", "INS-DASC"], check=True
    )
    session = next((home / "session").iterdir()).name
    timeline = Timeline(manual=True, seconds=60)
    with xbip.serve(home / "session", StationSettings(timeline=timeline)) as station:
        (home / "stations.yaml").write_text(
            f"- {{name: north, kind: xbip, url: '{station.url}', poll_seconds: 20, min_free_gb: 0}}\n"
        )
        settings = Settings.load(home).environment()
        airflow = EmbeddedAirflow(home / "airflow", 8775, settings=settings)
        killed: list[Process] = []
        try:
            airflow.start()
            client = airflow.client()
            yield Service(home, airflow, client, station, session, killed)
            client.close()
        finally:
            airflow.stop()
        assert not any(left_by(scheduler, airflow.home) for scheduler in killed), "the stop ends what they have left"


def ended(service: Service, dag_id: str) -> str | None:
    """Return the state of the only run of a DAG, when it has ended."""
    (run,) = service.runs(dag_id)
    return str(run["state"]) if run["state"] in ("success", "failed") else None


def test_one_run_per_session_and_datatake_through_kills_and_repeated_announcements(service: Service) -> None:
    until(lambda: any(run["state"] == "success" for run in service.runs(STATION_DAG)), "a poll that finds nothing")
    assert ("PROPFIND", "/NOMINAL/") in service.station.log
    assert not service.runs(SESSION_DAG)
    service.station.advance(30)
    service.station.advance(30)
    published = max(file.published for file in service.station.pickup.published()).replace(microsecond=0)
    service.client.trigger(STATION_DAG, {})
    until(lambda: service.runs(SESSION_DAG), "the run of the session")
    service.announce_again("s2ps_session", service.session)
    until(lambda: service.at_work(SESSION_DAG, "l0u_ingestion"), "Level-0 is being made")
    service.kill_scheduler()
    service.announce_again("s2ps_session", service.session)
    (taken,) = until(lambda: service.runs(DATATAKE_DAG), "the run of the datatake")
    datatake = str(taken["partition_key"])
    service.announce_again("s2ps_datatake", datatake)
    until(lambda: service.at_work(DATATAKE_DAG, "l0_location"), "the datatake is being made")
    service.kill_scheduler()
    assert until(lambda: ended(service, SESSION_DAG), "the end of the session's run") == "success"
    assert until(lambda: ended(service, DATATAKE_DAG), "the end of the datatake's run") == "success"
    service.announce_again("s2ps_session", service.session)
    service.announce_again("s2ps_datatake", datatake)
    polls = len(service.runs(STATION_DAG))
    until(lambda: len(service.runs(STATION_DAG)) >= min(polls + 3, 100), "further polls")
    assert [run["partition_key"] for run in service.runs(SESSION_DAG)] == [service.session]
    assert [run["partition_key"] for run in service.runs(DATATAKE_DAG)] == [datatake]
    record = service.inventory.session(service.session)
    assert record.t0 == published
    assert service.inventory.datatake(datatake).t0 == published
    assert record.t0 <= datetime.now(UTC)
    items = {path.name[9:19] for path in (Settings.load(service.home).place("products") / "PDI").glob("*/S2*")}
    assert {"MSI_L0__DS", "MSI_L0__GR", "MSI_L1A_DS", "MSI_L1A_GR"} <= items
