"""Ingestion: stations are polled, sessions fetched, judged and registered, auxiliary files taken in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from s2ps.ingestion.arriving import ArrivalFolders
from s2ps.ingestion.budget import Budget
from s2ps.ingestion.clients import session_client
from s2ps.ingestion.download import MEGABYTE, Engine
from s2ps.ingestion.listing import StationClient
from s2ps.ingestion.malware import inspector
from s2ps.ingestion.product_intake import AuxipClient, ProductIntake, into_inventory
from s2ps.ingestion.report import PollReport
from s2ps.ingestion.session_intake import SessionIntake
from s2ps.ingestion.stations import Station, Stations
from s2ps.inventory.arrival_records import Arrival
from s2ps.inventory.arrivals import Arrivals
from s2ps.inventory.ingestion_claims import IngestionClaims
from s2ps.inventory.store import Inventory
from s2ps.model.errors import InputError
from s2ps.settings import Settings

LEASE_S, LEASE_POLLS = 300.0, 3
"""A place that has not polled for so many seconds, and for so many polls, has left ingestion to others."""


@dataclass(frozen=True, slots=True)
class SessionStatus:
    """A session seen at a station: how far it is, and what it lacks."""

    arrival: Arrival
    files: int
    """Files seen."""
    here: int
    size: int
    """Bytes of the files seen."""
    here_size: int


class Ingestion:
    """Every call can be repeated without harm and beside other processes that do the same."""

    def __init__(
        self,
        settings: Settings,
        inventory: Inventory,
        stations: Stations,
        accept: Callable[[Path], None] | None = None,
    ) -> None:
        """`accept` takes an auxiliary file in, or raises InputError to refuse it. Default: as `s2ps auxiliary add`."""
        self.settings, self.inventory, self.stations = settings, inventory, stations
        self._accept = accept or into_inventory(inventory, settings.place("auxiliary"))
        self.arrivals = Arrivals(inventory)
        self.folders = ArrivalFolders(settings.place("sessions"))
        self._claims = IngestionClaims(inventory)
        self._lease_s = max([LEASE_S, *(LEASE_POLLS * station.poll_s for station in stations.stations)])
        self._clients: dict[str, StationClient] = {}
        self._products: dict[str, AuxipClient] = {}
        self._engines: dict[str, Engine] = {}

    def poll(self, station_name: str, now: datetime | None = None) -> PollReport:
        """Look at a station once, fetch what is due, and register what is complete.

        Only one process polls a station at a time; the report of the other one says busy. Of several places that
        share an inventory but no file system one ingests at all. What a broken or killed poll has fetched stays.
        Raises StationError when the station cannot be listed.
        """
        station = self.stations.station(station_name)
        with self.folders.alone(f"station_{station.name}") as mine:
            if not mine:
                return PollReport(station.name, busy=True)
            with self._claims.held(self.folders.place(), self._lease_s) as ours:
                if not ours:
                    return PollReport(station.name, busy=True, elsewhere=self._claims.holder())
                moment = now or datetime.now(UTC)
                if station.kind == "auxip":
                    return self._product_intake(station, moment).poll()
                return self._intake(station, moment).poll()

    def sessions(self) -> tuple[SessionStatus, ...]:
        """Return all sessions seen at stations, the oldest first."""
        return tuple(self._status(arrival) for arrival in self.arrivals.sessions())

    def resume(self, session: str, now: datetime | None = None) -> None:
        """Take up a session that was given up: the next polls ask for its files again; raise InputError otherwise."""
        if not self.arrivals.resume(session, now or datetime.now(UTC)):
            known = self.arrivals.session(session)
            raise InputError(
                f"session {session} is {known.state}" if known else f"session {session} was never seen at a station",
                expected="a session that was given up (abandoned)",
                next_step="list them with: s2ps sessions",
            )

    def close(self) -> None:
        """Close the connections to stations."""
        for client in self._clients.values():
            client.close()
        for products in self._products.values():
            products.close()
        self._clients.clear()
        self._products.clear()

    def _status(self, arrival: Arrival) -> SessionStatus:
        files = self.arrivals.files(arrival.session)
        here = [file for file in files if file.state == "complete"]
        return SessionStatus(
            arrival, len(files), len(here), sum(file.size for file in files), sum(file.size for file in here)
        )

    def _intake(self, station: Station, now: datetime) -> SessionIntake:
        client = self._clients.get(station.name)
        if client is None:
            client = self._clients[station.name] = session_client(station)
        channels = station.channels or self.settings.channels
        others = frozenset(other.name for other in self.stations.stations if other.name != station.name)
        return SessionIntake(station, client, self._engine(station), self.arrivals, self.folders, channels, now, others)

    def _product_intake(self, station: Station, now: datetime) -> ProductIntake:
        client = self._products.get(station.name)
        if client is None:
            client = self._products[station.name] = AuxipClient(station)
        folder = self.settings.place("home") / "auxiliary_arrived" / station.name
        return ProductIntake(station, client, self._engine(station), self.arrivals, folder, self._accept, now)

    def _engine(self, station: Station) -> Engine:
        if station.name not in self._engines:
            rate = station.bandwidth_mb_s
            self._engines[station.name] = Engine(
                station.parallel,
                station.piece_mb * MEGABYTE,
                Budget(rate * 1e6 if rate else None),
                inspector(station.malware),
            )
        return self._engines[station.name]
