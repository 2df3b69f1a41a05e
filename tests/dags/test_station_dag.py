"""The DAGs that poll stations, and what makes one run of each session and datatake."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk import DAG
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException, DownstreamTasksSkipped
from airflow.serialization.serialized_objects import DagSerialization
from unit.stations.sessions import SESSION, write_session

from s2ps.inventory.records import Claim, DatatakeRecord, RunRecord
from s2ps.settings import Settings
from s2ps.stations import xbip
from s2ps.stations.settings import StationSettings
from s2ps.stations.station import Station
from s2ps.stations.timeline import Timeline
from s2ps_airflow import once, production, tasks
from s2ps_airflow.housekeeping_dag import ExpireSessionsOperator
from s2ps_airflow.installed import station_dags
from s2ps_airflow.nodes import NodeGraph
from s2ps_airflow.reports import SummaryOperator
from s2ps_airflow.session_dag import build_session_dag
from s2ps_airflow.station_dag import PollStationOperator, build_station_dag
from s2ps_airflow.timetable import DatatakeMapper, SessionMapper

pytestmark = pytest.mark.dags
DATATAKE = "GS2B_20260701T101559_043890_N05.00"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("S2PS_HOME", str(tmp_path / "home"))
    return Settings.load().place("home")


@pytest.fixture
def station(home: Path, tmp_path: Path) -> Iterator[Station]:
    """A station that has nothing at first, and everything after ten seconds of its time."""
    folder, settings = write_session(tmp_path / "content"), StationSettings(timeline=Timeline(manual=True, seconds=10))
    with xbip.serve(folder, settings) as station, xbip.serve(folder, settings) as southern:
        write_stations(home, station.url, southern.url)
        yield station


def write_stations(home: Path, north: str = "http://127.0.0.1:9", south: str = "http://127.0.0.1:9") -> None:
    home.mkdir(exist_ok=True)
    (home / "stations.yaml").write_text(
        f"- {{name: north, kind: xbip, url: '{north}', poll_seconds: 5, min_free_gb: 0}}\n"
        f"- {{name: south, kind: xbip, url: '{south}', min_free_gb: 0}}\n"
    )


class Events(dict[Any, Any]):
    """What a task announces."""

    def __missing__(self, asset: Any) -> SimpleNamespace:
        self.keys_of = self.setdefault(asset.name, [])
        return SimpleNamespace(add_partitions=self.keys_of.extend)


def polled(name: str) -> list[str]:
    events = Events()
    PollStationOperator(task_id="poll", station=name).execute({"outlet_events": events})
    return list(events["s2ps_session"])


def registered(run_id: str, states: dict[str, str] | None = None, **given: Any) -> str:
    """Run the task that takes a session, in a run of that id."""
    with DAG("session_ingestion"):
        task = build_session_dag(NodeGraph.of(())).task_dict["register_session"]
    run = SimpleNamespace(dag_id="session_ingestion", run_id=run_id, partition_key=given.get("key"))
    ti = SimpleNamespace(get_dagrun_state=lambda dag_id, run_id: (states or {}).get(run_id, "running"))
    context = {"dag_run": run, "params": {"session": given.get("folder")}, "ti": ti}
    return str(task.execute(context))  # type: ignore[arg-type]


def test_without_stations_there_is_nothing_to_poll(home: Path) -> None:
    assert station_dags() == []


def test_every_station_has_a_dag_of_its_own_with_its_interval(home: Path) -> None:
    write_stations(home)
    first, second = station_dags()
    assert (first.dag_id, second.dag_id) == ("station_ingestion_north", "station_ingestion_south")
    assert first.schedule == timedelta(seconds=5)
    assert second.schedule == timedelta(seconds=20)
    poll = first.task_dict["poll"]
    assert poll.retries == 1
    assert first.max_active_runs > 1, "a long transfer must not keep the next poll away"
    assert not first.catchup
    restored = DagSerialization.from_dict(DagSerialization.to_dict(first))
    assert restored.task_dict["poll"].outlets[0].name == "s2ps_session"


def test_a_poll_announces_complete_sessions_until_a_run_has_taken_them(station: Station) -> None:
    with pytest.raises(AirflowSkipException, match="no session to announce"):
        polled("north")
    station.advance(9)
    with pytest.raises(AirflowSkipException):
        polled("north")
    station.advance(1)
    assert polled("north") == [SESSION]
    assert polled("north") == [SESSION], "nobody has taken it: the announcement may have been lost"
    assert registered("first", key=SESSION) == SESSION
    with pytest.raises(AirflowSkipException):
        polled("north")


def test_a_session_that_is_given_up_raises_an_alert(station: Station, caplog: pytest.LogCaptureFixture) -> None:
    station.advance(9)
    with pytest.raises(AirflowSkipException):
        polled("north")
    production.arrivals().touch(SESSION, datetime.now(UTC) - timedelta(days=11))
    with pytest.raises(AirflowSkipException):
        polled("north")
    alerts = [record.getMessage() for record in caplog.records if record.getMessage().startswith("ALERT")]
    assert len(alerts) == 1
    assert '"event": "session_abandoned"' in alerts[0]
    assert "channel " in alerts[0]


def test_raw_data_go_when_every_datatake_has_its_summary(station: Station, monkeypatch: pytest.MonkeyPatch) -> None:
    station.advance(10)
    polled("north")
    assert registered("first", key=SESSION) == SESSION
    known, now = production.inventory(), datetime.now(UTC)
    known.register_run(RunRecord(f"{SESSION}/L0U/1", "session", SESSION, "x", "L0U", "success", now, now))
    known.register_datatake(DatatakeRecord(DATATAKE, "S2B", "INS-NOBS", now, now, 1, 1, now, SESSION, 60))
    expire = ExpireSessionsOperator(task_id="expire_sessions")
    with pytest.raises(AirflowSkipException, match="S2PS_SESSION_DAYS"):
        expire.execute({})
    monkeypatch.setenv("S2PS_SESSION_DAYS", "0")
    assert expire.execute({}) == 0
    summary = SummaryOperator(task_id="summary", publish_tasks=[], cluster_tasks={})
    with pytest.raises(AirflowFailException):
        summary.execute(context_of({"plan": "failed"}))
    assert expire.execute({}) == 0
    summary.execute(context_of({"plan": "success"}))
    assert expire.execute({}) == 1
    assert not known.session(SESSION).folder.exists()
    with pytest.raises(AirflowSkipException):
        polled("north")


def context_of(states: dict[str, str]) -> dict[str, Any]:
    """Return the context of a task in a run whose tasks are in these states."""
    run = SimpleNamespace(dag_id="datatake", run_id="first", partition_key=DATATAKE, conf={})
    ti = SimpleNamespace(get_task_states=lambda dag_id, run_ids: {"first": states})
    return {"dag_run": run, "ti": ti, "params": {}}


def test_what_one_station_has_fetched_is_announced_by_the_poll_of_another(station: Station) -> None:
    station.advance(10)
    with production.ingestion() as ingestion:
        ingestion.poll("north")
    assert polled("south") == [SESSION]


def test_a_session_keeps_the_t0_of_the_station_and_is_made_by_one_run(station: Station) -> None:
    station.advance(10)
    polled("north")
    before = production.inventory().session(SESSION)
    assert registered("first", key=SESSION) == SESSION
    assert registered("first", key=SESSION) == SESSION, "a retry of the same run"
    assert production.inventory().session(SESSION) == before
    with pytest.raises(DownstreamTasksSkipped):
        registered("second", key=SESSION)
    assert registered("third", {"first": "failed"}, folder=str(before.folder)) == SESSION
    assert production.inventory().claim_of(SESSION) == Claim("session_ingestion", "third")


def test_a_session_that_has_lost_a_file_is_refused_with_its_name(station: Station) -> None:
    station.advance(10)
    polled("north")
    lost = sorted(production.inventory().session(SESSION).folder.rglob("*.raw"))[0]
    lost.unlink()
    with pytest.raises(AirflowFailException, match=lost.name):
        registered("first", key=SESSION)


def test_a_run_that_names_no_session_is_told_so(home: Path) -> None:
    with pytest.raises(AirflowFailException, match="names no session"):
        registered("first")


def test_a_station_that_does_not_answer_fails_the_poll_with_its_name(home: Path) -> None:
    write_stations(home)
    with pytest.raises(Exception, match="north"):
        tasks.poll_station("north")


@pytest.mark.parametrize(("mapper", "key"), [(SessionMapper(), SESSION), (DatatakeMapper(), DATATAKE)])
def test_a_key_that_was_announced_before_starts_nothing(
    monkeypatch: pytest.MonkeyPatch, mapper: once.OnceMapper, key: str
) -> None:
    runs: dict[tuple[str, str], str] = {}
    monkeypatch.setattr(once, "announced_run", lambda dag_id, key: runs.get((dag_id, key)))
    assert mapper.to_downstream(key) == key
    runs[mapper.dag_id, key] = "asset_triggered__1"
    assert list(mapper.to_downstream(key)) == []
    with pytest.raises(ValueError, match="expected one as"):
        mapper.to_downstream("nonsense")


def test_sessions_are_dated_by_their_id() -> None:
    assert SessionMapper().to_partition_date(SESSION) == datetime(2026, 7, 1, 10, 17, 59, tzinfo=UTC)


def test_the_session_dag_starts_from_announcements_and_by_hand(graph: NodeGraph) -> None:
    made = build_session_dag(graph)
    assert made.timetable.partitioned
    assert made.params.get_param("session").resolve() is None
    assert build_station_dag("a", "xbip", 20).task_dict["poll"].priority_weight >= 100
