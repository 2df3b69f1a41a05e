"""What jobs are parallel over: dimensions, data ids, and the way ranges are split."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

T = TypeVar("T")


class Dimension(StrEnum):
    """A direction in which the data of a datatake can be cut."""

    DATASTRIP = "datastrip"
    CHANNEL = "channel"
    DETECTOR = "detector"
    BAND = "band"
    QL_BAND = "ql_band"
    ATF = "atf"
    GRANULE = "granule"
    TILE = "tile"
    PRODUCT = "product"


_VALUE = re.compile(r"[A-Za-z0-9_]+")


@dataclass(frozen=True, slots=True, order=True)
class DataId:
    """The part of a datatake a job works on: for each dimension the values it covers; an absent one means all."""

    parts: tuple[tuple[Dimension, tuple[str, ...]], ...] = ()

    @classmethod
    def of(cls, values: Mapping[Dimension, Iterable[str]]) -> DataId:
        """Build from a mapping dimension -> values, in canonical order."""
        parts = tuple((dim, tuple(sorted(values[dim]))) for dim in sorted(values))
        for dim, members in parts:
            if not members or not all(_VALUE.fullmatch(member) for member in members):
                raise ValueError(f"data id {dim}={members!r}: expected one or more values of letters and digits")
        return cls(parts)

    @classmethod
    def parse(cls, key: str) -> DataId:
        """Read what `key` writes; "all" is the empty data id."""
        if key in ("", "all"):
            return cls()
        values: dict[Dimension, list[str]] = {}
        for item in key.split(";"):
            name, separator, members = item.partition("=")
            if not separator or name not in set(Dimension):
                raise ValueError(
                    f"data id {key!r}: expected dimension=value-value;... with one of {', '.join(Dimension)}"
                )
            values[Dimension(name)] = members.split("-")
        return cls.of(values)

    @property
    def key(self) -> str:
        """Stable text such as `band=B03;detector=01-02`, or `all`."""
        return ";".join(f"{dim}={'-'.join(values)}" for dim, values in self.parts) or "all"

    def values(self, dimension: Dimension) -> tuple[str, ...] | None:
        """Return the values of a dimension, or None when the job covers all of them."""
        for dim, values in self.parts:
            if dim == dimension:
                return values
        return None

    @property
    def dimensions(self) -> tuple[Dimension, ...]:
        """Dimensions that are restricted."""
        return tuple(dim for dim, _ in self.parts)

    def overlaps(self, other: DataId) -> bool:
        """Tell whether the two share data: on every dimension both restrict, the values meet."""
        theirs = dict(other.parts)
        return all(dim not in theirs or not set(values).isdisjoint(theirs[dim]) for dim, values in self.parts)


def split_evenly(values: Sequence[T], parts: int) -> list[tuple[T, ...]]:
    """Cut a sequence into at most `parts` runs of equal length; the remainder goes to the last ones.

    13 in 4 gives 3, 3, 3, 4 and 18 in 16 gives 14 of 1 and 2 of 2.
    """
    if parts < 1:
        raise ValueError(f"number of parts {parts}: expected 1 or more")
    count = min(parts, len(values))
    if count == 0:
        return []
    base, longer = divmod(len(values), count)
    sizes = [base] * (count - longer) + [base + 1] * longer
    runs, start = [], 0
    for size in sizes:
        runs.append(tuple(values[start : start + size]))
        start += size
    return runs
