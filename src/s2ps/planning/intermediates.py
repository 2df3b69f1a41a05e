"""Which outputs of a cluster nobody outside it reads: they need not leave the place where the cluster runs."""

from __future__ import annotations

from collections.abc import Mapping

from s2ps.graph.job_graph import Job
from s2ps.planning.plan import Plan
from s2ps.planning.strategy import SCRATCH, BoundStrategy
from s2ps.processors.catalogue import Catalogue, Step, StepKey

_CONTROLS = ("OLQC_", "INV_MTD_")
"""Tasks that look at products: what they read is published."""

Readers = Mapping[tuple[StepKey, str], frozenset[StepKey]]


def readers_of(catalogue: Catalogue) -> Readers:
    """Return for every step and output type the steps that may read it, of all phases and conditions."""
    found: dict[tuple[StepKey, str], set[StepKey]] = {}
    for step in catalogue:
        for entry in step.spec.inputs:
            for source in entry.producers:
                found.setdefault((step.source_key(source), Step.output_type(entry, source)), set()).add(step.key)
    return {name: frozenset(steps) for name, steps in found.items()}


def scratch_types(plan: Plan, strategy: BoundStrategy, catalogue: Catalogue) -> dict[str, frozenset[str]]:
    """Return for every job the output types that stay in the scratch of its cluster.

    A type stays there when the strategy says so for the cluster, every step that may ever read it is in the same
    cluster of the strategy, every job of the plan that reads it is in the same cluster, and none of them controls
    products. What nobody reads is a result and goes to the staging.
    """
    readers = readers_of(catalogue)
    cluster_of = {name: cluster.id for cluster in plan.clusters.clusters for name in cluster.jobs}
    outside = {
        producer for job in plan.graph for producer in job.producers if cluster_of.get(producer) != cluster_of[job.id]
    }

    def stays(job: Job, output_type: str) -> bool:
        key = StepKey(job.phase, job.task)
        spec = strategy.owners[key]
        reading = readers.get((key, output_type), frozenset())
        return bool(reading) and all(
            strategy.owners.get(reader) is spec and not reader.task.startswith(_CONTROLS) for reader in reading
        )

    found: dict[str, frozenset[str]] = {}
    for job in plan.graph:
        if strategy.owners[StepKey(job.phase, job.task)].intermediates == SCRATCH and job.id not in outside:
            types = frozenset(output.type for output in job.outputs if stays(job, output.type))
            if types:
                found[job.id] = types
    return found
