"""Credentials on requests: basic, and OAuth2 with tokens that are renewed."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass

import httpx

from s2ps.ingestion.stations import BasicAuth, OAuth2Auth, Station, secret
from s2ps.model.errors import S2psError

EARLY_S = 30.0
"""A token is renewed so long before it ends, or at half its life when that is shorter."""


def authentication(station: Station, client: httpx.Client) -> httpx.Auth | None:
    """Return what puts a station's credentials on requests; the client is used for its token server."""
    if station.auth is None:
        return None
    if isinstance(station.auth, BasicAuth):
        return httpx.BasicAuth(station.auth.user, station.auth.password)
    return BearerAuth(station.auth, client)


class LoginRefused(S2psError):
    """A token server does not let us in; it is asked again at the next poll, as its answer may change."""

    retryable = True


@dataclass(frozen=True, slots=True)
class Token:
    """A token and when it has to be renewed (seconds of the monotonic clock)."""

    text: str
    renew_at: float
    refresh: str = ""


class BearerAuth(httpx.Auth):
    """Fetches a token, renews it before it ends, and once more when the station does not take it. Safe in threads."""

    def __init__(self, settings: OAuth2Auth, client: httpx.Client, clock: Callable[[], float] = time.monotonic) -> None:
        self._settings, self._client, self._clock = settings, client, clock
        self._lock = threading.Lock()
        self._token: Token | None = None

    def sync_auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Put a token on a request; a 401 is answered with a new one, once."""
        token = self._current()
        self._sign(request, token)
        answer = yield request
        if answer.status_code == 401:
            self._sign(request, self._after(token))
            yield request

    def _sign(self, request: httpx.Request, token: Token) -> None:
        if self._settings.header == "authorization":
            request.headers["Authorization"] = f"Bearer {token.text}"
        else:
            request.headers["OAUTH2-ACCESS-TOKEN"] = token.text

    def _current(self) -> Token:
        with self._lock:
            if self._token is None or self._clock() >= self._token.renew_at:
                self._token = self._fetch()
            return self._token

    def _after(self, used: Token) -> Token:
        with self._lock:
            if self._token is used:
                self._token = self._fetch()
            return self._token or self._fetch()

    def _fetch(self) -> Token:
        refresh = self._token.refresh if self._token else ""
        if refresh:
            answer = self._ask({"grant_type": "refresh_token", "refresh_token": refresh})
            if answer.status_code == 200:
                return self._read(answer)
        answer = self._ask(self._grant())
        if answer.status_code == 429 or answer.status_code >= 500:
            raise httpx.HTTPStatusError(
                f"token server {self._settings.token_url} answered {answer.status_code}",
                request=answer.request,
                response=answer,
            )
        if answer.status_code != 200:
            raise LoginRefused(
                f"token server {self._settings.token_url} answered {answer.status_code}",
                expected="status 200 and a token",
                next_step="check client_id and the secrets of the station's auth",
            )
        return self._read(answer)

    def _grant(self) -> dict[str, str]:
        settings = self._settings
        scope = {"scope": settings.scope} if settings.scope else {}
        if settings.user is None:
            return {"grant_type": "client_credentials", **scope}
        password = secret(settings.password_env) if settings.password_env else ""
        return {"grant_type": "password", "username": settings.user, "password": password, **scope}

    def _ask(self, form: dict[str, str]) -> httpx.Response:
        settings = self._settings
        key = secret(settings.secret_env) if settings.secret_env else ""
        if settings.credentials == "basic":
            return self._client.post(settings.token_url, data=form, auth=(settings.client_id, key))
        more = {"client_secret": key} if key else {}
        return self._client.post(settings.token_url, data={**form, "client_id": settings.client_id, **more})

    def _read(self, answer: httpx.Response) -> Token:
        try:
            found = answer.json()
            text, life = str(found["access_token"]), float(found.get("expires_in", 300))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise LoginRefused(
                f"token server {self._settings.token_url} gives no token", expected="JSON with access_token"
            ) from error
        return Token(text, self._clock() + max(life - EARLY_S, life / 2), str(found.get("refresh_token") or ""))
