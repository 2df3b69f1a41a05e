"""HTTP for stations: authentication, certificates, tries, and redirects that give no credentials away."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import partial

import httpx
from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_attempt, wait_exponential_jitter

from s2ps.ingestion.auth import authentication
from s2ps.ingestion.numbers import told_number
from s2ps.ingestion.raw_http import REDIRECTS, RawAnswer, RawHttp, origin_of
from s2ps.ingestion.stations import Station
from s2ps.model.errors import S2psError

TRIES = 3
LONGEST_PAUSE_S = 30.0
"""A station that wants more patience is asked again by the next poll."""
_AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})
_LARGEST_ANSWER = 256 * 1024 * 1024
"""Bytes of a listing; more is refused."""


class StationError(S2psError):
    """A station does not answer as its interface says."""

    retryable = True


class StationBusy(StationError):
    """A station cannot answer now."""

    retry_after: float = 0.0
    """Seconds after which it wants to be asked again."""


class Web:
    """One station over HTTP; safe in threads."""

    def __init__(self, station: Station, *, wait_s: float = 0.5) -> None:
        self.base = httpx.URL(station.url)
        self._name = station.name
        self._spread = wait_exponential_jitter(multiplier=wait_s, max=10, jitter=wait_s)
        limits = httpx.Limits(max_connections=station.parallel * station.files + 2)
        timeout = httpx.Timeout(station.timeout_s)
        context = tls_context(station)
        open_client = partial(httpx.Client, verify=context, timeout=timeout, trust_env=False)
        self._tokens = open_client()
        self._client = open_client(limits=limits)
        self._auth = authentication(station, self._tokens)
        self._raw = RawHttp(context, station.timeout_s, self._auth, self.same_place)

    def close(self) -> None:
        """Close all connections."""
        self._raw.close()
        self._client.close()
        self._tokens.close()

    def text(
        self, method: str, url: httpx.URL, *, headers: dict[str, str] | None = None, content: bytes | None = None,
        expect: tuple[int, ...] = (200,),
    ) -> httpx.Response:  # fmt: skip
        """Return a whole answer; a busy station is asked again. Raises StationError for any status not expected."""
        for attempt in Retrying(
            retry=retry_if_exception_type(StationBusy),
            stop=stop_after_attempt(TRIES),
            wait=self._pause,
            reraise=True,
        ):
            with attempt:
                answer = self._once(method, url, headers or {}, content, expect)
        return answer

    def download(self, url: httpx.URL, headers: dict[str, str]) -> AbstractContextManager[RawAnswer]:
        """Open a download; redirects are followed. Raises TransferError when the connection breaks."""
        return self._raw.get(url, headers)

    def same_place(self, url: httpx.URL) -> bool:
        """Return True when a URL leads to the station itself, so that credentials may be sent there."""
        return origin_of(url) == origin_of(self.base)

    def _pause(self, state: RetryCallState) -> float:
        """Return the seconds until the next try: spread, so that many clients do not come back at once."""
        error = state.outcome.exception() if state.outcome is not None else None
        told = error.retry_after if isinstance(error, StationBusy) else 0.0
        return max(self._spread(state), min(told, LONGEST_PAUSE_S))

    def _once(
        self, method: str, url: httpx.URL, headers: dict[str, str], content: bytes | None, expect: tuple[int, ...]
    ) -> httpx.Response:
        try:
            with self._following(method, url, headers, content) as answer:
                body = _body(answer)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise StationBusy(
                f"station {self._name} does not answer: {error or type(error).__name__}",
                next_step="it is asked again at the next poll; check address and network if it stays",
            ) from error
        if answer.status_code in expect:
            return httpx.Response(
                answer.status_code, headers=_plain(answer.headers), content=body, request=answer.request
            )
        kind = StationBusy if answer.status_code in _AGAIN else StationError
        refused = kind(
            f"station {self._name} answered {answer.status_code} to {method} {url.path}",
            expected=f"status {' or '.join(map(str, expect))}",
            next_step="check user, password and address in the station's settings"
            if answer.status_code in (401, 403)
            else "it is asked again at the next poll",
        )
        if isinstance(refused, StationBusy):
            refused.retry_after = float(told_number(answer.headers.get("Retry-After", "")) or 0)
        raise refused

    @contextmanager
    def _following(
        self, method: str, url: httpx.URL, headers: dict[str, str], content: bytes | None
    ) -> Iterator[httpx.Response]:
        """Send a request; credentials go to the station only, and never from https to http."""
        for _ in range(REDIRECTS):
            request = self._client.build_request(method, url, headers=headers, content=content)
            auth = self._auth if self.same_place(url) else None
            answer = self._client.send(request, stream=True, auth=auth)
            try:
                target = answer.next_request
                if target is None:
                    yield answer
                    return
                if url.scheme == "https" and target.url.scheme != "https":
                    raise StationError(f"station {self._name} redirects from https to {target.url.scheme}")
                url = target.url
            finally:
                answer.close()
        raise StationError(f"station {self._name} redirects more than {REDIRECTS} times", next_step="ask the station")


def station_time(answer: httpx.Response) -> datetime | None:
    """Return the station's clock as the answer tells it (UTC)."""
    return http_date(answer.headers.get("Date"))


def http_date(text: str | None) -> datetime | None:
    """Return a date of HTTP (UTC, also where it names no zone); None for what is none."""
    try:
        moment = parsedate_to_datetime((text or "").strip())
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, TypeError, OverflowError):
        return None


def _body(answer: httpx.Response) -> bytes:
    found = bytearray()
    for data in answer.iter_bytes():
        found += data
        if len(found) > _LARGEST_ANSWER:
            raise StationError(f"answer of {answer.url.host} is longer than {_LARGEST_ANSWER} bytes")
    return bytes(found)


def _plain(headers: httpx.Headers) -> dict[str, str]:
    return {
        name: value for name, value in headers.items() if name.lower() not in ("content-encoding", "content-length")
    }


def tls_context(station: Station) -> ssl.SSLContext:
    """Return how a station's certificate is checked; TLS 1.2 or newer."""
    context = ssl.create_default_context(cafile=str(station.tls_ca) if station.tls_ca else None)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if not station.tls_verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
