"""How long a store that does not serve is asked again."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable
from typing import TypeVar

from s2ps.model.errors import ConfigurationError, StagingUnavailable

VARIABLE = "S2PS_STAGING_PATIENCE_S"
"""Seconds for which a request is repeated while the store is busy or away; default 120."""
DEFAULT_S = 120.0
FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 5.0
Answer = TypeVar("Answer")


def patience() -> float:
    """Return the seconds set for this process; raise ConfigurationError when they are no number."""
    text = os.environ.get(VARIABLE, "")
    try:
        seconds = float(text) if text else DEFAULT_S
    except ValueError as error:
        raise ConfigurationError(
            f"{VARIABLE}={text!r} is no number of seconds", next_step="correct the environment variable"
        ) from error
    return max(seconds, 0.0)


def patiently(call: Callable[[], Answer], seconds: float) -> Answer:
    """Return what a call returns; repeat it while it raises StagingUnavailable, until the time is up.

    Pauses grow and are random, so that the pods of a cluster do not all come back at the same moment. The boto3 client
    repeats a request a few times itself, but spends a budget that is gone soon when many requests fail.
    """
    end = time.monotonic() + seconds
    pause = FIRST_PAUSE_S
    while True:
        try:
            return call()
        except StagingUnavailable:
            left = end - time.monotonic()
            if left <= 0:
                raise
        time.sleep(min(left, pause * random.uniform(0.5, 1.0)))
        pause = min(2 * pause, LONGEST_PAUSE_S)
