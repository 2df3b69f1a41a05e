"""All waiting pods of a namespace, looked at together: one call for two hundred tasks of the triggerer."""

from __future__ import annotations

import asyncio
import json
import logging
import time
import weakref
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import aiohttp
from kubernetes_asyncio.client import ApiException

from s2ps_airflow.pods.labels import PART_OF
from s2ps_airflow.pods.view import PodView

log = logging.getLogger(__name__)
TROUBLE = (ApiException, aiohttp.ClientError, TimeoutError, OSError, ValueError)
"""What the client raises while the server is away or answers nonsense."""
REFUSED_PATIENCE_S = 60.0
"""A server that has just started refuses what it allows a moment later."""
News = dict[str, PodView]
Connect = Callable[[], AbstractAsyncContextManager[Any]]
SELECTOR = ",".join(f"{key}={value}" for key, value in PART_OF.items())
_BOARDS: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, dict[tuple[str, str], Board]] = (
    weakref.WeakKeyDictionary()
)


class Board:
    """Reads the pods of a namespace every so often while anybody waits, and tells everybody at once."""

    def __init__(self, connect: Connect, namespace: str, pause_s: float) -> None:
        self._connect = connect
        self._namespace = namespace
        self._pause_s = pause_s
        self._readers = 0
        self._refused_since: float | None = None
        self._task: asyncio.Task[None] | None = None
        self._next: asyncio.Future[News | None] = asyncio.get_running_loop().create_future()

    @asynccontextmanager
    async def reader(self) -> AsyncIterator[Callable[[], AsyncIterator[News | None]]]:
        """Keep the board up to date while inside; yields a function that iterates over its states."""
        self._readers += 1
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._read())
            self._task.add_done_callback(self._tell_the_end)
        try:
            yield self._states
        finally:
            self._readers -= 1

    async def _states(self) -> AsyncIterator[News | None]:
        """Yield the pods by name each time they were read, None when the server does not answer."""
        while True:
            yield await asyncio.shield(self._next)

    async def _read(self) -> None:
        while self._readers:
            try:
                news: News | None = await self._list()
                self._refused_since = None
            except TROUBLE as error:
                self._bear(error)
                log.warning("the Kubernetes API does not answer, waiting for it: %s: %s", type(error).__name__, error)
                news = None
            told, self._next = self._next, asyncio.get_running_loop().create_future()
            told.set_result(news)
            await asyncio.sleep(self._pause_s)

    def _bear(self, error: Exception) -> None:
        """Raise a refusal that has lasted too long to be that of a server which has just started."""
        if not isinstance(error, ApiException) or error.status not in (401, 403):
            self._refused_since = None
            return
        self._refused_since = self._refused_since or time.monotonic()
        if time.monotonic() - self._refused_since > REFUSED_PATIENCE_S:
            self._refused_since = None
            raise error

    def _tell_the_end(self, task: asyncio.Task[None]) -> None:
        """Let nobody wait for a reading that will never come."""
        error = asyncio.CancelledError() if task.cancelled() else task.exception()
        if error is not None and self._readers and not self._next.done():
            self._next.set_exception(error if isinstance(error, Exception) else RuntimeError("the board has ended"))
            self._next = task.get_loop().create_future()

    async def _list(self) -> News:
        async with self._connect() as api:
            answer = await api.list_namespaced_pod(
                self._namespace, label_selector=SELECTOR, _preload_content=False, _request_timeout=30
            )
            content = await answer.read()
            if not 200 <= answer.status <= 299:  # which the client leaves to us when it does not read the answer
                raise ApiException(status=answer.status, reason=content.decode("utf-8", "replace")[:300])
        pods = (PodView.of(item) for item in json.loads(content)["items"])
        return {pod.name: pod for pod in pods}


def board_of(connection: str, namespace: str, connect: Connect, pause_s: float) -> Board:
    """Return the board all tasks of this event loop share."""
    boards = _BOARDS.setdefault(asyncio.get_running_loop(), {})
    key = (connection, namespace)
    if key not in boards:
        boards[key] = Board(connect, namespace, pause_s)
    return boards[key]
