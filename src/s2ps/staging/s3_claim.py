"""Of several writers of one object, exactly one wins.

Where the store honours `If-None-Match: *` (AWS, MinIO, radosgw) it decides. Where it does not, every writer announces
itself, waits until announcements of the same second are seen by all, and the earliest one writes; that needs clocks
of the store's gateways that agree to about a second, which the conditional request does not.
"""

from __future__ import annotations

import logging
import threading
import time
from datetime import timedelta

from s2ps.model.errors import StagingError
from s2ps.staging.s3_bucket import Bucket
from s2ps.staging.s3_errors import AnswerError

PROBE = "conditional-writes"
CLAIMS = "claims"
SETTLE_S = 1.5
WAIT_S = 30.0
CLAIM_LIFE = timedelta(minutes=15)
"""A writer that has announced itself and not written for this long is gone."""
CONFLICTS = 10
_LOG = logging.getLogger(__name__)


class Claims:
    """Writes objects that must not be there yet."""

    def __init__(self, bucket: Bucket, settle_s: float = SETTLE_S, wait_s: float = WAIT_S) -> None:
        self._bucket = bucket
        self._settle_s = settle_s
        self._wait_s = wait_s
        self._conditional: bool | None = None
        self._lock = threading.Lock()

    def write_first(self, name: str, body: bytes, writer: str) -> bool:
        """Write an object unless there is one; return True when it holds our body. The body must be ours alone."""
        with self._lock:
            if self._conditional is None:
                self._conditional = self._probe()
        return self._by_condition(name, body) if self._conditional else self._by_claim(name, body, writer)

    def _probe(self) -> bool:
        """Write the same small object twice on condition that it is not there: the second time must be refused."""
        try:
            honoured = not all(self._bucket.put(PROBE, b"", first=True) for _ in range(2))
        except AnswerError as error:
            if error.status not in (400, 501):
                raise
            honoured = False
        if not honoured:
            _LOG.warning("the S3 store has no conditional writes: commits are decided by announcements")
        return honoured

    def _by_condition(self, name: str, body: bytes) -> bool:
        for turn in range(CONFLICTS):
            if self._bucket.put(name, body, first=True):
                return True
            there = self._bucket.get(name)
            if there is not None:
                return there == body
            time.sleep(0.1 * (turn + 1))
        raise StagingError(f"{name} is refused by the store again and again", next_step="try again")

    def _by_claim(self, name: str, body: bytes, writer: str) -> bool:
        folder = f"{CLAIMS}/{name}/"
        mine = f"{folder}{writer}"
        if self._bucket.get(name) is not None:
            return False
        self._bucket.put(mine, b"")
        try:
            time.sleep(self._settle_s)
            first = self._first(folder, mine)
            there = self._bucket.get(name)
            if first == mine and there is None:
                return self._bucket.put(name, body)
            return self._wait_for(name) if there is None else False
        finally:
            self._bucket.delete(mine)

    def _first(self, folder: str, mine: str) -> str:
        claims = list(self._bucket.listing(folder))
        own = max((claim.modified for claim in claims if claim.name == mine), default=None)
        living = [claim for claim in claims if own is None or own - claim.modified < CLAIM_LIFE]
        return min(living, key=lambda claim: (claim.modified, claim.name)).name if living else mine

    def _wait_for(self, name: str) -> bool:
        """Wait until the winner has written: who has lost may look at what has won."""
        end = time.monotonic() + self._wait_s
        while self._bucket.get(name) is None:
            if time.monotonic() > end:
                raise StagingError(f"another writer has claimed {name} and not written it", next_step="try again")
            time.sleep(0.2)
        return False
