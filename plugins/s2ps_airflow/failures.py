"""The one table from S2PS errors to what Airflow does with them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum

from airflow.sdk.exceptions import AirflowException, AirflowFailException, AirflowSkipException

from s2ps.model import errors


class Reaction(StrEnum):
    """What becomes of the task."""

    RETRY = "retry"
    FAIL = "fail"
    SKIP = "skip"


REACTIONS: tuple[tuple[type[BaseException], Reaction], ...] = (
    (errors.ProcessorFailure, Reaction.FAIL),
    (errors.TimeoutFailure, Reaction.FAIL),
    (errors.InputError, Reaction.FAIL),
    (errors.ConfigurationError, Reaction.FAIL),
    (errors.CatalogueError, Reaction.FAIL),
    (errors.PlanError, Reaction.FAIL),
    (errors.PublicationError, Reaction.FAIL),
    (errors.NotReady, Reaction.RETRY),
    (errors.StagingError, Reaction.RETRY),
    (errors.Interrupted, Reaction.RETRY),
    (OSError, Reaction.RETRY),
)
"""First match wins; an S2PS error that is not listed is judged by its own `retryable`."""

_EXCEPTIONS: dict[Reaction, type[AirflowException]] = {
    Reaction.RETRY: AirflowException,
    Reaction.FAIL: AirflowFailException,
    Reaction.SKIP: AirflowSkipException,
}


def reaction(error: BaseException) -> Reaction | None:
    """Return what to do about an error; None when S2PS does not know it (Airflow then retries as configured)."""
    for kind, chosen in REACTIONS:
        if isinstance(error, kind):
            return chosen
    if isinstance(error, errors.S2psError):
        return Reaction.RETRY if error.retryable else Reaction.FAIL
    return None


@contextmanager
def translated() -> Iterator[None]:
    """Turn S2PS errors raised inside into the Airflow exception of the table, keeping their message."""
    try:
        yield
    except (errors.S2psError, OSError) as error:
        chosen = reaction(error)
        if chosen is None:
            raise
        raise _EXCEPTIONS[chosen](str(error)) from error
