"""Which catalogue and which strategy a run uses."""

from __future__ import annotations

from s2ps.planning.strategy import Strategy, load_strategy
from s2ps.processors.catalogue import Catalogue
from s2ps.processors.loader import load_baseline
from s2ps.settings import Settings


def catalogue_of(settings: Settings, baseline: str | None = None) -> Catalogue:
    """Return the packaged catalogue of a baseline; definitions in `settings.definitions` are added or replace."""
    return load_baseline(baseline or settings.baseline, settings.definitions)


def strategy_of(settings: Settings, name: str | None = None) -> Strategy:
    """Return a strategy: a file NAME.yaml in `settings.strategies` wins over the packaged one."""
    chosen = name or settings.strategy
    if settings.strategies is not None and (settings.strategies / f"{chosen}.yaml").is_file():
        return load_strategy(str(settings.strategies / f"{chosen}.yaml"))
    return load_strategy(chosen)
