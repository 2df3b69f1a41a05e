"""A session of 60 GB in 166 chunks, published in disorder on a simulated timeline: complete when, never too early?

All is real but the transfer of raw data: simulated station over HTTP, listing, memory, judgement, registration. Raw
files are made sparse with the right size, so nothing of the 60 GB is sent or written.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from performance.report import Report

from s2ps.ingestion.download import Engine, Wanted
from s2ps.ingestion.service import Ingestion
from s2ps.ingestion.source import Source
from s2ps.ingestion.stations import Stations
from s2ps.inventory.store import Inventory
from s2ps.settings import Settings
from s2ps.stations import cadip, xbip
from s2ps.stations.settings import StationSettings
from s2ps.stations.station import Station
from s2ps.stations.timeline import Disorder, Timeline, VirtualSession

SESSION = "S2B_20260701101559000001"
START = datetime(2026, 7, 1, 10, 20, tzinfo=UTC)
POLL_S, DOWNLINK_S = 20, 720
CHUNKS, CHUNK_BYTES = 83, 363_000_000
Serve = Callable[[Path | None, StationSettings], AbstractContextManager[Station]]


@dataclass(frozen=True, slots=True)
class SparseEngine(Engine):
    """Makes raw files without their bytes; fetches all others."""

    def fetch(self, source: Source, wanted: Wanted) -> bool:
        """Let a file arrive."""
        if wanted.target.suffix != ".raw":
            return Engine.fetch(self, source, wanted)
        wanted.target.parent.mkdir(parents=True, exist_ok=True)
        with wanted.target.open("wb") as file:
            file.truncate(wanted.size)
        return True


def measure_session(folder: Path, report: Report, seeds: int = 3) -> None:
    """Run the timeline for both kinds of stations and several kinds of disorder."""
    kinds: dict[str, Serve] = {"cadip": cadip.serve, "xbip": xbip.serve}
    for kind, serve in kinds.items():
        for seed in range(1, seeds + 1):
            _measure(folder / f"{kind}-{seed}", report, kind, serve, seed)


def _measure(home: Path, report: Report, kind: str, serve: Serve, seed: int) -> None:
    disorder = Disorder(
        seed=seed, shuffle=4, late=0.05, late_by=90, growing=0.05, empty=0.05, replaced=0.03, retransferred=0.05
    )
    virtual = VirtualSession(session=SESSION, chunks=CHUNKS, chunk_bytes=CHUNK_BYTES)
    timeline = Timeline(start=START, manual=True, seconds=DOWNLINK_S, disorder=disorder, virtual=(virtual,))
    with serve(None, StationSettings(timeline=timeline)) as station:
        where = {"name": "station", "kind": kind, "url": station.url, "min_free_gb": 0}
        stations = Stations.model_validate({"stations": [where]})
        settings = Settings.load(home)
        service = Ingestion(settings, Inventory(settings.inventory_location), stations)
        service._engines["station"] = SparseEngine()
        longest, last, now = 0.0, None, 0
        while True:
            station.advance(POLL_S)
            now += POLL_S
            began = time.perf_counter()
            completed = service.poll("station", START + timedelta(seconds=now)).completed
            took = time.perf_counter() - began
            longest = max(longest, took)
            whole = all(station.pickup.whole(SESSION, channel) for channel in (1, 2))
            if completed and not whole:
                raise RuntimeError(f"{kind}, seed {seed}: complete after {now} s, before its last file")
            last = now if whole and last is None else last
            if completed:
                break
            if last is not None and now > last + 10 * POLL_S:
                raise RuntimeError(f"{kind}, seed {seed}: stuck: {service.sessions()[0].arrival.missing}")
        service.close()
        record = service.inventory.session(SESSION)
        status = service.sessions()[0]
        report.add(
            f"session/{kind}/{seed}", f"session of {status.files} files by {kind}, disorder {seed}",
            gb=status.size / 1e9, t0_s=(record.t0 - START).total_seconds(), complete_at_s=now,
            polls_after_the_last_file=(now - last) / POLL_S + 1, last_poll_s=took, longest_poll_s=longest,
        )  # fmt: skip
