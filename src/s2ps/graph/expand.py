"""From steps to jobs: cut every step over the dimensions that exist and join producers to consumers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import groupby, product

from s2ps.graph.job_graph import Job, JobGraph, JobInput, JobOutput
from s2ps.graph.parameters import part_parameters
from s2ps.graph.partitions import Part, Partitions
from s2ps.graph.processor_graph import ProcessorGraph
from s2ps.graph.space import ObservationSpace
from s2ps.model.dimensions import DataId, Dimension
from s2ps.model.errors import PlanError
from s2ps.processors.catalogue import Step, StepKey
from s2ps.processors.phases import PhaseGroup, phase_of
from s2ps.processors.spec import InputSpec

_LONGEST_LIST = 6
"""Values written one by one in a job id; longer runs are written first..last, for job ids are folder names."""


@dataclass(slots=True)
class _Cut:
    """A step cut into jobs: the parts on every cut dimension; jobs are all their combinations."""

    step: Step
    parts: dict[Dimension, tuple[Part, ...]]
    product_parts: int
    ids: dict[tuple[int, ...], str] = field(default_factory=dict)

    def axis(self, dimension: Dimension) -> str:
        """Name what a dimension counts: only parts of one axis can be compared."""
        if dimension in (Dimension.ATF, Dimension.GRANULE):
            return self.step.spec.granules_of
        return f"product/{self.product_parts}" if dimension is Dimension.PRODUCT else dimension.value


@dataclass(slots=True)
class _Join:
    """Joins producers to consumers: part by part on shared axes, so only true pairs are formed."""

    cuts: Mapping[StepKey, _Cut]
    overlaps: dict[tuple[StepKey, StepKey], list[tuple[int | None, list[list[int]]]]] = field(default_factory=dict)
    found: dict[tuple[StepKey, StepKey, tuple[int, ...]], tuple[str, ...]] = field(default_factory=dict)
    comparisons: int = 0

    def producers(self, producer: StepKey, consumer: StepKey, place: tuple[int, ...]) -> tuple[str, ...]:
        """Return the ids of the producer's jobs that share data with the consumer's job at `place`."""
        pair = (producer, consumer)
        if pair not in self.overlaps:
            self.overlaps[pair] = list(self._overlaps(self.cuts[producer], self.cuts[consumer]))
        shared = tuple(-1 if axis is None else place[axis] for axis, _ in self.overlaps[pair])
        key = (producer, consumer, shared)
        if key not in self.found:
            choices = [rows[0 if axis is None else place[axis]] for axis, rows in self.overlaps[pair]]
            ids = self.cuts[producer].ids
            self.found[key] = tuple(ids[combination] for combination in product(*choices))
            self.comparisons += len(self.found[key])
        return self.found[key]

    def _overlaps(self, producer: _Cut, consumer: _Cut) -> Iterator[tuple[int | None, list[list[int]]]]:
        """Give for each cut dimension of the producer: place of the consumer's one, and rows of meeting parts."""
        axes = {consumer.axis(dimension): number for number, dimension in enumerate(consumer.parts)}
        consumer_parts = list(consumer.parts.values())
        for dimension, parts in producer.parts.items():
            number = axes.get(producer.axis(dimension))
            if number is None:
                yield None, [list(range(len(parts)))]
                continue
            owners: dict[str, list[int]] = {}
            for index, part in enumerate(parts):
                for value in part:
                    owners.setdefault(value, []).append(index)
            rows = [sorted({i for value in part for i in owners.get(value, ())}) for part in consumer_parts[number]]
            self.comparisons += sum(map(len, rows))
            yield number, rows


def expand(
    graph: ProcessorGraph,
    space: ObservationSpace,
    partitions: Partitions,
    parameters: Mapping[str, str] | None = None,
) -> JobGraph:
    """Return the jobs of all steps of the graph for what was observed.

    `parameters` are those of the run (CREATION_DATE ...): every job gets them; they win over the definition's values,
    options of a step win over them. Raises PlanError when a mandatory input has no producer in the graph.
    """
    cuts = {step.key: _cut(step, space, partitions) for step in graph.steps}
    for cut in cuts.values():
        _name_jobs(cut)
    join = _Join(cuts)
    jobs = [
        _job(cut, place, space, join, parameters or {})
        for key in graph.keys
        for cut in (cuts[key],)
        for place in cut.ids
    ]
    return JobGraph.of(jobs, join.comparisons)


