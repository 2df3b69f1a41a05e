"""The load nodes are sized for: datatakes that come at once, or one after the other."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from s2ps.model.errors import ConfigurationError

STEP_PER_HOUR = 0.5
"""Rates are rounded up to a multiple of it."""


@dataclass(frozen=True, slots=True)
class Load:
    """Datatakes that arrive together, or a steady number of them per hour."""

    concurrent: int | None = None
    per_hour: float | None = None

    def __post_init__(self) -> None:
        """Raises ConfigurationError unless exactly one is given, and above 0."""
        given = [value for value in (self.concurrent, self.per_hour) if value is not None]
        if len(given) != 1 or given[0] <= 0:
            raise ConfigurationError(
                f"load of {self.concurrent} concurrent datatakes and {self.per_hour} per hour",
                expected="one of the two, above 0",
            )

    @property
    def text(self) -> str:
        """Return the load in words."""
        return f"{self.concurrent} datatakes at once" if self.concurrent else f"{self._rate():g} datatakes per hour"

    def _rate(self) -> float:
        return math.ceil((self.per_hour or 0.0) / STEP_PER_HOUR) * STEP_PER_HOUR

    def steps(self) -> Iterator[Load]:
        """Yield all smaller loads and this one, so that nodes can be counted up from the smallest."""
        if self.concurrent:
            yield from (Load(concurrent=count) for count in range(1, self.concurrent + 1))
        else:
            count = round(self._rate() / STEP_PER_HOUR)
            yield from (Load(per_hour=number * STEP_PER_HOUR) for number in range(1, count + 1))

    def arrivals(self, longest_s: float) -> tuple[float, ...]:
        """Return when datatakes arrive, in seconds; a rate goes on for twice the longest time limit."""
        if self.concurrent:
            return (0.0,) * self.concurrent
        interval = 3600.0 / self._rate()
        return tuple(number * interval for number in range(max(2, math.ceil(2 * longest_s / interval) + 1)))

    @property
    def per_second(self) -> float:
        """Return the steady rate; 0 for datatakes that come at once."""
        return self._rate() / 3600.0
