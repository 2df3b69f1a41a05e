"""The one tree of errors. A message names the object, says what was expected, and what to do next."""

import errno
from datetime import UTC, datetime

FOR_EVER = datetime.max.replace(tzinfo=UTC)


class S2psError(Exception):
    """Base of every error S2PS raises on purpose; `retryable` says whether doing the same again can help."""

    retryable = False

    def __init__(self, message: str, *, expected: str | None = None, next_step: str | None = None) -> None:
        self.message = message
        self.expected = expected
        self.next_step = next_step
        parts = [message]
        if expected:
            parts.append(f"expected: {expected}")
        if next_step:
            parts.append(f"next: {next_step}")
        super().__init__("; ".join(parts))


class InputError(S2psError):
    """An input (session, file, document) is missing, damaged or not what it claims to be."""


class ConfigurationError(S2psError):
    """A setting, strategy or command line does not make sense."""


class CatalogueError(S2psError):
    """A processor definition is wrong or does not fit the others."""


class PlanError(S2psError):
    """Jobs or clusters cannot be planned from what is known."""


class ProcessorFailure(S2psError):
    """A processor ended with a failing exit code or without a mandatory output."""


class PublicationError(S2psError):
    """A product may not, or cannot, be published."""


class NotReady(S2psError):
    """Something that will come is not there yet."""

    retryable = True


class AuxiliaryMissing(NotReady):
    """Auxiliary files are not there yet; they are waited for until `until` (UTC)."""

    def __init__(
        self, message: str, *, expected: str | None = None, next_step: str | None = None, until: datetime = FOR_EVER
    ) -> None:
        self.until = until
        super().__init__(message, expected=expected, next_step=next_step)


class StagingError(S2psError):
    """The staging store did not do what was asked."""

    retryable = True


class StagingUnavailable(StagingError):
    """The staging store, or the disk beside it, cannot be used for now: it does not answer or is full."""


class TimeoutFailure(S2psError):
    """A job or cluster ran into its time limit and was killed."""


class Interrupted(S2psError):
    """Work was stopped from outside; doing it again continues it."""

    retryable = True


TEMPORARY_ERRNOS = frozenset(
    {
        errno.ESTALE,
        errno.EIO,
        errno.ENOTCONN,
        errno.ETIMEDOUT,
        errno.ESHUTDOWN,
        errno.EHOSTDOWN,
        errno.EHOSTUNREACH,
        errno.ENETUNREACH,
        errno.ECONNREFUSED,
        errno.ECONNRESET,
        errno.ECONNABORTED,
        errno.ENOSPC,
        errno.EDQUOT,
    }
)
"""What a network file system answers while it is away or full."""


def is_temporary(error: BaseException | None) -> bool:
    """Return True when an error, or what has caused it, says that a store cannot be used for now."""
    while error is not None:
        if isinstance(error, StagingUnavailable) or (isinstance(error, OSError) and error.errno in TEMPORARY_ERRNOS):
            return True
        error = error.__cause__
    return False
