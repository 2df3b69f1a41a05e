"""A proxy in front of the S3 server of the test cluster that is busy or slow for a while, when told so."""

from __future__ import annotations

import os
import threading
import time
from urllib.parse import urlsplit

from contract.object_store import SLOW_DOWN, Proxy


class FaultProxy(Proxy):
    """Pods and Airflow reach it by `address`; it passes requests on until it is told otherwise."""

    def __init__(self, upstream: str | None = None) -> None:
        found = upstream or os.environ["S2PS_TEST_S3"]
        super().__init__(found, host=str(urlsplit(found).hostname))
        self._lock = threading.Lock()
        self._refuse_until = self._delay_until = 0.0
        self._delay_s = 0.0
        self.refused = 0
        """Requests answered with 503."""
        self.delayed = 0
        """Requests that had to wait."""
        self.before = self._misbehave

    def refuse_for(self, seconds: float) -> None:
        """Answer every request with 503 SlowDown for some seconds from now."""
        self._refuse_until = time.monotonic() + seconds

    def delay_for(self, seconds: float, each_s: float) -> None:
        """Let every request of the next seconds wait before it is passed on."""
        self._delay_until, self._delay_s = time.monotonic() + seconds, each_s

    def _misbehave(self, _method: str, _path: str) -> tuple[int, bytes] | None:
        now = time.monotonic()
        if now < self._refuse_until:
            with self._lock:
                self.refused += 1
            return 503, SLOW_DOWN
        if now < self._delay_until:
            with self._lock:
                self.delayed += 1
            time.sleep(self._delay_s)
        return None
