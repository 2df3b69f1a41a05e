"""The one place where Airflow tasks and DAG files reach the services of s2ps; everything is imported when used."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from importlib import resources
from typing import Any, Literal

from s2ps.model.mission import Level
from s2ps.settings import Settings
from s2ps_airflow.deadlines import TimeLimits
from s2ps_airflow.identity import RunOptions


def settings() -> Settings:
    """Return the settings of this installation (environment S2PS_*)."""
    return Settings.load()


@contextmanager
def ingestion() -> Iterator[Any]:
    """Yield the ingestion of this installation; its connections end with the context."""
    from s2ps.ingestion.service import Ingestion
    from s2ps.ingestion.stations import Stations

    chosen = settings()
    found = Ingestion(chosen, inventory(), Stations.load(chosen.stations_file))
    try:
        yield found
    finally:
        found.close()


def stations() -> tuple[Any, ...]:
    """Return the stations of this installation; none when it has no file of them."""
    from s2ps.ingestion.stations import Stations

    path = settings().stations_file
    return Stations.load(path).stations if path.is_file() else ()


def arrivals() -> Any:
    """Return the memory of what has arrived and was announced."""
    from s2ps.inventory.arrivals import Arrivals

    return Arrivals(inventory())


def raw_data() -> Any:
    """Return what tells whether raw data are needed any more."""
    from s2ps.inventory.raw_data import RawData

    return RawData(inventory())


def service() -> Any:
    """Return the production service."""
    from s2ps.production import Production

    return Production(settings())


def expire() -> list[str]:
    """Remove the products whose time is over, and old counts of the web service; return the names of the products."""
    from s2ps.inventory.usage import UsageStore
    from s2ps.publication.publisher import Publisher

    now, known = datetime.now(UTC), inventory()
    UsageStore(known.engine).forget(now)
    return [removed.name for removed in Publisher.of(settings(), known).withdrawals.expire(now)]


def expire_sessions() -> list[str] | None:
    """Remove the raw data of sessions whose time is over; return the sessions, None when raw data stay for ever."""
    from s2ps.ingestion.arriving import ArrivalFolders
    from s2ps.ingestion.expiry import Expiry

    chosen = settings()
    if chosen.session_days is None:
        return None
    before = datetime.now(UTC) - timedelta(days=chosen.session_days)
    return list(Expiry(inventory(), ArrivalFolders(chosen.place("sessions"))).expire(before))


def run_key(kind: Literal["session", "datatake"], identifier: str, options: RunOptions) -> Any:
    """Return the key of a run; options left alone take the settings' value."""
    from s2ps.production.runs import RunKey

    return RunKey(
        kind=kind,
        id=identifier,
        strategy=options.strategy or settings().strategy,
        from_level=Level(options.from_level) if options.from_level else None,
        baseline=options.processing_baseline,
        faults=options.faults,
    )


def strategy_nodes(strategy: str) -> Sequence[Any]:
    """Return the node records of a strategy."""
    from s2ps.planning.nodes import plan_nodes
    from s2ps.production.definitions import catalogue_of, strategy_of

    chosen = settings()
    return tuple(plan_nodes(catalogue_of(chosen), strategy_of(chosen, strategy)))


def cluster_spec(strategy: str, node: str) -> Any:
    """Return what a strategy says of one of its clusters: resources, slots, pod."""
    from s2ps.production.definitions import strategy_of

    return strategy_of(settings(), strategy).cluster(node)


def default_strategy() -> str:
    """Return the strategy of this installation."""
    return settings().strategy


def strategies() -> list[str]:
    """Return the names of the strategies there are."""
    from s2ps.planning.strategy import strategy_names

    folder = settings().strategies
    own = [path.stem for path in folder.glob("*.yaml")] if folder is not None else []
    return sorted({*strategy_names(), *own})


def baselines() -> list[str]:
    """Return the processing baselines of the catalogue, the default one first."""
    folders = (resources.files("s2ps.processors") / "definitions").iterdir()
    known = sorted(folder.name for folder in folders if folder.is_dir() and folder.name[0].isdigit())
    default = settings().baseline
    return [default, *(name for name in known if name != default)]


def datatakes_between(start: datetime, stop: datetime) -> list[str]:
    """Return the ids of the datatakes sensed from `start` to `stop`, both included, in order of time."""
    return [record.id for record in inventory().datatakes_between(start, stop + timedelta(microseconds=1))]


def time_limits() -> TimeLimits:
    """Return the time limits of this installation."""
    chosen = settings()
    return TimeLimits(
        timedelta(minutes=chosen.timeliness_l1c_minutes), timedelta(minutes=chosen.timeliness_l2a_minutes)
    )


def iso(moment: datetime | None) -> str | None:
    """Return a time as ISO text."""
    return moment.isoformat() if moment is not None else None


def inventory() -> Any:
    """Return the inventory, which also says which run produces a datatake."""
    from s2ps.inventory.store import Inventory

    return Inventory(settings().inventory_location)
