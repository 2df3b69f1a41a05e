"""Settings of the web service; each can be given as S2PS_PRIP_<NAME>."""

from __future__ import annotations

from pathlib import Path
from typing import Self

from pydantic import Field, HttpUrl, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from s2ps.model.errors import ConfigurationError


class PripSettings(BaseSettings):
    """How the service looks from outside, who may use it, and how much."""

    model_config = SettingsConfigDict(env_prefix="S2PS_PRIP_", frozen=True, extra="ignore")

    public_url: HttpUrl | None = None
    """Address under which clients reach the service, when it is not the one they ask (behind a proxy)."""
    users: Path | None = None
    """YAML file of users (docs/prip.md). Default: prip-users.yaml in the home; without it there are none."""
    anonymous: bool = False
    """Whether everybody may search and download. What an unknown user may do is limited by the quota below."""
    open_without_users: bool = False
    """Whether everybody may search and download as long as there are no users; `s2ps prip serve` sets it where only
    this machine can ask."""
    token_secret: SecretStr | None = Field(default=None, min_length=32)
    """Key of the tokens the service gives, at least 32 characters; the same in every process. Default: one is made."""
    token_seconds: int = Field(default=3600, ge=60, le=86_400)
    """How long a token is good."""
    issuer: str | None = None
    """Issuer (`iss`) whose tokens are accepted besides; needs `issuer_keys` and `audience`."""
    issuer_keys: str | None = None
    """Address of the keys (JWKS) of the issuer."""
    audience: str | None = None
    """Audience (`aud`) that tokens of the issuer must name."""
    issuer_user_claim: str = "sub"
    """The claim that names the user."""
    requests_per_minute: int | None = Field(default=None, ge=1)
    """Requests of one user in a minute, when the user has no limit of its own. Default: no limit."""
    gigabytes_per_day: float | None = Field(default=None, gt=0)
    """Volume one user may download in a day (UTC), in 10^9 bytes."""
    parallel_downloads: int | None = Field(default=None, ge=1)
    """Downloads of one user at the same time."""
    signed_url_seconds: int = Field(default=600, ge=1, le=604_800)
    """How long the address of a product in an object store is good."""
    workers: int = Field(default=1, ge=1)
    """Processes of `s2ps prip serve`."""

    @classmethod
    def load(cls) -> Self:
        """Read the environment; raise ConfigurationError naming a variable that does not fit."""
        try:
            found = cls()
        except ValidationError as error:
            wrong = "; ".join(f"S2PS_PRIP_{'_'.join(map(str, e['loc'])).upper()}: {e['msg']}" for e in error.errors())
            raise ConfigurationError(f"settings: {wrong}", next_step="correct the environment variable") from error
        if found.issuer and not (found.issuer_keys and found.audience):
            raise ConfigurationError(
                "settings: S2PS_PRIP_ISSUER is set without keys or audience",
                next_step="set S2PS_PRIP_ISSUER_KEYS and S2PS_PRIP_AUDIENCE as well",
            )
        return found
