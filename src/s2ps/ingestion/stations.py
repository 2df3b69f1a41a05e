"""The stations of an installation: one YAML file, secrets only by the name of an environment variable."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from s2ps.model.errors import ConfigurationError

DEFAULT_POLL_S = {"xbip": 20.0, "cadip": 20.0, "edip": 30.0, "folder": 10.0, "auxip": 60.0}
SCHEMES = {
    "xbip": ("http", "https"),
    "cadip": ("http", "https"),
    "auxip": ("http", "https"),
    "edip": ("ftp", "ftps"),
    "folder": ("file", ""),
}


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class BasicAuth(_Part):
    """User and password; `password_env` names the environment variable that holds the password."""

    kind: Literal["basic"] = "basic"
    user: str
    password_env: str

    @property
    def password(self) -> str:
        """Return the password."""
        return secret(self.password_env)


class OAuth2Auth(_Part):
    """Client credentials, or user and password of a token server."""

    kind: Literal["oauth2"]
    token_url: str
    client_id: str
    secret_env: str | None = None
    user: str | None = None
    password_env: str | None = None
    scope: str | None = None
    header: Literal["authorization", "oauth2-access-token"] = "authorization"
    """Which header carries the token: `Authorization: Bearer ...` or `OAUTH2-ACCESS-TOKEN: ...`."""
    credentials: Literal["body", "basic"] = "body"
    """How the client tells the token server who it is: in the form, or by basic authentication."""


class Malware(_Part):
    """A clamd that scans what was downloaded, before it arrives."""

    socket: Path | None = None
    host: str = "127.0.0.1"
    port: int = 3310
    timeout_s: float = Field(default=300, gt=0)


class Station(_Part):
    """One pick-up point."""

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,39}$")
    kind: Literal["xbip", "cadip", "edip", "auxip", "folder"]
    url: str
    auth: Annotated[BasicAuth | OAuth2Auth, Field(discriminator="kind")] | None = None
    nominal: str = "NOMINAL"
    """Area below the URL where sessions are published; empty: the URL itself (xbip, edip, folder)."""
    retransfer: str | None = "RETRANSFER"
    """Area of what is sent again; null: there is none."""
    units: tuple[str, ...] = ()
    """Satellites wanted; empty: all."""
    poll_seconds: float | None = Field(default=None, gt=0)
    parallel: int = Field(default=4, ge=1, le=32)
    """Ranges of one file at the same time."""
    files: int = Field(default=1, ge=1, le=16)
    """Files at the same time."""
    piece_mb: int = Field(default=8, ge=1, le=1024)
    bandwidth_mb_s: float | None = Field(default=None, gt=0)
    """Megabytes (10^6) per second for all transfers from the station together."""
    open_sessions: int = Field(default=8, ge=1)
    """Sessions that are fetched at the same time; later ones wait."""
    stale_hours: float = Field(default=6, gt=0)
    """A session without news for so long does not count as open any more; it is still completed when files come."""
    min_free_gb: float = Field(default=2, ge=0)
    """Gigabytes (10^9 bytes) of the disk that are left free: before less is, nothing more is fetched."""
    retention_days: float = Field(default=10, gt=0)
    """How far back sessions are looked for at first, and again from time to time (cadip, auxip)."""
    give_up_days: float | None = Field(default=None, gt=0)
    """A session that nothing new has come of for so long is given up; null: retention_days."""
    overlap_seconds: float = Field(default=3600, ge=0)
    """How far a window reaches back behind the newest publication seen (cadip, auxip)."""
    channels: int | None = Field(default=None, ge=1, le=4)
    """Channels of a session where the station does not tell; null: S2PS_CHANNELS."""
    quality_info: Literal["ignore", "check", "require"] = "check"
    """Totals of QualityInfo: not asked for, compared when given, or waited for (cadip)."""
    tls_ca: Path | None = None
    """Certificates that sign the station's; default: those of the system."""
    tls_verify: bool = True
    timeout_s: float = Field(default=60, gt=0)
    names: dict[str, str] = Field(default_factory=dict)
    """Attribute names that differ from the ICD: {PublicationDate: creationDate} (auxip)."""
    match: str | None = None
    """Regular expression of the product names that are wanted (auxip); default: Sentinel-2 AUX and GIP files."""
    page: int = Field(default=500, ge=1, le=10000)
    malware: Malware | None = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        parts = urlsplit(self.url)
        if parts.scheme not in SCHEMES[self.kind]:
            raise ValueError(f"url of a station of kind {self.kind} starts with {' or '.join(SCHEMES[self.kind])}")
        if parts.username or parts.password:
            raise ValueError("url holds credentials; give auth: {user, password_env}")
        if self.kind in ("edip", "folder") and isinstance(self.auth, OAuth2Auth):
            raise ValueError(f"a station of kind {self.kind} knows no oauth2")
        return self

    @property
    def give_up_after(self) -> timedelta:
        """Return how long a session may be without news until it is given up."""
        return timedelta(days=self.give_up_days or self.retention_days)

    @property
    def poll_s(self) -> float:
        """Return the seconds between two polls."""
        return self.poll_seconds or DEFAULT_POLL_S[self.kind]


class Stations(_Part):
    """All stations."""

    stations: tuple[Station, ...] = ()

    @classmethod
    def load(cls, path: Path) -> Stations:
        """Read the YAML file (a list of stations); ConfigurationError names the station and the field."""
        try:
            found = yaml.safe_load(path.read_text())
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
            raise ConfigurationError(
                f"stations {path} cannot be read: {error}", next_step="write it as docs/ingestion.md shows"
            ) from error
        try:
            loaded = cls.model_validate({"stations": found or ()})
        except ValidationError as error:
            wrong = "; ".join(f"{'.'.join(map(str, item['loc'][1:]))}: {item['msg']}" for item in error.errors())
            raise ConfigurationError(
                f"stations {path}: {wrong}", next_step="correct the file, docs/ingestion.md shows how"
            ) from error
        names = [station.name for station in loaded.stations]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ConfigurationError(f"stations {path}: {', '.join(twice)} twice", expected="every name once")
        return loaded

    def station(self, name: str) -> Station:
        """Return a station; ConfigurationError when there is none of that name."""
        for station in self.stations:
            if station.name == name:
                return station
        known = ", ".join(station.name for station in self.stations) or "none"
        raise ConfigurationError(
            f"there is no station {name}", expected=f"one of: {known}", next_step="see S2PS_STATIONS"
        )


def secret(variable: str) -> str:
    """Return the secret an environment variable holds; ConfigurationError names the variable when it is not set."""
    value = os.environ.get(variable)
    if not value:
        raise ConfigurationError(
            f"environment variable {variable} is not set", expected="a secret", next_step="set it where S2PS runs"
        )
    return value
