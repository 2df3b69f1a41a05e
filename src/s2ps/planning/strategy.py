"""Strategies: how jobs are cut, which are fused, and what a cluster may use."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, PositiveFloat, PositiveInt, ValidationError, model_validator

from s2ps.graph.partitions import Partitions
from s2ps.model.dimensions import Dimension
from s2ps.model.errors import CatalogueError, ConfigurationError
from s2ps.model.mission import Level
from s2ps.processors.catalogue import Catalogue, StepKey
from s2ps.processors.phases import PHASE_NAMES, PhaseGroup, phase_of


class Entry(BaseModel):
    """A frozen entry of a strategy file that refuses unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Resources(Entry):
    """What one cluster may use."""

    cpu: PositiveFloat
    memory_gb: PositiveFloat
    disk_gb: PositiveFloat
    time_s: PositiveInt


class Toleration(Entry):
    """A taint of Kubernetes nodes that pods of a cluster accept."""

    key: str | None = None
    """None: every taint."""
    operator: Literal["Equal", "Exists"] = "Equal"
    value: str | None = None
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"] | None = None
    seconds: PositiveInt | None = None
    """How long a pod stays on a node that got the taint; only with NoExecute."""


class PodOptions(Entry):
    """Where and how the pod of a cluster runs, where that differs from the settings S2PS_POD_*."""

    image: str | None = None
    """Image of its processors, by digest."""
    node_selector: dict[str, str] = Field(default_factory=dict)
    tolerations: tuple[Toleration, ...] = ()
    priority_class: str | None = None
    memory_ceiling_gb: PositiveFloat | None = None
    """Most memory a retry may get after a pod ran out of it; None: a retry gets no more than the first try."""


STAGING, SCRATCH = "staging", "scratch"


class ClusterSpec(Entry):
    """Tasks fused into one cluster, or into one cluster per value of the dimensions in `over`."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    level: Level
    phase_group: PhaseGroup
    tasks: tuple[str, ...] = Field(min_length=1)
    """TASK, or TASK@PHASE where several phases have the task."""
    over: tuple[Dimension, ...] = ()
    resources: Resources
    slots: PositiveInt = 1
    """Jobs at the same time inside a cluster."""
    intermediates: str = Field(default=STAGING, pattern=r"^[a-z][a-z0-9_-]*$")
    """Where the outputs of its jobs lie: staging; scratch (what only the cluster itself reads never leaves the disk
    beside it, the rest goes to the staging); or the name of a store of S2PS_STORES."""
    pod: PodOptions = PodOptions()

    @model_validator(mode="after")
    def _ceiling_above_memory(self) -> Self:
        ceiling = self.pod.memory_ceiling_gb
        if ceiling is not None and ceiling < self.resources.memory_gb:
            given = f"pod.memory_ceiling_gb {ceiling:g} is below resources.memory_gb {self.resources.memory_gb:g}"
            raise ValueError(f"cluster {self.name}: {given}")
        return self


class Strategy(Entry):
    """A way to run the chain on a certain kind of machine."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    description: str
    respect_single: bool = True
    """Obey the executables that take one value of a dimension at a time."""
    partitions: dict[str, dict[Dimension, PositiveInt]] = Field(default_factory=dict)
    """Parts per dimension and phase; without a number a dimension stays whole."""
    task_partitions: dict[str, dict[Dimension, PositiveInt]] = Field(default_factory=dict)
    """The same for single tasks; wins."""
    clusters: tuple[ClusterSpec, ...] = Field(min_length=1)
    """A task that none of them names joins the last one that feeds it."""
    seconds: dict[str, PositiveFloat] = Field(default_factory=dict)
    """Expected duration of a job per task, for order and critical path; 1 where nothing is said."""

    @model_validator(mode="after")
    def _known_words(self) -> Self:
        for phase in self.partitions:
            if phase not in PHASE_NAMES:
                raise ValueError(f"partitions: phase {phase!r}: expected one of {', '.join(PHASE_NAMES)}")
        names = [cluster.name for cluster in self.clusters]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"clusters: {name} is declared {names.count(name)} times")
        return self

    def cluster(self, name: str) -> ClusterSpec:
        """Return a cluster by name; raises ConfigurationError when there is none."""
        for cluster in self.clusters:
            if cluster.name == name:
                return cluster
        raise ConfigurationError(
            f"strategy {self.name} has no cluster {name}",
            expected=f"one of {', '.join(cluster.name for cluster in self.clusters)}",
            next_step="plan the run again with its present strategy",
        )

    def bind(self, catalogue: Catalogue) -> BoundStrategy:
        """Resolve the names of tasks; raises ConfigurationError naming an entry that does not fit the catalogue."""
        owners: dict[StepKey, ClusterSpec] = {}
        for cluster in self.clusters:
            for text in cluster.tasks:
                key = self._resolve(catalogue, text, f"cluster {cluster.name}", cluster.phase_group)
                if key in owners:
                    raise ConfigurationError(
                        f"strategy {self.name}: {key} is in clusters {owners[key].name} and {cluster.name}",
                        expected="every task in exactly one cluster",
                    )
                owners[key] = cluster
        self._adopt(catalogue, owners)
        tasks = {
            self._resolve(catalogue, text, "task_partitions"): parts for text, parts in self.task_partitions.items()
        }
        seconds = {self._resolve(catalogue, text, "seconds"): value for text, value in self.seconds.items()}
        return BoundStrategy(self, owners, Partitions(self.partitions, tasks, self.respect_single), seconds)

    def _adopt(self, catalogue: Catalogue, owners: dict[StepKey, ClusterSpec]) -> None:
        """Let a task that no cluster names join the last cluster, in the order of the file, that feeds it."""
        place = {cluster.name: number for number, cluster in enumerate(self.clusters)}
        lost = [step for step in catalogue if step.key not in owners]
        while lost:
            for step in lost:
                keys = [step.source_key(source) for entry in step.spec.inputs for source in entry.producers]
                group = phase_of(step.key.phase).group
                near = [owners[key] for key in keys if key in owners and owners[key].phase_group is group]
                if near:
                    owners[step.key] = max(near, key=lambda cluster: place[cluster.name])
            left = [step for step in lost if step.key not in owners]
            if len(left) == len(lost):
                raise ConfigurationError(
                    f"strategy {self.name}: no cluster has {', '.join(str(step.key) for step in lost)}",
                    expected="every task in exactly one cluster, or fed by a task of its phase group that is in one",
                    next_step="add the task to a cluster",
                )
            lost = left

    def _resolve(self, catalogue: Catalogue, text: str, where: str, group: PhaseGroup | None = None) -> StepKey:
        try:
            key = catalogue.named(text)
        except CatalogueError as error:
            raise ConfigurationError(f"strategy {self.name}: {where}: {error}") from error
        if group is not None and phase_of(key.phase).group is not group:
            raise ConfigurationError(
                f"strategy {self.name}: {where}: {key} belongs to phase group {phase_of(key.phase).group}",
                expected=f"tasks of {group}",
            )
        return key


