"""In which store the outputs of a run's jobs lie."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from s2ps.planning.intermediates import scratch_types
from s2ps.planning.plan import Plan
from s2ps.planning.strategy import SCRATCH, STAGING, Strategy
from s2ps.processors.catalogue import Catalogue, StepKey
from s2ps.settings import Settings
from s2ps.staging.location import open_store
from s2ps.staging.store import StagingStore


@dataclass(frozen=True, slots=True)
class Placement:
    """What the strategy says about the intermediate data of a plan."""

    stores: Mapping[str, str] = field(default_factory=dict)
    """URI of the store of every job whose outputs are not in the staging."""
    scratch: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Output types that never leave the place of their cluster, by job."""

    @classmethod
    def of(cls, plan: Plan, strategy: Strategy, catalogue: Catalogue, settings: Settings) -> Placement:
        """Read the strategy; raise ConfigurationError naming a store that is not in the settings."""
        bound = strategy.bind(catalogue)
        named = {job.id: bound.owners[StepKey(job.phase, job.task)].intermediates for job in plan.graph}
        stores = {name: settings.store_uri(place) for name, place in named.items() if place not in (STAGING, SCRATCH)}
        return cls(stores, scratch_types(plan, bound, catalogue))


class Outputs:
    """Opens the store in which the outputs of a job lie."""

    def __init__(self, staging: StagingStore, stores: Mapping[str, str]) -> None:
        self._staging = staging
        self._stores = stores
        self._open: dict[str, StagingStore] = {}

    def of(self, job_id: str) -> StagingStore:
        """Return the store of a job's outputs."""
        uri = self._stores.get(job_id)
        if uri is None:
            return self._staging
        if uri not in self._open:
            self._open[uri] = open_store(uri)
        return self._open[uri]
