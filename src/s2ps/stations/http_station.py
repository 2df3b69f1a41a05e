"""What the OData stations have in common: a FastAPI application with login, faults, downloads and OData errors."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from uuid import UUID

import uvicorn
from fastapi import Depends, FastAPI, Request, Response
from fastapi.responses import JSONResponse, RedirectResponse, StreamingResponse

from s2ps.model.errors import InputError
from s2ps.stations.certificate import Certificate
from s2ps.stations.content import Content
from s2ps.stations.misbehaviour import PIECE, Faults, Reader
from s2ps.stations.odata import failure
from s2ps.stations.settings import StationSettings
from s2ps.stations.tokens import Tokens

TOKEN_PATH = "/token"  # noqa: S105
OPEN = "/open"
"""Path of downloads at the other origin, to which a station with redirects sends its clients."""


@dataclass(frozen=True, slots=True)
class Download:
    """A file that can be fetched: its name, its bytes as they are seen now."""

    name: str
    content: Content
    size: int


Find = Callable[[UUID], Download | None]


class Refused(Exception):
    """A request is answered with a status and nothing else."""

    def __init__(self, status: int, headers: dict[str, str]) -> None:
        super().__init__(status)
        self.status, self.headers = status, headers


def application(settings: StationSettings, faults: Faults, find: Find) -> FastAPI:
    """Return an application with login, faults and the downloads of `/open/<id>`; routes of the station are added."""
    tokens = Tokens(settings, faults)

    async def guard(request: Request) -> None:
        await _guard(request, tokens, faults)

    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, dependencies=[Depends(guard)])
    app.state.other_origin = None

    @app.exception_handler(InputError)
    async def wrong(_: Request, error: InputError) -> Response:
        return JSONResponse(failure("400", str(error)), 400)

    @app.exception_handler(Refused)
    async def refused(_: Request, error: Refused) -> Response:
        phrase = HTTPStatus(error.status).phrase
        return JSONResponse(failure(str(error.status), phrase), error.status, error.headers)

    @app.post(TOKEN_PATH)
    async def token(request: Request) -> Response:
        body = (await request.body()).decode(errors="replace")
        granted = tokens.grant(body, request.headers.get("authorization"))
        if granted is None:
            return JSONResponse({"error": "invalid_client"}, 401)
        return JSONResponse(granted, headers={"Cache-Control": "no-store"})

    @app.get(OPEN + "/{ident}")
    def opened(ident: UUID, request: Request) -> Response:
        found = find(ident)
        return absent(ident) if found is None else send(found, request, faults)

    return app


async def _guard(request: Request, tokens: Tokens, faults: Faults) -> None:
    """Refuse a request that has no right, or has the bad luck of the day."""
    path, behaviour = request.url.path, faults.behaviour
    faults.note(request.method, path)
    if path == TOKEN_PATH:
        return
    if behaviour.delay:
        await asyncio.sleep(behaviour.delay)
    opened = path.startswith(OPEN)
    status = faults.refusal("download" if opened or path.endswith("$value") else "listing")
    if status is not None:
        raise Refused(status, {} if behaviour.retry_after is None else {"Retry-After": str(behaviour.retry_after)})
    why = None if opened else tokens.refusal(request.headers)
    if why is not None:
        raise Refused(401, {"WWW-Authenticate": why})


def absent(ident: object) -> Response:
    """Return the answer for what is not there."""
    return JSONResponse(failure("404", f"there is no {ident}"), 404)


def fetched(found: Download | None, ident: UUID, request: Request, faults: Faults) -> Response:
    """Return the answer to $value: the bytes, or the way to the other origin when the station has one."""
    if found is None:
        return absent(ident)
    other = request.app.state.other_origin
    return RedirectResponse(f"{other}{OPEN}/{ident}", 307) if other else send(found, request, faults)


def send(found: Download, request: Request, faults: Faults) -> Response:
    """Return the bytes of a file, or the range of them that is asked for."""
    headers = {"Content-Type": "application/octet-stream", "Content-Disposition": _disposition(found.name)}
    asked = request.headers.get("range")
    start, stop, status = 0, found.size, 200
    if not faults.behaviour.no_ranges:
        headers["Accept-Ranges"] = "bytes"
        span = _range(asked, found.size) if asked else None
        if asked and span is None:
            return Response(status_code=416, headers={"Content-Range": f"bytes */{found.size}"})
        if span is not None:
            start, stop, status = *span, 206
            headers["Content-Range"] = f"bytes {start}-{stop - 1}/{found.size}"
    headers["Content-Length"] = str(stop - start)
    reader = faults.reader(found.content, stop)
    reader.seek(start)
    return StreamingResponse(_pieces(reader), status, headers)


def _disposition(name: str) -> str:
    safe = "".join(char if char.isascii() and char.isprintable() and char not in '"\\' else "_" for char in name)
    return f'attachment; filename="{safe}"'


def _pieces(reader: Reader) -> Iterator[bytes]:
    while data := reader.read(PIECE):
        yield data


def _range(text: str, size: int) -> tuple[int, int] | None:
    """Return begin and end of a range header's only range; None when it cannot be satisfied."""
    unit, _, span = text.partition("=")
    first, dash, last = span.strip().partition("-")
    if unit.strip() != "bytes" or not dash or not (first or last) or not (first + last).isdigit():
        return None
    start = int(first) if first else max(0, size - int(last))
    stop = min(size, int(last) + 1) if first and last else size
    return (start, stop) if start < stop else None


@contextmanager
def running(app: FastAPI, settings: StationSettings, certificate: Certificate | None) -> Iterator[str]:
    """Serve an application until the context ends; yield its address. Redirects get a second address."""
    with ExitStack() as stack:
        if settings.redirect:
            app.state.other_origin = stack.enter_context(_server(app, settings.host, 0, certificate))
        yield stack.enter_context(_server(app, settings.host, settings.port, certificate))


@contextmanager
def _server(app: FastAPI, host: str, port: int, certificate: Certificate | None) -> Iterator[str]:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.create_server((host, port), family=family, backlog=256) as bound:
        config = uvicorn.Config(
            app, log_config=None, log_level="critical", access_log=False, lifespan="off", timeout_graceful_shutdown=1,
            ssl_certfile=str(certificate.certificate) if certificate else None,
            ssl_keyfile=str(certificate.key) if certificate else None,
        )  # fmt: skip
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, args=([bound],), name="station", daemon=True)
        thread.start()
        try:
            while not server.started and thread.is_alive():
                time.sleep(0.01)
            yield f"{'https' if certificate else 'http'}://{host}:{bound.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()
