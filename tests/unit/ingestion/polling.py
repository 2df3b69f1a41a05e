"""A process that polls one station until its session is complete, as `s2ps ingest` does."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

from s2ps.ingestion.service import Ingestion
from s2ps.ingestion.stations import Stations
from s2ps.inventory.store import Inventory
from s2ps.settings import Settings


def main(home: Path, session: str) -> None:
    """Poll until the session is complete; print what this process fetched and completed."""
    settings = Settings.load(home)
    service = Ingestion(settings, Inventory(settings.inventory_location), Stations.load(home / "stations.yaml"))
    while True:
        report = service.poll("station")
        for name in report.completed:
            print("completed", name, flush=True)
        if not report.busy:
            print("fetched", report.fetched, report.bytes, flush=True)
        arrival = service.arrivals.session(session)
        if arrival is not None and arrival.state == "complete":
            return
        time.sleep(0.05)


def die_at_the_move(moment: str) -> None:
    """Let this process end by SIGKILL before or after it moves the session folder."""
    rename = Path.rename

    def dying(path: Path, target: Path) -> Path:
        if moment == "after":
            rename(path, target)
        os.kill(os.getpid(), signal.SIGKILL)
        return target

    Path.rename = dying  # type: ignore[method-assign,assignment]


if __name__ == "__main__":
    if len(sys.argv) > 3:
        die_at_the_move(sys.argv[3])
    main(Path(sys.argv[1]), sys.argv[2])
