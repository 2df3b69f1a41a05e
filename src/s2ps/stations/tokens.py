"""Logins of the HTTP stations: basic, or OAuth2 with short-lived tokens in either of two headers."""

from __future__ import annotations

import base64
import binascii
import secrets
import threading
import time
from collections.abc import Mapping
from urllib.parse import parse_qs

from s2ps.stations.misbehaviour import Faults
from s2ps.stations.settings import StationSettings

OWN_HEADER = "OAUTH2-ACCESS-TOKEN"


class Tokens:
    """Gives tokens out and knows which of them live. Safe in threads."""

    def __init__(self, settings: StationSettings, faults: Faults) -> None:
        self.settings, self.faults = settings, faults
        self._until: dict[str, float] = {}
        self._lock = threading.Lock()

    def grant(self, body: str, authorization: str | None) -> dict[str, object] | None:
        """Return the answer to a token request (form of RFC 6749), None when the login is wrong.

        Taken are the grants client_credentials and password; client id and secret may be in the form or basic.
        """
        form = {name: values[-1] for name, values in parse_qs(body).items()}
        basic = basic_login(authorization)
        known = {
            "client_credentials": (form.get("client_id") or basic[0], form.get("client_secret") or basic[1]),
            "password": (form.get("username"), form.get("password")),
        }
        login = known.get(form.get("grant_type", ""))
        if login is None or not self.settings.admits(*login):
            return None
        token, seconds = secrets.token_urlsafe(24), self.settings.token_seconds
        with self._lock:
            self._until[token] = time.monotonic() + seconds
        return {"access_token": token, "token_type": "Bearer", "expires_in": int(seconds)}

    def refusal(self, headers: Mapping[str, str]) -> str | None:
        """Return why a request is not let in (text for WWW-Authenticate), None when it is."""
        settings = self.settings
        if not settings.oauth2:
            return None if settings.admits(*basic_login(headers.get("authorization"))) else 'Basic realm="station"'
        token = self._token(headers)
        with self._lock:
            lives = token is not None and self._until.get(token, 0.0) > time.monotonic()
        if lives and self.faults.revoked():
            with self._lock:
                self._until.pop(token or "", None)
            lives = False
        return None if lives else 'Bearer error="invalid_token"'

    def _token(self, headers: Mapping[str, str]) -> str | None:
        where = self.settings.token_header
        scheme, _, token = headers.get("authorization", "").partition(" ")
        if where != OWN_HEADER and scheme.lower() == "bearer":
            return token.strip()
        return headers.get(OWN_HEADER.lower()) if where != "Authorization" else None


def basic_login(authorization: str | None) -> tuple[str | None, str | None]:
    """Return user and password of a basic Authorization header, None for both when it is none."""
    scheme, _, coded = (authorization or "").partition(" ")
    if scheme.lower() != "basic":
        return None, None
    try:
        user, colon, password = base64.b64decode(coded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None, None
    return (user, password) if colon else (None, None)
