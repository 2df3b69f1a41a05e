"""Fair use: requests per minute, volume per day and parallel downloads of a user, over all processes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from s2ps.inventory.usage import UsageStore
from s2ps.prip.access import User
from s2ps.prip.odata.errors import ODataError

LEASE = timedelta(minutes=2)
"""A download counts until it ends, or this long after its process told last that it is going on."""
_GIGABYTE = 10**9
_REQUESTS, _VOLUME = "requests", "bytes"


def _utc() -> datetime:
    return datetime.now(UTC)


class Quota:
    """Refuses what is beyond the limits of a user with 429 and the time to wait. Without limits nothing is counted."""

    def __init__(self, usage: UsageStore, clock: Callable[[], datetime] = _utc) -> None:
        self._usage = usage
        self._clock = clock

    def request(self, user: User) -> None:
        """Count a request."""
        limit = user.limits.requests_per_minute
        if limit is None:
            return
        now = self._clock()
        minute = now.replace(second=0, microsecond=0)
        if self._usage.add(user.name, _REQUESTS, minute, 1) > limit:
            wait = 60 - now.second
            raise ODataError(429, f"more than {limit} requests in a minute", retry_after=wait)

    def volume(self, user: User) -> None:
        """Refuse a download when the volume of the day is used up."""
        limit = user.limits.gigabytes_per_day
        if limit is None:
            return
        now = self._clock()
        if self._usage.amount(user.name, _VOLUME, _day(now)) >= limit * _GIGABYTE:
            wait = int((_day(now) + timedelta(days=1) - now).total_seconds()) + 1
            raise ODataError(429, f"the {limit:g} GB of this day are used up", retry_after=wait)

    def sent(self, user: User, size: int) -> None:
        """Count the bytes that were sent to a user."""
        if user.limits.gigabytes_per_day is not None and size:
            self._usage.add(user.name, _VOLUME, _day(self._clock()), size)

    def begin(self, user: User) -> str | None:
        """Note a download; return its id, or None when downloads are not limited."""
        limit = user.limits.parallel_downloads
        if limit is None:
            return None
        now = self._clock()
        download = self._usage.begin_download(user.name, limit, now, now + LEASE)
        if download is None:
            raise ODataError(429, f"{limit} downloads are going on already", retry_after=10)
        return download

    def goes_on(self, download: str | None) -> None:
        """Tell that a download is still going on."""
        if download is not None:
            self._usage.renew_download(download, self._clock() + LEASE)

    def end(self, download: str | None) -> None:
        """Tell that a download has ended."""
        if download is not None:
            self._usage.end_download(download)


def _day(moment: datetime) -> datetime:
    return moment.replace(hour=0, minute=0, second=0, microsecond=0)
