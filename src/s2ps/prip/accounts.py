"""Users of the service: a YAML file with hashed passwords and limits."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import secrets
import threading
import time
from collections import deque
from functools import cached_property
from pathlib import Path
from typing import Annotated

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from s2ps.model.errors import ConfigurationError

USERS_FILE = "prip-users.yaml"
_COST, _BLOCK, _LANES, _BYTES = 2**14, 8, 1, 32
_MEMORY = 64 * 1024 * 1024
_REMEMBERED_S = 60
_FAILURES, _FAILURES_S = 10, 60


class Limits(BaseModel):
    """How much a user may use; None: no limit."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    requests_per_minute: int | None = Field(default=None, ge=1)
    gigabytes_per_day: float | None = Field(default=None, gt=0)
    parallel_downloads: int | None = Field(default=None, ge=1)


class Account(Limits):
    """A user or service account; the password is kept as scrypt hash."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.@-]{0,63}$")]
    password: Annotated[str, Field(pattern=r"^scrypt\$\d+\$\d+\$\d+\$[A-Za-z0-9+/=]+\$[A-Za-z0-9+/=]+$")]


class _File(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    users: tuple[Account, ...] = ()

    @cached_property
    def by_name(self) -> dict[str, Account]:
        return {account.name: account for account in self.users}


class Accounts:
    """The users of a file, which is read again when it changes. A missing file has no users."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._read_at: tuple[int, int] | None = None
        self._file = _File()
        self._verified: dict[bytes, float] = {}
        self._failed: dict[str, deque[float]] = {}
        self._secret = secrets.token_bytes(32)
        self._lock = threading.Lock()

    def __bool__(self) -> bool:
        return bool(self._current().users)

    def find(self, name: str) -> Account | None:
        """Return a user by name."""
        return self._current().by_name.get(name)

    def verify(self, name: str, password: str) -> Account | None:
        """Return the user if the password is right; a right password is remembered for a minute."""
        account = self.find(name)
        stored = account.password if account else _NOBODY
        mark = hmac.digest(self._secret, f"{stored}\0{password}".encode("utf-8", "surrogatepass"), "sha256")
        if account and self._verified.get(mark, 0) > time.monotonic():
            return account
        if not matches(password, stored) or account is None:
            return None
        with self._lock:
            now = time.monotonic()
            self._verified = {key: until for key, until in self._verified.items() if until > now}
            self._verified[mark] = now + _REMEMBERED_S
        return account

    def failed(self, client: str) -> None:
        """Note that a client gave a wrong name or password."""
        with self._lock:
            self._failed.setdefault(client, deque(maxlen=_FAILURES)).append(time.monotonic())
            if len(self._failed) > 10_000:
                self._failed = {key: times for key, times in self._failed.items() if _recent(times)}

    def waiting_s(self, client: str) -> int:
        """Return the seconds a client must wait after too many wrong passwords; 0: none."""
        times = self._failed.get(client)
        if times is None or len(times) < _FAILURES:
            return 0
        return max(0, int(times[0] + _FAILURES_S - time.monotonic()) + 1)

    def _current(self) -> _File:
        try:
            stat = self.path.stat()
        except FileNotFoundError:
            return _File()
        version = (stat.st_mtime_ns, stat.st_size)
        if version != self._read_at:
            self._file = _read(self.path)
            self._read_at = version
        return self._file


def hashed(password: str) -> str:
    """Return a password as scrypt hash with a salt of its own."""
    salt = secrets.token_bytes(16)
    return _form(salt, _derive(password, salt, _COST, _BLOCK, _LANES))


def matches(password: str, stored: str) -> bool:
    """Return whether a password belongs to a hash."""
    _, cost, block, lanes, salt, digest = stored.split("$")
    derived = _derive(password, base64.b64decode(salt), int(cost), int(block), int(lanes))
    return hmac.compare_digest(derived, base64.b64decode(digest))


def keep(path: Path, account: Account) -> None:
    """Write a user into the file, in place of one of the same name."""
    known = _read(path).by_name if path.exists() else {}
    users = [user.model_dump(exclude_none=True) for user in {**known, account.name: account}.values()]
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    fresh.touch(mode=0o600)
    fresh.write_text(yaml.safe_dump({"users": users}, sort_keys=False))
    fresh.replace(path)


def _read(path: Path) -> _File:
    try:
        return _File.model_validate(yaml.safe_load(path.read_text()) or {})
    except (OSError, yaml.YAMLError, ValidationError) as error:
        raise ConfigurationError(
            f"users file {path} cannot be read: {type(error).__name__}",
            expected="users: [{name, password: scrypt$..., requests_per_minute, gigabytes_per_day, ...}]",
            next_step="write users with `s2ps prip user NAME`",
        ) from error


def _derive(password: str, salt: bytes, cost: int, block: int, lanes: int) -> bytes:
    text = password.encode("utf-8", "surrogatepass")
    return hashlib.scrypt(text, salt=salt, n=cost, r=block, p=lanes, maxmem=_MEMORY, dklen=_BYTES)


def _form(salt: bytes, digest: bytes) -> str:
    return "$".join(["scrypt", str(_COST), str(_BLOCK), str(_LANES), _text(salt), _text(digest)])


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _recent(times: deque[float]) -> bool:
    return times[-1] + _FAILURES_S > time.monotonic()


_NOBODY = _form(bytes(16), bytes(_BYTES))
"""What the password of an unknown user is compared with, so that the time tells nothing."""
