"""The result of a pod, read from the staging; one that another pod or another plan has left is not believed."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from pydantic import ValidationError

from s2ps.execution.request import ClusterRequest
from s2ps.execution.result import ClusterResult
from s2ps.model.errors import S2psError
from s2ps.staging import layout
from s2ps.staging.store import StagingStore

log = logging.getLogger(__name__)
PAUSE_S = 0.5


def belongs(result: ClusterResult, request: ClusterRequest, uid: str) -> bool:
    """Return whether a result was written by the pod with this uid for this plan."""
    return bool(uid) and result.attempt == uid and result.plan_hash == request.plan_hash


def read_result(store: StagingStore, request: ClusterRequest, uid: str) -> ClusterResult | None:
    """Return the result of a pod; None when it has left none (yet)."""
    key = layout.result(request.run_id, request.cluster_id)
    try:
        found = ClusterResult.model_validate_json(store.read(key)) if store.exists(key) else None
    except ValidationError as error:
        log.warning("%s is not a result: %s", key, error)
        return None
    if found is not None and not belongs(found, request, uid):
        log.info("%s is the result of another attempt (%s)", key, found.attempt or "unknown")
        return None
    return found


def await_result(
    store: StagingStore, request: ClusterRequest, uid: str, seconds: float, pause: Callable[[float], None]
) -> ClusterResult | None:
    """Return the result of a pod that has ended; a staging may take a moment to show it, or to answer at all."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            found = read_result(store, request, uid)
        except (S2psError, OSError):
            if time.monotonic() > deadline:
                raise
            found = None
        if found is not None or time.monotonic() > deadline:
            return found
        pause(PAUSE_S)
