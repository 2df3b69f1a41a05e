"""What tasks make of results and errors."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk.exceptions import (
    AirflowException,
    AirflowFailException,
    AirflowRescheduleException,
    AirflowSkipException,
)

from s2ps.execution.result import ClusterResult, JobResult
from s2ps.inventory.records import Claim
from s2ps.inventory.store import Inventory
from s2ps.model import errors
from s2ps_airflow import alerts, claims, failures, milestones, production, tasks
from s2ps_airflow.identity import datatake_id, options

pytestmark = pytest.mark.dags
DATATAKE = "GS2B_20260701T101559_043890_N05.00"
T0 = datetime(2026, 7, 1, 11, 0, tzinfo=UTC)


def every_error() -> list[type[errors.S2psError]]:
    return [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.S2psError)]


@pytest.mark.parametrize("kind", every_error())
def test_retryable_errors_are_retried_and_all_others_fail_at_once(kind: type[errors.S2psError]) -> None:
    expected = AirflowException if kind.retryable else AirflowFailException
    with pytest.raises(AirflowException, match="what happened") as caught, failures.translated():
        raise kind("what happened", next_step="do this")
    assert type(caught.value) is expected
    assert "next: do this" in str(caught.value)


def test_disk_errors_are_retried_and_unknown_errors_pass() -> None:
    with pytest.raises(AirflowException) as caught, failures.translated():
        raise OSError("disk full")
    assert not isinstance(caught.value, AirflowFailException)
    with pytest.raises(KeyError), failures.translated():
        raise KeyError("bug")


def result(state: str, *jobs: JobResult) -> ClusterResult:
    return ClusterResult(cluster_id="l1a", state=state, jobs=jobs)  # type: ignore[arg-type]


def test_a_failed_cluster_names_processor_data_exit_code_log_and_next_step() -> None:
    job = JobResult(
        id="L1A-DECOMP-1", task="DECOMP", data_id="band=B03", state="failed", exit_code=133, log="x/y.log",
        error="packet 17 is cut",
    )  # fmt: skip
    with pytest.raises(AirflowFailException) as caught:
        tasks.raise_if_failed(result("failed", job, JobResult(id="later", state="not_run")))
    for part in ("DECOMP", "band=B03", "133", "x/y.log", "packet 17 is cut", "clear this task"):
        assert part in str(caught.value)
    assert "later" not in str(caught.value)


def test_an_interrupted_cluster_is_retried() -> None:
    with pytest.raises(AirflowException) as caught:
        tasks.raise_if_failed(result("interrupted"))
    assert not isinstance(caught.value, AirflowFailException)


class Service:
    """A production service with one tile node and one datastrip node."""

    def plan(self, _run: Any, _group: str) -> list[Any]:
        return [
            SimpleNamespace(id="a", node="ds", label="", jobs=4),
            SimpleNamespace(id="b", node="tile", label="32TPR", jobs=9),
            SimpleNamespace(id="c", node="tile", label="32TPQ", jobs=9),
        ]

    def run_cluster(self, _run: Any, _cluster: str, on_progress: Any = None) -> ClusterResult:
        on_progress("GEN_ORTHO_TOA done")
        return result("success", JobResult(id="1", state="done", seconds=2.0), JobResult(id="2", state="reused"))

    def publish(self, _run: Any, what: str, tile: str | None = None) -> list[Path]:
        return []


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(production, "service", Service)


@pytest.mark.usefixtures("service")
def test_plan_gives_clusters_per_node_and_one_record_per_tile() -> None:
    per_node, tiles = tasks.plan(None, "tiles", frozenset({"tile"}))
    assert per_node == {"ds": [{"id": "a", "label": "", "jobs": 4}]}
    assert [tile["tile"] for tile in tiles] == ["32TPQ", "32TPR"]
    assert tiles[0]["clusters"] == {"tile": [{"id": "c", "label": "32TPQ", "jobs": 9}]}
    json.dumps(tiles)


@pytest.mark.parametrize(("minutes", "again"), [(10, 60), (0.5, 30)], ids=["long", "soon over"])
def test_a_plan_that_waits_for_auxiliary_files_gives_its_worker_back(
    minutes: float, again: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = datetime.now(UTC)

    class Waiting(Service):
        def plan(self, _run: Any, _group: str) -> list[Any]:
            raise errors.AuxiliaryMissing("AUX_ECMWFD is missing", until=before + timedelta(minutes=minutes))

    monkeypatch.setattr(production, "service", Waiting)
    with pytest.raises(AirflowRescheduleException) as caught:
        tasks.plan(None, "tiles", frozenset())
    assert before + timedelta(seconds=again) <= caught.value.reschedule_date
    assert caught.value.reschedule_date <= datetime.now(UTC) + timedelta(seconds=again)


@pytest.mark.usefixtures("service")
def test_clusters_are_counted_and_nothing_to_do_is_a_skip() -> None:
    done = tasks.run_clusters(None, "ds", [{"id": "a", "label": "", "jobs": 2}])
    assert (done["done"], done["reused"], done["job_seconds"]) == (1, 1, 2.0)
    with pytest.raises(AirflowSkipException, match="ds: no jobs"):
        tasks.run_clusters(None, "ds", [])
    with pytest.raises(AirflowSkipException, match="no L1C product is due for tile 32TPQ"):
        tasks.publish(None, "l1c", "32TPQ")


def test_a_product_recognised_again_keeps_its_time(tmp_path: Path) -> None:
    first = tasks.published_at([tmp_path])
    assert tasks.published_at([tmp_path]) == first


def milestone(minutes: list[float], planned: int, now: float, t0: datetime | None = T0) -> milestones.Milestone:
    records = [{"published": (T0 + timedelta(minutes=m)).isoformat()} for m in minutes]
    last = milestones.last_published([*records, None])
    moment = T0 + timedelta(minutes=now)
    return milestones.Milestone("L1C", t0, last, timedelta(minutes=75), planned, len(minutes), moment)


def test_milestone_is_missed_only_when_the_last_product_came_too_late() -> None:
    assert not milestone([60, 75], 2, 90).missed
    assert milestone([60, 75.1], 2, 90).missed
    assert not milestone([60, 75.1], 2, 90, t0=None).missed
    assert "no clock" in milestone([60], 1, 90, t0=None).text


def test_a_tile_that_never_came_is_no_success() -> None:
    early, late = milestone([60], 2, 70), milestone([60], 2, 76)
    assert not early.missed
    assert "1 of 2 tiles published, not complete" in early.text
    assert late.missed
    assert "MISSED" in late.text
    assert milestone([], 2, 76).missed
    assert not milestone([], 0, 76).missed


def test_the_datatake_is_the_partition_key_else_the_parameter() -> None:
    run = SimpleNamespace(partition_key=DATATAKE)
    assert datatake_id({"dag_run": run, "params": {"datatake": "other"}}) == DATATAKE
    assert datatake_id({"dag_run": SimpleNamespace(partition_key=None), "params": {"datatake": DATATAKE}}) == DATATAKE
    with pytest.raises(AirflowFailException, match="names no datatake"):
        datatake_id({"dag_run": SimpleNamespace(partition_key=None), "params": {"datatake": None}})
    with pytest.raises(AirflowFailException, match="is no datatake id"):
        datatake_id({"dag_run": SimpleNamespace(partition_key=None), "params": {"datatake": "x"}})


def test_options_left_alone_are_none() -> None:
    assert options({"params": {"strategy": "", "from_level": None}}).strategy is None
    chosen = options({"params": {"faults": ["DECOMP:fail:133"], "from_level": "L1B"}})
    assert (chosen.from_level, chosen.faults) == ("L1B", ("DECOMP:fail:133",))


def test_a_second_run_learns_who_produces_the_datatake(tmp_path: Path) -> None:
    states = {"first": "running", "second": "running"}

    def state_of(claim: Claim) -> str | None:
        return states.get(claim.run_id)

    register = Inventory(tmp_path / "inventory.sqlite")
    first, second = Claim("datatake", "first"), Claim("datatake", "second")
    assert claims.claim(register, DATATAKE, first, state_of) is None
    assert claims.claim(register, DATATAKE, first, state_of) is None
    assert claims.claim(register, DATATAKE, second, state_of) == first
    states["first"] = "success"
    assert claims.claim(register, DATATAKE, second, state_of) is None
    assert register.claim_of(DATATAKE) == second


def test_of_many_runs_at_the_same_moment_one_wins(tmp_path: Path) -> None:
    register = Inventory(tmp_path / "inventory.sqlite")
    assert register.take(DATATAKE, Claim("datatake", "over"), None)
    start = threading.Barrier(8)
    refused: list[Claim | None] = []
    states = {Claim("datatake", str(number)): "running" for number in range(8)}

    def attempt(number: int) -> None:
        start.wait()
        refused.append(claims.claim(register, DATATAKE, Claim("datatake", str(number)), states.get))

    threads = [threading.Thread(target=attempt, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert refused.count(None) == 1
    assert {claim for claim in refused if claim} == {register.claim_of(DATATAKE)}


@pytest.fixture
def hook(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[dict[str, Any]]]:
    received: list[dict[str, Any]] = []

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            received.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            return

    server = HTTPServer(("127.0.0.1", 0), Receiver)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("S2PS_ALERT_WEBHOOK", f"http://127.0.0.1:{server.server_port}/alerts")
    yield received
    server.shutdown()
    server.server_close()


def test_a_missed_deadline_reaches_the_web_hook(hook: list[dict[str, Any]]) -> None:
    run = {"dag_id": "datatake", "dag_run_id": "r1", "partition_key": DATATAKE, "conf": {}}
    alerts.deadline_missed("L2A", context={"dag_run": run, "deadline": {"id": "1", "deadline_time": T0}})
    assert [(m["event"], m["datatake"], m["run_id"]) for m in hook] == [("deadline_missed", DATATAKE, "r1")]


def test_an_unreachable_web_hook_does_not_fail_the_callback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("S2PS_ALERT_WEBHOOK", "http://127.0.0.1:9/none")
    assert alerts.send_alert({"event": "test"}) is False
    monkeypatch.delenv("S2PS_ALERT_WEBHOOK")
    assert alerts.send_alert({"event": "test"}) is False
