"""A budget of bytes per second that several threads share."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable


class Budget:
    """Lets bytes pass at a rate; without a rate everything passes at once."""

    def __init__(
        self,
        bytes_per_second: float | None,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._rate = bytes_per_second
        self._clock, self._sleep = clock, sleep
        self._lock = threading.Lock()
        self._free_at = clock()

    def spend(self, size: int) -> None:
        """Wait until `size` bytes may have passed; what was not used while idle is not saved up."""
        if self._rate is None:
            return
        with self._lock:
            now = self._clock()
            self._free_at = max(self._free_at, now) + size / self._rate
            wait = self._free_at - now
        if wait > 0:
            self._sleep(wait)
