"""A simulated station that runs: its address, its pick-up point, its faults; and what starts it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from s2ps.model.errors import ConfigurationError
from s2ps.stations.certificate import Certificate, make_certificate
from s2ps.stations.files import StationFile, session_files
from s2ps.stations.misbehaviour import Faults
from s2ps.stations.pickup import PickupPoint, Source
from s2ps.stations.settings import StationSettings


@dataclass(frozen=True, slots=True)
class Station:
    """A running station; what `serve` of every kind yields."""

    url: str
    """Address of the pick-up point: for HTTP without a slash at the end, for FTPS `ftp://host:port`."""
    pickup: PickupPoint
    faults: Faults
    certificate: Path | None = None
    """What a client must trust, when the station speaks TLS."""
    token_url: str | None = None

    @property
    def log(self) -> list[tuple[str, str]]:
        """Return method and path of every request so far."""
        return list(self.faults.log)

    def advance(self, seconds: float) -> None:
        """Let seconds of the timeline pass at once."""
        self.pickup.advance(seconds)

    def misbehave(self, **changes: object) -> None:
        """Change what goes wrong from now on, `status_every=3`; see Misbehaviour."""
        behaviour = self.faults.behaviour
        self.faults.behaviour = type(behaviour).model_validate({**behaviour.model_dump(), **changes})


@contextmanager
def certified(settings: StationSettings, *, always: bool = False) -> Iterator[Certificate | None]:
    """Yield a certificate for a station with TLS, else None."""
    if not (settings.tls or always):
        yield None
    elif settings.certificate_folder is not None:
        yield make_certificate(settings.certificate_folder, settings.host)
    else:
        with tempfile.TemporaryDirectory(prefix="s2ps-station-") as folder:
            yield make_certificate(Path(folder), settings.host)


def pickup_point(
    files: tuple[StationFile, ...], settings: StationSettings, live: Source | None = None
) -> tuple[PickupPoint, Faults]:
    """Return the pick-up point of files and timeline, and the faults."""
    behaviour = settings.misbehaviour
    return PickupPoint(files, settings.timeline, hostile=behaviour.hostile_names, live=live), Faults(behaviour)


def session_station(content: Path | None, settings: StationSettings) -> tuple[PickupPoint, Faults]:
    """Return the pick-up point of the sessions of a folder and of the timeline; ConfigurationError without any."""
    if content is None or not settings.live:
        return pickup_point(_session_content(content, settings), settings)

    def later() -> tuple[StationFile, ...]:
        return _session_content(content, settings, growing=True)

    return pickup_point(later(), settings, later)


def _session_content(
    content: Path | None, settings: StationSettings, *, growing: bool = False
) -> tuple[StationFile, ...]:
    """Return the files of the sessions of a folder and of the timeline; ConfigurationError when there is none."""
    made = tuple(file for session in settings.timeline.virtual for file in session.files())
    if content is None and not made:
        raise ConfigurationError(
            "the station has nothing to publish", next_step="give --content DIR, or a timeline with `virtual` sessions"
        )
    return (*(session_files(content, growing=growing) if content is not None else ()), *made)
