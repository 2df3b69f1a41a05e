"""Into how many parts each dimension is cut, phase by phase and task by task."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from s2ps.graph.space import ObservationSpace
from s2ps.model.dimensions import Dimension, split_evenly
from s2ps.processors.catalogue import Step, StepKey

Part = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Partitions:
    """Numbers of parts; a dimension without a number stays whole, tiles are always one job each."""

    phases: Mapping[str, Mapping[Dimension, int]] = field(default_factory=dict)
    tasks: Mapping[StepKey, Mapping[Dimension, int]] = field(default_factory=dict)
    """Win over the numbers of the phase."""
    respect_single: bool = True
    """Cut dimensions into single values where the real executable takes one at a time."""

    def number(self, step: Step, dimension: Dimension, available: int) -> int:
        """Return the number of parts of a dimension for a step, at most the number of values."""
        if dimension is Dimension.TILE or (self.respect_single and dimension in step.spec.single):
            return available
        own = self.tasks.get(step.key, {})
        wanted = own.get(dimension, self.phases.get(step.key.phase, {}).get(dimension, 1))
        return min(wanted, available)

    def cut(self, step: Step, dimension: Dimension, space: ObservationSpace) -> tuple[Part, ...]:
        """Return the parts of a dimension for a step; products are cut into remainders "000", "001", ..."""
        if dimension is Dimension.PRODUCT:
            count = max(self.number(step, dimension, space.products), 1)
            return tuple((f"{remainder:03d}",) for remainder in range(count))
        values = space.values(dimension, of_gri=step.spec.granules_of == "gri")
        return tuple(split_evenly(values, max(self.number(step, dimension, len(values)), 1)))
