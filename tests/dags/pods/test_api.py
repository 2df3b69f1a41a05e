"""Calls to an API server that is away, restarts, or refuses, over real HTTP."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

import pytest
from dags.pods import cases
from kubernetes.client import ApiClient, ApiException, Configuration, CoreV1Api

from s2ps_airflow.pods.api import ApiAway, PodApi
from s2ps_airflow.pods.logs import LogFollower

pytestmark = pytest.mark.dags
LINES = (b"2026-07-01T12:00:00.1Z [1/2] DECOMP done\n2026-07-01T12:00:00.2Z [2/2] RADIO_AB ", b"done\n")

MESSAGES = {403: 'pods "p" is forbidden: User "s2ps-launcher" cannot get resource "pods"'}


class Server(BaseHTTPRequestHandler):
    """Gives the answers of a list, one per request, and the last one for ever."""

    answers: ClassVar[list[int]] = []
    asked: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        self.asked.append(f"{self.command} {self.path}")
        if "/log" in self.path:
            self._log()
            return
        status = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        body = cases.pod("Running") if status == 200 else {"message": MESSAGES.get(status, f"answer {status}")}
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_POST = do_DELETE = do_PATCH = do_GET  # noqa: N815

    def _log(self) -> None:
        """Break off after each part; tell everything from the beginning each time, as Kubernetes does."""
        parts = min(len(LINES), sum("/log" in path for path in self.asked))
        content = b"".join(LINES[:parts])
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        return


@pytest.fixture
def server() -> Iterator[ThreadingHTTPServer]:
    Server.answers, Server.asked = [200], []
    made = ThreadingHTTPServer(("127.0.0.1", 0), Server)
    thread = threading.Thread(target=made.serve_forever, daemon=True)
    thread.start()
    yield made
    made.shutdown()
    made.server_close()


def api(port: int, patience_s: float = 30, pauses: list[float] | None = None) -> PodApi:
    def connect() -> CoreV1Api:
        connections.append(1)
        return CoreV1Api(ApiClient(Configuration(host=f"http://127.0.0.1:{port}")))

    made = PodApi(connect, "ns", patience_s, lambda s: pauses.append(s) if pauses is not None else None)
    return made


connections: list[int] = []


def test_a_server_that_starts_again_is_waited_for(server: ThreadingHTTPServer) -> None:
    Server.answers = [503, 500, 429, 504, 200]
    pauses: list[float] = []
    pod = api(server.server_port, pauses=pauses).get("p")
    assert pod is not None
    assert pod.phase == "Running"
    assert len(pauses) == 4


def test_credentials_that_are_refused_are_read_again(server: ThreadingHTTPServer) -> None:
    connections.clear()
    Server.answers = [401, 200]
    assert api(server.server_port).get("p") is not None
    assert len(connections) == 2


def test_rights_are_missing_for_a_moment_after_a_start_and_are_waited_for(
    server: ThreadingHTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    Server.answers = [200, 503, 403, 403, 200, 403]
    pods = api(server.server_port)
    assert pods.get("p") is not None
    assert pods.get("p") is not None
    monkeypatch.setattr("s2ps_airflow.pods.api.FORBIDDEN_PATIENCE_S", 0.05)
    with pytest.raises(ApiException, match="403"):
        pods.get("p")


def test_rights_that_were_never_there_are_told_at_once(server: ThreadingHTTPServer) -> None:
    Server.answers, pauses = [403], []
    with pytest.raises(ApiException, match="403"):
        api(server.server_port, pauses=pauses).get("p")
    assert pauses == []


def test_a_server_that_stays_away_ends_the_patience() -> None:
    with pytest.raises(ApiAway, match="has not answered") as caught:
        api(1, patience_s=0.0).get("p")
    assert caught.value.retryable


def test_missing_pods_and_pods_that_are_there_already_are_no_errors(server: ThreadingHTTPServer) -> None:
    Server.answers = [404]
    one = api(server.server_port)
    assert one.get("p") is None
    one.delete("p")
    one.label("p", {"a": "b"})
    Server.answers = [409]
    assert one.create({"metadata": {"name": "p"}}) is None
    Server.answers = [403]
    with pytest.raises(ApiException, match="403"):
        one.create({"metadata": {"name": "p"}})


def test_the_log_is_copied_once_in_plain_lines_whatever_breaks(server: ThreadingHTTPServer) -> None:
    lines: list[str] = []
    follower = LogFollower(api(server.server_port), "p", lines.append)
    follower.start()
    done = threading.Event()
    done.wait(1.5)
    follower.finish(5)
    assert lines == ["[1/2] DECOMP done", "[2/2] RADIO_AB done"]
