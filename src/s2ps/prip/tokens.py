"""Bearer tokens: those the service gives, and those of another issuer."""

from __future__ import annotations

import os
import secrets
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import jwt

from s2ps.prip.odata.errors import ODataError
from s2ps.prip.settings import PripSettings

OWN_ISSUER = "s2ps-prip"
_OWN = ["HS256"]
_FOREIGN = ["RS256", "RS384", "RS512", "PS256", "ES256", "ES384"]
_LEEWAY_S = 10


class Tokens:
    """Gives tokens to users whose password was right, and says whom a token stands for."""

    def __init__(self, settings: PripSettings, secret: str) -> None:
        self._settings = settings
        self._secret = secret
        self._keys = jwt.PyJWKClient(settings.issuer_keys, timeout=10) if settings.issuer_keys else None

    def give(self, user: str) -> dict[str, Any]:
        """Return the answer of the token endpoint (RFC 6749, 5.1)."""
        now = int(time.time())
        claims = {"iss": OWN_ISSUER, "sub": user, "iat": now, "exp": now + self._settings.token_seconds}
        token = jwt.encode(claims, self._secret, algorithm=_OWN[0])
        return {"access_token": token, "token_type": "Bearer", "expires_in": self._settings.token_seconds}

    def own_user(self, token: str) -> str | None:
        """Return the user of a token of this service; None when it is of somebody else, wrong or too old."""
        try:
            claims = jwt.decode(token, self._secret, algorithms=_OWN, issuer=OWN_ISSUER, options=_required())
        except jwt.PyJWTError:
            return None
        return str(claims["sub"])

    def foreign_user(self, token: str) -> str | None:
        """Return the user of a token of the other issuer; None when it is wrong, too old or not for this service."""
        settings = self._settings
        if self._keys is None or settings.issuer is None:
            return None
        try:
            key = self._keys.get_signing_key_from_jwt(token)
            claims = jwt.decode(
                token,
                key.key,
                algorithms=_FOREIGN,
                issuer=settings.issuer,
                audience=settings.audience,
                leeway=_LEEWAY_S,
                options=_required(),
            )
        except jwt.PyJWKClientConnectionError as error:
            raise ODataError(503, "the keys of the token's issuer cannot be had", retry_after=30) from error
        except jwt.PyJWTError:
            return None
        user = claims.get(settings.issuer_user_claim)
        return user if isinstance(user, str) and user else None


def kept_secret(path: Path) -> str:
    """Return the key in a file, which is made when it is missing; processes that start together get the same."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_name(f".{path.name}.{os.getpid()}")
        fresh.touch(mode=0o600)
        fresh.write_text(secrets.token_urlsafe(48))
        with suppress(FileExistsError):
            path.hardlink_to(fresh)
        fresh.unlink()
    return path.read_text().strip()


def _required() -> Any:
    return {"require": ["exp", "sub", "iss"]}
