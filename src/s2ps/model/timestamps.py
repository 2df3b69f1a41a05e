"""Times are UTC, always aware; inside arrays they are GPS seconds."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

GPS_EPOCH = datetime(1980, 1, 6, tzinfo=UTC)
_FRACTIONS = {0: "seconds", 3: "milliseconds", 6: "microseconds"}
GPS_MINUS_UTC = 18
"""Leap seconds between GPS time and UTC since 2017-01-01."""


def parse_utc(text: str) -> datetime:
    """Read an ISO 8601 time (with Z, an offset, or none: UTC) or the form `UTC=...`."""
    cleaned = text.strip().removeprefix("UTC=")
    moment = datetime.fromisoformat(cleaned)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def format_utc(moment: datetime, *, digits: int = 6) -> str:
    """Write `2026-07-01T10:15:59.000000Z` with 0, 3 or 6 digits of the second."""
    return moment.astimezone(UTC).isoformat(timespec=_FRACTIONS[digits]).removesuffix("+00:00") + "Z"


def compact(moment: datetime) -> str:
    """Write `20260701T101559` as product names do (the fraction is cut)."""
    return moment.astimezone(UTC).strftime("%Y%m%dT%H%M%S")


def parse_compact(text: str) -> datetime:
    """Read `20260701T101559`."""
    return datetime.strptime(text, "%Y%m%dT%H%M%S").replace(tzinfo=UTC)


def gps_seconds(moment: datetime) -> float:
    """Return seconds since the GPS epoch of a UTC moment."""
    return (moment - GPS_EPOCH).total_seconds() + GPS_MINUS_UTC


def from_gps_seconds(seconds: float) -> datetime:
    """Return the UTC moment of GPS seconds, to the microsecond."""
    return GPS_EPOCH + timedelta(seconds=float(seconds) - GPS_MINUS_UTC)
