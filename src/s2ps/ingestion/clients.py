"""Which client speaks with which kind of station."""

from __future__ import annotations

from collections.abc import Callable

from s2ps.ingestion.cadip import CadipClient
from s2ps.ingestion.edip import EdipClient
from s2ps.ingestion.folder import FolderClient
from s2ps.ingestion.listing import StationClient
from s2ps.ingestion.stations import Station
from s2ps.ingestion.xbip import XbipClient
from s2ps.model.errors import ConfigurationError

_KINDS: dict[str, Callable[[Station], StationClient]] = {
    "xbip": XbipClient,
    "cadip": CadipClient,
    "edip": EdipClient,
    "folder": FolderClient,
}


def session_client(station: Station) -> StationClient:
    """Return the client of a station that publishes sessions."""
    if station.kind not in _KINDS:
        raise ConfigurationError(f"station {station.name} of kind {station.kind} publishes no sessions")
    return _KINDS[station.kind](station)