class BoundStrategy:
    """A strategy whose names are steps of a catalogue."""

    def __init__(
        self,
        strategy: Strategy,
        owners: Mapping[StepKey, ClusterSpec],
        partitions: Partitions,
        seconds: Mapping[StepKey, float],
    ) -> None:
        self.strategy = strategy
        self.owners = owners
        """The cluster of each step."""
        self.partitions = partitions
        self._seconds = seconds

    def seconds(self, phase: str, task: str) -> float:
        """Return the expected duration of one job."""
        return self._seconds.get(StepKey(phase, task), 1.0)


def strategy_names() -> tuple[str, ...]:
    """Return the names of the strategies that come with S2PS."""
    folder = resources.files("s2ps.planning") / "strategies"
    return tuple(sorted(item.name.removesuffix(".yaml") for item in folder.iterdir() if item.name.endswith(".yaml")))


@lru_cache(maxsize=16)
def load_strategy(name: str) -> Strategy:
    """Return a strategy by name, or from a file when the name ends in .yaml; raises ConfigurationError."""
    if name.endswith((".yaml", ".yml")):
        return read_strategy(Path(name))
    if name not in strategy_names():
        raise ConfigurationError(f"there is no strategy {name!r}", expected=f"one of {', '.join(strategy_names())}")
    return read_strategy(resources.files("s2ps.planning") / "strategies" / f"{name}.yaml")


def read_strategy(file: Path | Traversable) -> Strategy:
    """Read a strategy file; raises ConfigurationError naming file, entry and field."""
    try:
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
        return Strategy.model_validate(content)
    except (OSError, yaml.YAMLError) as error:
        raise ConfigurationError(f"strategy {file.name}: cannot be read: {error}") from error
    except ValidationError as error:
        places = "; ".join(
            f"{'.'.join(map(str, item['loc'])) or 'file'}: "
            + ("unknown key" if item["type"] == "extra_forbidden" else item["msg"])
            for item in error.errors()
        )
        raise ConfigurationError(f"strategy {file.name}: {places}", next_step="correct the file") from error
