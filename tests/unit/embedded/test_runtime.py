"""The embedded Airflow and its client, against a small stand-in for the REST API."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from s2ps.embedded import AirflowClient, EmbeddedAirflow
from s2ps.embedded.ports import reserved_port
from s2ps.embedded.processes import launch, terminate
from s2ps.model.errors import ConfigurationError, NotReady, S2psError, TimeoutFailure

pytestmark = pytest.mark.unit
ROOT = Path(__file__).resolve().parents[3]


class Api(BaseHTTPRequestHandler):
    """Accepts the token "t2" only, to see that an expired one is renewed."""

    tokens: list[str]
    triggered: list[dict[str, Any]]

    def answer(self, code: int, body: Any) -> None:
        data = json.dumps(body).encode()
        self.send_response(code)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path == "/auth/token":
            good = body == {"username": "admin", "password": "right"}
            self.answer(201 if good else 401, {"access_token": self.tokens.pop(0) if good else ""})
        elif self.headers["Authorization"] != "Bearer t2":
            self.answer(401, {})
        elif body.get("partition_key") == "bad":
            self.answer(400, {"detail": "is no datatake id"})
        else:
            self.triggered.append(body)
            self.answer(200, {"dag_run_id": "r1"})

    def do_GET(self) -> None:
        if self.path == "/api/v2/monitor/health":
            parts = ("metadatabase", "scheduler", "dag_processor")
            self.answer(200, {name: {"status": "healthy"} for name in parts} | {"triggerer": {"status": None}})
        elif "/taskInstances" in self.path:
            offset = int(self.path.rpartition("offset=")[2])
            keys = {"task_id": "tile.l1c", "rendered_map_index": "32TPQ", "state": None, "duration": None}
            page = [{**keys, "map_index": offset, "try_number": 1}] if offset < 3 else []
            self.answer(200, {"task_instances": page, "total_entries": 3})
        else:
            self.answer(200, {"state": "running"})

    def log_message(self, *_: Any) -> None:
        return


@pytest.fixture
def api() -> Iterator[str]:
    Api.tokens, Api.triggered = ["t1", "t2"], []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Api)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def client(api: str) -> Iterator[AirflowClient]:
    made = AirflowClient(api, "admin", "right")
    yield made
    made.close()


def test_a_run_is_triggered_and_an_expired_token_renewed(client: AirflowClient) -> None:
    assert client.trigger("datatake", {"t0": "x"}, partition_key="GS2B") == "r1"
    assert Api.triggered == [{"logical_date": None, "conf": {"t0": "x"}, "partition_key": "GS2B"}]


def test_task_instances_come_page_by_page(client: AirflowClient) -> None:
    found = client.task_instances("datatake", "r1")
    assert [(task.map_index, task.label, task.state) for task in found] == [(n, "32TPQ", "waiting") for n in range(3)]


def test_refusals_and_endless_runs_are_reported(client: AirflowClient) -> None:
    with pytest.raises(S2psError, match=r"Airflow answered 400 .*is no datatake id"):
        client.trigger("datatake", {}, partition_key="bad")
    with pytest.raises(TimeoutFailure, match="run r1 of datatake is still running"):
        client.wait("datatake", "r1", timeout=0.05, pause=0.05)


def test_a_wrong_password_and_a_silent_server_are_told_apart(api: str) -> None:
    wrong = AirflowClient(api, "admin", "wrong")
    with pytest.raises(S2psError, match="refused the login of admin"):
        wrong.dag_ids()
    wrong.close()
    with reserved_port() as port:
        silent = AirflowClient(f"http://127.0.0.1:{port}", "admin", "right")
    assert silent.health() == {}
    with pytest.raises(NotReady, match="does not answer"):
        silent.dag_ids()
    silent.close()


def test_health_leaves_out_what_is_not_known(client: AirflowClient) -> None:
    assert client.health() == {"metadatabase": "healthy", "scheduler": "healthy", "dag_processor": "healthy"}


def test_a_busy_port_is_replaced() -> None:
    with socket.socket() as busy:
        busy.bind(("127.0.0.1", 0))
        busy.listen()
        taken = busy.getsockname()[1]
        with reserved_port(taken) as port:
            assert port != taken


def test_two_that_start_together_get_two_ports() -> None:
    with reserved_port() as first, reserved_port(first) as second:
        assert first != second
    with reserved_port(first) as again:
        assert again == first


def test_nothing_started_is_a_state_of_its_own(tmp_path: Path) -> None:
    airflow = EmbeddedAirflow(tmp_path, project=ROOT)
    status = airflow.status()
    assert set(status.components.values()) == {"not started"}
    assert not status.ready
    assert airflow.stop() == []
    with pytest.raises(ConfigurationError, match="no Airflow was started"):
        _ = airflow.url


def test_the_environment_for_a_shell_keeps_every_character(tmp_path: Path) -> None:
    url = "postgresql://s2ps:it's $HOME@db/s2ps"
    airflow = EmbeddedAirflow(tmp_path, project=ROOT, settings={"S2PS_INVENTORY": url})
    airflow._write_environment(airflow.environment(8080))
    script = f'source {tmp_path / "environment.sh"}; printf %s "$S2PS_INVENTORY"'
    assert subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True).stdout == url
    assert (tmp_path / "environment.sh").stat().st_mode & 0o777 == 0o600


def test_a_dead_component_is_reported_with_its_log(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "raise SystemExit('port is taken')"]
    process = launch("scheduler", command, {}, tmp_path / "logs" / "scheduler.log", tmp_path)
    airflow = EmbeddedAirflow(tmp_path, project=ROOT)
    with reserved_port() as port:
        pass
    state = {"port": port, "processes": [{"name": "scheduler", "pid": process.pid, "born": process.born}]}
    (tmp_path / "state.json").write_text(json.dumps(state))
    while process.alive:
        pass
    status = airflow.status()
    assert status.components["scheduler"] == "dead"
    assert "scheduler has died" in status.problems[0]
    assert "port is taken" in status.problems[0]
    terminate([process])