def _cut(step: Step, space: ObservationSpace, partitions: Partitions) -> _Cut:
    wanted = list(step.spec.split)
    if len(space.datastrips) > 1 and phase_of(step.key.phase).group is not PhaseGroup.L0U:
        wanted.append(Dimension.DATASTRIP)
    parts: dict[Dimension, tuple[Part, ...]] = {}
    product_parts = 1
    for dimension in sorted(wanted):
        if dimension is Dimension.DATASTRIP:
            cut: tuple[Part, ...] = tuple((name,) for name in space.datastrips)
        else:
            cut = partitions.cut(step, dimension, space)
        if not cut and dimension is not Dimension.TILE:
            raise PlanError(
                f"{step.key}: nothing was observed on dimension {dimension}",
                expected="at least one value",
                next_step="plan the phase after the one that finds them",
            )
        if dimension is Dimension.PRODUCT:
            product_parts = len(cut)
        if len(cut) > 1 or dimension is Dimension.TILE:
            parts[dimension] = cut
    return _Cut(step, parts, product_parts)


def _name_jobs(cut: _Cut) -> None:
    for place in product(*(range(len(parts)) for parts in cut.parts.values())):
        chosen = {dimension: parts[index] for (dimension, parts), index in zip(cut.parts.items(), place, strict=True)}
        cut.ids[place] = job_id(cut.step.key, chosen)


def job_id(key: StepKey, parts: Mapping[Dimension, Part]) -> str:
    """Return the id of the job of a step for some parts: a file name, the same on every plan of the same space."""
    texts = [f"{dimension}={_short(parts[dimension])}" for dimension in sorted(parts)]
    return f"{key.phase}.{key.task}@{';'.join(texts) or 'all'}"


def _short(part: Part) -> str:
    return "-".join(part) if len(part) <= _LONGEST_LIST else f"{part[0]}..{part[-1]}"


def _job(cut: _Cut, place: tuple[int, ...], space: ObservationSpace, join: _Join, run: Mapping[str, str]) -> Job:
    step, spec = cut.step, cut.step.spec
    parts = {dimension: cut.parts[dimension][index] for dimension, index in zip(cut.parts, place, strict=True)}
    part_values = part_parameters(step, parts, cut.product_parts, space)
    return Job(
        id=cut.ids[place],
        phase=step.key.phase,
        task=step.key.task,
        processor=step.processor.name,
        version=step.processor.version,
        executable=step.processor.command,
        exit_policy=step.processor.exit_policy,
        timeout=step.processor.timeout,
        data_id=DataId.of(parts),
        parameters={**spec.parameters, **run, **part_values, **spec.options},
        inputs=tuple(entry for item in spec.inputs for entry in _inputs(step, item, place, join)),
        workspace=tuple(item.type for item in spec.inputs if item.external == "workspace"),
        auxiliary=spec.all_auxiliary,
        static=spec.all_static,
        outputs=tuple(JobOutput(item.type, item.kind, item.mandatory) for item in spec.outputs),
    )


def _inputs(step: Step, entry: InputSpec, place: tuple[int, ...], join: _Join) -> Iterable[JobInput]:
    if entry.external == "workspace":
        return []
    if entry.external is not None:
        return [JobInput(entry.type, entry.kind, external=entry.external)]
    sources = []
    for source in entry.producers:
        key = step.source_key(source)
        if key in join.cuts:
            output = step.output_type(entry, source)
            in_session = (
                phase_of(key.phase).group is PhaseGroup.L0U and phase_of(step.key.phase).group is not PhaseGroup.L0U
            )
            sources.append((output, in_session, join.producers(key, step.key, place)))
    if not any(jobs for _, _, jobs in sources):
        names = ", ".join(str(step.source_key(source)) for source in entry.producers)
        raise PlanError(
            f"{step.key}: no job makes its input {entry.type}",
            expected=f"a job of {names}",
            next_step="plan the phases of these tasks too",
        )
    grouped = groupby((item for item in sources if item[2]), key=lambda item: item[:2])
    return [
        JobInput(
            entry.type,
            entry.kind,
            tuple(name for _, _, jobs in members for name in jobs),
            None if output == entry.type else output,
            in_session,
        )
        for (output, in_session), members in grouped
    ]
