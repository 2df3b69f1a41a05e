"""Who asks: by password or token, or nobody in particular."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass

from starlette.requests import Request

from s2ps.prip.accounts import Accounts, Limits
from s2ps.prip.odata.errors import ODataError
from s2ps.prip.settings import PripSettings
from s2ps.prip.tokens import Tokens

ANYBODY = "anonymous"


@dataclass(frozen=True, slots=True)
class User:
    """Who asks, and how much of the service that user may use."""

    name: str
    limits: Limits


class Access:
    """Tells who a request comes from, and refuses it when it may not come in."""

    def __init__(self, settings: PripSettings, accounts: Accounts, tokens: Tokens) -> None:
        self._settings = settings
        self._accounts = accounts
        self._tokens = tokens
        self._default = Limits(
            requests_per_minute=settings.requests_per_minute,
            gigabytes_per_day=settings.gigabytes_per_day,
            parallel_downloads=settings.parallel_downloads,
        )

    def user(self, request: Request) -> User:
        """Return who asks; raise ODataError 401 for nobody, a wrong password or a token that is not good."""
        scheme, _, rest = request.headers.get("authorization", "").partition(" ")
        if not scheme:
            if self._settings.anonymous or (self._settings.open_without_users and not self._accounts):
                return User(f"{ANYBODY} {_client(request)}", self._default)
            raise ODataError(401, "this service asks for a user and a password, or a token")
        if scheme.lower() == "basic":
            name, password = _credentials(rest)
            return self.checked(request, name, password)
        if scheme.lower() == "bearer":
            return self._of_token(rest.strip())
        raise ODataError(401, "Authorization is neither Basic nor Bearer")

    def checked(self, request: Request, name: str, password: str) -> User:
        """Return the user of a name and password; after ten wrong ones a client waits for a minute."""
        client = _client(request)
        waiting = self._accounts.waiting_s(client)
        if waiting:
            raise ODataError(429, "too many wrong passwords; wait", retry_after=waiting)
        account = self._accounts.verify(name, password)
        if account is None:
            self._accounts.failed(client)
            raise ODataError(401, "user or password is wrong")
        return self._known(account.name)

    def _of_token(self, token: str) -> User:
        own = self._tokens.own_user(token)
        if own is not None and self._accounts.find(own) is not None:
            return self._known(own)
        foreign = None if own is not None else self._tokens.foreign_user(token)
        if foreign is None:
            raise ODataError(401, "the token is wrong or too old")
        return self._known(foreign)

    def _known(self, name: str) -> User:
        account = self._accounts.find(name)
        if account is None:
            return User(name, self._default)
        own = account.model_dump(include=set(Limits.model_fields), exclude_none=True)
        return User(name, self._default.model_copy(update=own))


def _credentials(text: str) -> tuple[str, str]:
    try:
        name, colon, password = base64.b64decode(text.strip(), validate=True).decode("utf-8").partition(":")
    except (binascii.Error, UnicodeDecodeError, ValueError) as error:
        raise ODataError(401, "the Basic credentials cannot be read") from error
    if not colon:
        raise ODataError(401, "the Basic credentials have no password")
    return name, password


def _client(request: Request) -> str:
    return request.client.host if request.client else "unknown"
