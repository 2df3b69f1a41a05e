"""The one place where Airflow tasks and DAG files reach the services of s2ps; everything is imported when used."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from s2ps.settings import Settings

from s2ps_airflow.identity import RunOptions


def settings() -> Settings:
    """Return the settings of this installation (environment S2PS_*)."""
    return Settings.load()


def service() -> Any:
    """Return the production service."""
    from s2ps.production import Production

    return Production(settings())


def run_key(kind: str, identifier: str, options: RunOptions) -> Any:
    """Return the key of a run; options left alone take the settings' value."""
    from s2ps.production import RunKey

    chosen = {"strategy": options.strategy or settings().strategy, "from_level": options.from_level}
    return RunKey(kind=kind, id=identifier, **chosen)


def strategy_nodes(strategy: str) -> Sequence[Any]:
    """Return the node records of a strategy."""
    from s2ps.planning import plan_nodes

    return tuple(plan_nodes(strategy))


def default_strategy() -> str:
    """Return the strategy of this installation."""
    return settings().strategy


def strategies() -> list[str]:
    """Return the names of the strategies there are."""
    from s2ps.planning import strategy_names

    return list(strategy_names())


def baselines() -> list[str]:
    """Return the processing baselines of the catalogue, the default one first."""
    from s2ps.processors import baselines as known

    default = settings().baseline
    return [default, *(text for text in known() if text != default)]


def datatakes_between(start: datetime, stop: datetime) -> list[str]:
    """Return the ids of the datatakes sensed in a time range, in order of time."""
    from s2ps.inventory import Inventory

    return [record.id for record in Inventory(settings().place("inventory")).datatakes_between(start, stop)]


def iso(moment: datetime | None) -> str | None:
    """Return a time as ISO text."""
    return moment.isoformat() if moment is not None else None


def claims_folder() -> Path:
    """Return the folder where runs write which datatake they produce."""
    return settings().place("staging") / "claims"
