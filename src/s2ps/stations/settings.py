"""How a simulated station is set up."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from s2ps.stations.misbehaviour import Misbehaviour
from s2ps.stations.timeline import Timeline


class StationSettings(BaseModel):
    """Address, login, form of the folders, timeline and misbehaviour of one simulated station."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    host: str = "127.0.0.1"
    port: int = Field(default=0, ge=0, le=65535)
    """0 takes a free one."""
    tls: bool = False
    """HTTPS with a certificate made on the fly; `Station.certificate` has it. FTPS always has one."""
    user: str | None = None
    """None lets everybody in (for FTPS: the user `anonymous`)."""
    password: SecretStr = SecretStr("")
    oauth2: bool = False
    """CADIP and AUXIP: user and password (or client id and secret) get a token at `token_url`."""
    token_seconds: float = Field(default=300.0, gt=0)
    """How long a token lives."""
    token_header: Literal["any", "Authorization", "OAUTH2-ACCESS-TOKEN"] = "any"  # noqa: S105
    """Where a token may be sent: `Authorization: Bearer TOKEN`, or the token alone in a header of its own."""
    redirect: bool = False
    """CADIP and AUXIP: $value answers 307 to another origin, which needs no login."""
    page_size: int = Field(default=0, ge=0)
    """CADIP and AUXIP: entries of one page; 0 sends all that are asked for."""
    names: Literal["icd", "lower"] = "icd"
    """AUXIP: how attributes are called; "lower" is id, name, contentLength, creationDate."""
    folders: str = "{satellite}/DCS_{station_unit}_{session}_dat/ch_{channel}"
    """XBIP and EDIP: folder of a session's files below the area. Fields: satellite, session, station_unit, channel."""
    live: bool = False
    """XBIP, CADIP, EDIP: sessions that come to the content later are published then; there may be none at first."""
    timeline: Timeline = Timeline()
    misbehaviour: Misbehaviour = Misbehaviour()
    certificate_folder: Path | None = None
    """Where the certificate is kept. Default: a temporary folder."""

    def admits(self, user: str | None, password: str | None) -> bool:
        """Return True when a login is right, or none is needed."""
        return self.user is None or (user == self.user and password == self.password.get_secret_value())
