"""Records come back from JSON as they were, and what does not fit is refused with its place."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import UTC, datetime

import numpy as np
import pytest

from ipf_adapters.science.records import RecordError, dump_record, load_record

pytestmark = pytest.mark.unit


@dataclass(frozen=True)
class Part:
    name: str
    ring: tuple[tuple[float, float], ...] = ()


@dataclass(frozen=True)
class Whole:
    number: int
    moment: datetime
    parts: tuple[Part, ...]
    cover: float | None = None
    views: dict[str, tuple[float, float]] = field(default_factory=dict)
    shifts: list[float] = field(default_factory=list)


WHOLE = Whole(
    3,
    datetime(2026, 7, 1, 10, 15, 59, 120000, tzinfo=UTC),
    (Part("a", ((1.0, 2.5), (3.0, 1e-7))), Part("é")),
    None,
    {"B02": (1.0, 2.0)},
    [0.5],
)


@pytest.mark.parametrize("indent", [None, 1])
def test_a_record_comes_back_equal(indent: int | None) -> None:
    assert load_record(Whole, dump_record(WHOLE, indent)) == WHOLE


def test_defaults_fill_what_is_absent_and_whole_numbers_are_numbers() -> None:
    read = load_record(Whole, '{"number": 1, "moment": "2026-07-01T10:15:59Z", "parts": [], "cover": 7}')
    assert read == Whole(1, datetime(2026, 7, 1, 10, 15, 59, tzinfo=UTC), (), 7.0)
    assert isinstance(read.cover, float)


def test_numbers_of_arrays_are_written_as_numbers_and_nan_as_unknown() -> None:
    part = Part("a", ((float(np.float64(1.5)), np.float64(2.5)),))
    assert dump_record(part) == '{"name":"a","ring":[[1.5,2.5]]}'
    assert '"cover":null' in dump_record(Whole(1, WHOLE.moment, (), math.nan))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{", "no JSON"),
        ("[]", "Part: expected an object"),
        ("{}", "Part.name: missing"),
        ('{"name": "a", "size": 1}', "Part.size: unknown"),
        ('{"name": 1}', "Part.name: expected str, got 1"),
        ('{"name": "a", "ring": 1}', "Part.ring: expected a list"),
        ('{"name": "a", "ring": [[1.0]]}', r"Part.ring\[0\]: expected 2 values, got 1"),
        ('{"name": "a", "ring": [[1.0, true]]}', r"Part.ring\[0\]\[1\]: expected float, got True"),
        ('{"name": "a", "ring": [[1.0, null]]}', "expected float, got None"),
    ],
)
def test_what_does_not_fit_is_refused_with_its_place(text: str, reason: str) -> None:
    with pytest.raises(RecordError, match=reason):
        load_record(Part, text)


def test_a_moment_that_is_none_is_refused() -> None:
    with pytest.raises(RecordError, match=r"Whole\.moment"):
        load_record(Whole, '{"number": 1, "moment": "yesterday", "parts": []}')
