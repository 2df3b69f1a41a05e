"""Answers of an S3 store as errors of S2PS: codes and names only, never what might hold a secret."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from boto3.exceptions import Boto3Error
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    NoCredentialsError,
    PartialCredentialsError,
    TokenRetrievalError,
)

from s2ps.model.errors import ConfigurationError, S2psError, StagingError, StagingUnavailable

_REFUSED = {
    "403",
    "AccessDenied",
    "AccountProblem",
    "AllAccessDisabled",
    "AuthorizationHeaderMalformed",
    "InvalidAccessKeyId",
    "InvalidBucketName",
    "NoSuchBucket",
    "SignatureDoesNotMatch",
}
MISSING = {"404", "NoSuchKey", "NotFound"}
TAKEN = {"412", "PreconditionFailed"}
CONFLICT = {"409", "ConditionalRequestConflict", "OperationAborted"}
_NO_CREDENTIALS = (NoCredentialsError, PartialCredentialsError, TokenRetrievalError)


class AnswerError(StagingError):
    """The store has answered, and not what was asked for."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message, next_step="try again; if it stays, look at the S3 store")
        self.status = status


class BusyError(AnswerError, StagingUnavailable):
    """The store has answered, again and again, that it cannot serve now."""


BUSY_STATUS = frozenset({429, 500, 502, 503, 504})


def code_of(error: ClientError) -> str:
    """Return the error code of an answer, or its HTTP status when it has no code."""
    return str(error.response.get("Error", {}).get("Code") or _status(error))


@contextmanager
def named(action: str, place: str) -> Iterator[None]:
    """Turn every error of boto3 into one that names the action and the store."""
    try:
        yield
    except ClientError as error:
        raise _answered(action, place, error) from error
    except (BotoCoreError, Boto3Error) as error:
        cause: BaseException | None = error
        while cause is not None and not isinstance(cause, ClientError):
            cause = cause.__cause__ or cause.__context__
        if cause is not None:
            raise _answered(action, place, cause) from error
        raise _unreached(action, place, error) from error


def _answered(action: str, place: str, error: ClientError) -> S2psError:
    code, status = code_of(error), _status(error)
    attempts = 1 + int(error.response.get("ResponseMetadata", {}).get("RetryAttempts", 0))
    message = f"{action}: {place} answered {code} (HTTP {status}, attempts: {attempts})"
    if code in _REFUSED:
        return ConfigurationError(
            message,
            expected="a bucket that exists and credentials that may list, read, write and delete in it",
            next_step="check the bucket, the endpoint and the credentials of this process",
        )
    return BusyError(message, status) if status in BUSY_STATUS else AnswerError(message, status)


def _unreached(action: str, place: str, error: BotoCoreError | Boto3Error) -> S2psError:
    kind = type(error).__name__
    if isinstance(error, _NO_CREDENTIALS):
        return ConfigurationError(
            f"{action}: no credentials for {place} ({kind})",
            expected="AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, a credentials file or a role",
            next_step="give this process credentials",
        )
    return StagingUnavailable(
        f"{action}: {place} cannot be reached ({kind})", next_step="check the endpoint; try again"
    )


def _status(error: ClientError) -> int:
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
