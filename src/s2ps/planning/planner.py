"""Plan a phase group: expand its jobs, fuse them, check and order them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping

from s2ps.graph.expand import expand
from s2ps.graph.job_graph import JobGraph
from s2ps.graph.processor_graph import ProcessorGraph
from s2ps.graph.space import ObservationSpace
from s2ps.model.errors import PlanError
from s2ps.model.mission import Level
from s2ps.planning.cluster import fuse, validate
from s2ps.planning.critical import predict
from s2ps.planning.plan import Plan
from s2ps.planning.strategy import BoundStrategy, Strategy
from s2ps.processors.catalogue import Catalogue
from s2ps.processors.phases import PhaseGroup, wanted_phases

DEFAULT_PARAMETERS: Mapping[str, str] = {
    "TRACE": "false",
    "VALIDATE_SCHEMA": "false",
    "PROCESSING_CENTER": "S2PS",
    "ARCHIVING_CENTER": "S2PS",
}
"""Given to every job unless the caller says otherwise, with PROCESSING_BASELINE of the catalogue."""


def plan_phase(
    catalogue: Catalogue,
    strategy: Strategy,
    phase_group: PhaseGroup | str,
    space: ObservationSpace,
    levels: Iterable[Level],
    parameters: Mapping[str, str] | None = None,
) -> Plan:
    """Plan the jobs of a phase group for what was observed.

    Jobs of earlier groups are expanded from the same space, so inputs name them by the ids they had in their own plan.
    A group that these levels do not need gives a plan without jobs. Raises PlanError or ConfigurationError.
    """
    group = _group(phase_group)
    wanted = tuple(sorted({*levels, Level.L0U}, key=lambda level: level.rank))
    run = {**DEFAULT_PARAMETERS, "PROCESSING_BASELINE": catalogue.baseline, **(parameters or {})}
    bound = strategy.bind(catalogue)
    phases = wanted_phases(frozenset(wanted), space.has_gri, until=group)
    mine = [phase.name for phase in phases if phase.group is group]
    everything = expand_phases(catalogue, bound, [phase.name for phase in phases] if mine else [], space, run)
    jobs = everything.of_phases(mine)
    prediction = predict(jobs, lambda job: bound.seconds(job.phase, job.task))
    clusters = fuse(jobs, bound, {name: number for number, name in enumerate(prediction.order)})
    validate(jobs, clusters)
    return Plan(
        phase_group=group,
        strategy=strategy.name,
        baseline=catalogue.baseline,
        levels=wanted,
        space=space,
        parameters=run,
        plan_hash=plan_hash(catalogue, strategy, group, space, wanted, run),
        graph=jobs,
        clusters=clusters,
        prediction=prediction,
    )


def expand_phases(
    catalogue: Catalogue,
    strategy: BoundStrategy,
    phases: Iterable[str],
    space: ObservationSpace,
    parameters: Mapping[str, str] | None = None,
) -> JobGraph:
    """Return the jobs of some phases, cut as the strategy says; raises PlanError."""
    return expand(ProcessorGraph.of(catalogue, phases), space, strategy.partitions, parameters)


def plan_hash(
    catalogue: Catalogue,
    strategy: Strategy,
    group: PhaseGroup,
    space: ObservationSpace,
    levels: Iterable[Level],
    parameters: Mapping[str, str],
) -> str:
    """Return a hash that is equal only if the same jobs would be planned the same way; no clock goes into it.

    Nor does the place of intermediate data: it changes no product.
    """
    content = {
        "catalogue": catalogue.fingerprint(),
        "strategy": strategy.model_dump(mode="json", exclude={"clusters": {"__all__": {"intermediates"}}}),
        "phase_group": group.value,
        "space": space.model_dump(mode="json"),
        "levels": [level.value for level in levels],
        "parameters": dict(parameters),
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _group(name: PhaseGroup | str) -> PhaseGroup:
    try:
        return PhaseGroup(name)
    except ValueError as error:
        raise PlanError(f"there is no phase group {name!r}", expected=f"one of {', '.join(PhaseGroup)}") from error
