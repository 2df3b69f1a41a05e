"""What the triggerer reads of its pods, over real HTTP, while the API server restarts or refuses."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest
from kubernetes_asyncio.client import ApiClient, ApiException, Configuration, CoreV1Api

from s2ps_airflow.pods import board as boards
from s2ps_airflow.pods.board import Board

pytestmark = pytest.mark.dags
POD = {"metadata": {"name": "p", "uid": "1"}, "status": {"phase": "Running"}, "spec": {}}
REFUSED = {"kind": "Status", "code": 403, "message": 'pods is forbidden: User "s2ps-launcher" cannot list resource'}
BODIES: dict[int, Any] = {200: {"items": [POD]}, 403: REFUSED, 500: {"kind": "Status"}}


class Server(BaseHTTPRequestHandler):
    """Answers with one status after the other; the last one stays."""

    answers: list[int]

    def do_GET(self) -> None:
        status = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        body = json.dumps(BODIES[status]).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def address() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def read(address: str, states: int) -> list[list[str] | None]:
    """Return the names of the pods at so many readings, None where the server did not answer."""

    @asynccontextmanager
    async def connect() -> AsyncIterator[CoreV1Api]:
        async with ApiClient(Configuration(host=address)) as client:
            yield CoreV1Api(client)

    async def reading() -> list[list[str] | None]:
        found: list[list[str] | None] = []
        async with Board(connect, "here", 0.01).reader() as board:
            async for news in board():
                found.append(None if news is None else sorted(news))
                if len(found) == states:
                    break
        return found

    return asyncio.run(asyncio.wait_for(reading(), 30))


@pytest.mark.parametrize("answers", [[200, 403, 403, 200], [200, 500, 403, 200]])
def test_a_server_that_has_just_started_is_waited_for(address: str, answers: list[int]) -> None:
    Server.answers = answers
    assert read(address, 4) == [["p"], None, None, ["p"]]


def test_a_refusal_that_stays_reaches_the_task(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(boards, "REFUSED_PATIENCE_S", 0.05)
    Server.answers = [200, 403]
    with pytest.raises(ApiException, match="cannot list resource"):
        read(address, 1000)
