"""A plan: the jobs of a phase group, their clusters, and what they were planned from."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from s2ps.graph.job_graph import Job, JobGraph
from s2ps.graph.space import ObservationSpace
from s2ps.model.errors import PlanError
from s2ps.model.mission import Level
from s2ps.planning.cluster import Cluster, ClusterGraph
from s2ps.planning.critical import Prediction
from s2ps.processors.phases import PhaseGroup

SCHEMA_VERSION = 1


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything needed to run a phase group; the same input gives the same plan and hash."""

    phase_group: PhaseGroup
    strategy: str
    baseline: str
    levels: tuple[Level, ...]
    space: ObservationSpace
    parameters: Mapping[str, str]
    plan_hash: str
    """64 hexadecimal digits over catalogue, strategy, space, levels and parameters."""
    graph: JobGraph
    """Jobs of this group only; inputs may name jobs of earlier groups."""
    clusters: ClusterGraph
    prediction: Prediction

    def cluster(self, cluster_id: str) -> Cluster:
        """Return a cluster; raises PlanError when the plan has none of that id."""
        for cluster in self.clusters.clusters:
            if cluster.id == cluster_id:
                return cluster
        known = ", ".join(item.id for item in self.clusters.clusters[:10])
        raise PlanError(f"plan {self.plan_hash[:12]} has no cluster {cluster_id}", expected=f"one of {known} ...")

    def jobs_of(self, cluster_id: str) -> list[Job]:
        """Return the jobs of a cluster, producers first."""
        return [self.graph.jobs[name] for name in self.cluster(cluster_id).jobs]

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for JSON."""
        return {
            "schema_version": SCHEMA_VERSION,
            "phase_group": self.phase_group.value,
            "strategy": self.strategy,
            "baseline": self.baseline,
            "levels": [level.value for level in self.levels],
            "space": self.space.model_dump(mode="json"),
            "parameters": dict(self.parameters),
            "plan_hash": self.plan_hash,
            **self.graph.to_dict(),
            **self.clusters.to_dict(),
            "order": list(self.prediction.order),
            "critical_path": list(self.prediction.critical_path),
            "critical_seconds": self.prediction.critical_seconds,
            "total_seconds": self.prediction.total_seconds,
        }

    def to_json(self) -> str:
        """Return the plan as JSON text."""
        return json.dumps(self.to_dict(), separators=(",", ":"))

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Plan:
        """Read what `to_dict` writes; raises PlanError when it is something else."""
        if data.get("schema_version") != SCHEMA_VERSION:
            raise PlanError(f"plan of schema version {data.get('schema_version')}", expected=str(SCHEMA_VERSION))
        try:
            return cls(
                phase_group=PhaseGroup(data["phase_group"]),
                strategy=data["strategy"],
                baseline=data["baseline"],
                levels=tuple(Level(name) for name in data["levels"]),
                space=ObservationSpace.model_validate(data["space"]),
                parameters=dict(data["parameters"]),
                plan_hash=data["plan_hash"],
                graph=JobGraph.from_dict(data),
                clusters=ClusterGraph.from_dict(data),
                prediction=Prediction(
                    tuple(data["order"]), tuple(data["critical_path"]), data["critical_seconds"], data["total_seconds"]
                ),
            )
        except (KeyError, TypeError, ValueError, ValidationError) as error:
            raise PlanError(f"not a plan: {error}", next_step="plan the phase group again") from error

    @classmethod
    def from_json(cls, text: str) -> Plan:
        """Read what `to_json` writes; raises PlanError when it is something else."""
        try:
            data = json.loads(text)
        except json.JSONDecodeError as error:
            raise PlanError(f"plan is not JSON: {error}", next_step="plan the phase group again") from error
        return cls.from_dict(data)
