"""Raw data whose time is over are removed: files go, what is known of the session stays."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from s2ps.ingestion.arriving import ArrivalFolders
from s2ps.inventory.arrival_records import Arrival
from s2ps.inventory.arrivals import Arrivals
from s2ps.inventory.exclusion import exclusive
from s2ps.inventory.raw_data import RawData
from s2ps.inventory.store import Inventory

HIDDEN = ".expired"


@dataclass(frozen=True, slots=True)
class Expiry:
    """Removes the files of sessions; safe beside ingestion and production, and whenever it is killed.

    A folder is hidden by one rename, the session is marked as expired, then the files go. What a killed process has
    hidden and not marked comes back, what it has marked is removed, both by the next one.
    """

    inventory: Inventory
    folders: ArrivalFolders

    def due(self, before: datetime) -> tuple[Arrival, ...]:
        """Return the sessions whose files are here and would be removed: made, or given up, before a time."""
        raw = RawData(self.inventory)
        found = (*raw.over(before), *raw.abandoned(before))
        return tuple(arrival for arrival in found if self._is_here(self._folder(arrival)))

    def expire(self, before: datetime) -> Iterator[str]:
        """Remove them and yield their ids."""
        with self.folders.alone("expiry", wait=True):
            self._finish()
            for arrival in self.due(before):
                if self._remove(arrival, before):
                    yield arrival.session

    def _remove(self, arrival: Arrival, before: datetime) -> bool:
        hidden = self._hidden / arrival.session
        with self.folders.alone(arrival.session, wait=True), exclusive(self.inventory, arrival.session):
            given_up = arrival.state == "abandoned"
            raw = RawData(self.inventory)
            if not (raw.abandoned if given_up else raw.over)(before, arrival.session):
                return False
            hidden.parent.mkdir(exist_ok=True)
            self._folder(arrival).rename(hidden)
            if not given_up and not raw.expire(arrival.session, before):
                hidden.rename(self._folder(arrival))
                return False
        shutil.rmtree(hidden)
        return True

    def _finish(self) -> None:
        """Finish what was interrupted: bring back what is not marked, remove what is."""
        for hidden in sorted(self._hidden.iterdir()) if self._hidden.is_dir() else ():
            with exclusive(self.inventory, hidden.name):
                known = Arrivals(self.inventory).session(hidden.name)
                if known is None:
                    continue
                home = self.folders.arrived(known.session)
                if known.state == "complete" and not home.exists():
                    hidden.rename(home)
                    continue
            shutil.rmtree(hidden)

    @property
    def _hidden(self) -> Path:
        return self.folders.sessions / HIDDEN

    def _folder(self, arrival: Arrival) -> Path:
        if arrival.state == "abandoned":
            return self.folders.arriving(arrival.session)
        return arrival.folder or self.folders.arrived(arrival.session)

    def _is_here(self, folder: Path) -> bool:
        """Tell whether a folder lies where sessions arrive here, not where another place has fetched it to."""
        mine = folder.resolve().is_relative_to(self.folders.sessions.resolve())
        return mine and folder.is_dir() and not folder.is_symlink()
