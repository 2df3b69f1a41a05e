"""Failures of a job: each class carries the exit code that its process ends with."""

from __future__ import annotations

UNEXPECTED = 255


class JobError(Exception):
    """Stop a job with one message that names the object, the expectation and the next step."""

    exit_code: int = 128


class NoData(JobError):
    """Nothing to do for this part: a warning, the chain goes on."""

    exit_code = 1


class MissingInput(JobError):
    """An input of the job order does not exist."""

    exit_code = 130


class TruncatedInput(JobError):
    """An input ends before its content does."""

    exit_code = 133


class InvalidInput(JobError):
    """An input exists but cannot be what it should be."""

    exit_code = 150


class QualityFailure(JobError):
    """An item did not pass its quality control."""

    exit_code = 160
